//! The certificate authorities that Node.js trusts besides its own.

use std::sync::Once;

use napi_derive::napi;

/// Trusts the certificates of the file that `NODE_EXTRA_CA_CERTS` names, once in a process. If the file
/// cannot be used, the first call returns the reason.
///
/// The variable is read from the environment of the process, as Node.js does. `process.env` of a worker may
/// differ.
#[napi(catch_unwind)]
pub fn trust_extra_ca_certs() -> Option<String> {
    static ONCE: Once = Once::new();
    let mut problem = None;
    ONCE.call_once(|| {
        let file = std::env::var_os("NODE_EXTRA_CA_CERTS").filter(|file| !file.is_empty());
        let trusted = file.map(portier_client::trust_extra_ca_file);
        problem = trusted.and_then(Result::err).map(|error| error.to_string());
    });
    problem
}
