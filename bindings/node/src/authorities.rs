//! The certificate authorities that Node.js trusts besides its own.

use std::sync::Once;

use napi::bindgen_prelude::Function;
use napi_derive::napi;

/// Trusts the certificates of the files that these variables name, once in a process. If some cannot be used,
/// the first call returns the reasons.
///
/// The variables are read from the environment of the process, as runtimes do. `process.env` of a worker may
/// differ.
#[napi(catch_unwind)]
pub fn trust_extra_ca_certs(variables: Vec<String>) -> Vec<String> {
    static ONCE: Once = Once::new();
    let mut problems = Vec::new();
    ONCE.call_once(|| {
        problems.extend(variables.iter().filter_map(|name| {
            let file = std::env::var_os(name).filter(|file| !file.is_empty())?;
            let error = portier_client::trust_extra_ca_file(file).err()?;
            Some(format!("{name}: {error}"))
        }));
    });
    problems
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
