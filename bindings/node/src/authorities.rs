//! The certificate authorities that Node.js trusts besides its own.

use std::sync::Once;

use napi::bindgen_prelude::Function;
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

/// Trusts the PEM certificates that `certificates` returns, if the system has no authorities. It is called once
/// in a process, and only then.
#[napi(catch_unwind)]
pub fn trust_without_system(certificates: Function<'_, (), String>) -> napi::Result<()> {
    static ONCE: Once = Once::new();
    let mut called = Ok(());
    ONCE.call_once(|| {
        portier_client::trust_without_system(|| match certificates.call(()) {
            Ok(pem) => pem.into_bytes(),
            Err(error) => {
                called = Err(error);
                Vec::new()
            }
        });
    });
    called
}
