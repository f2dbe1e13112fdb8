//! The native half of `portier_client`: types in, types out, errors. The rules of the protocol are
//! in the core.
#![deny(unsafe_code)]

mod authorities;
mod bridge;
mod cells;
mod client;
mod doctor;
mod errors;
mod forks;
mod form;
mod headers;
mod metrics;
mod options;
mod process;
mod send_py;
mod session;
mod step;
mod store;
mod testing;
mod text;
mod web;

use portier_client::Code;
use pyo3::exceptions::PyImportError;
use pyo3::ffi;
use pyo3::prelude::*;

#[pymodule(gil_used = false)]
mod _native {
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::client::Client;
    #[pymodule_export]
    use super::doctor::doctor;
    #[pymodule_export]
    use super::errors::codes;
    #[pymodule_export]
    use super::headers::read_headers;
    #[pymodule_export]
    use super::metrics::{collect_metrics, exposition};
    #[pymodule_export]
    use super::session::{Session, SessionCookie};
    #[pymodule_export]
    use super::testing::{
        CoreStore, DevBroker, ManualClock, MockTransport, broker_command, flush_events,
        mock_client, panic_in_operation,
    };
    #[pymodule_export]
    use super::web::{LoginFlow, target_path};
    #[pymodule_export]
    use super::{normalize_email, safe_next, safe_next_on};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let py = module.py();
        super::refuse_sub_interpreters()?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        module.add("MAX_RECORD_BYTES", portier_client::MAX_RECORD_BYTES)?;
        module.add("MAX_FORM_BYTES", portier_client::web::MAX_FORM_BYTES)?;
        module.add(
            "METRICS_CONTENT_TYPE",
            portier_client::metrics::CONTENT_TYPE,
        )?;
        module.add("HEADERS", portier_client::web::WebRequest::HEADERS)?;
        // Both cost nothing until the process forks or exits.
        py.import("atexit")?.call_method1(
            "register",
            (wrap_pyfunction!(super::bridge::shutdown::shutdown, py)?,),
        )?;
        #[cfg(unix)]
        super::forks::install(py)?;
        super::bridge::make_types(py);
        super::store::make_types(py);
        Ok(())
    }
}

/// Sub-interpreters cannot work: the threads of the module attach to the main interpreter.
#[expect(unsafe_code, reason = "pyo3 has no name for it")]
fn refuse_sub_interpreters() -> PyResult<()> {
    // The main one is made first, and ids are not used again.
    const MAIN: i64 = 0;

    // SAFETY: this runs in the initialization of a module, where the thread is attached; the
    // interpreter that is current there lives at least as long.
    let this = unsafe { ffi::PyInterpreterState_GetID(ffi::PyInterpreterState_Get()) };
    if this == MAIN {
        return Ok(());
    }
    Err(PyImportError::new_err(
        "portier_client works in the main interpreter only, and this is a sub-interpreter; with \
         mod_wsgi, set WSGIApplicationGroup %{GLOBAL}",
    ))
}

/// Normalize an e-mail address, so that equal mailboxes are equal texts.
///
/// The part before the last ``@`` is lowercased as Unicode defines it; the domain becomes ASCII, as
/// in a URL. The result is what :meth:`Client.verify` returns for the address. Use it unchanged as
/// the key of an account.
///
/// Raises :class:`InvalidEmail` (``invalid_email``) for a text that cannot be an address.
///
/// >>> from portier_client import normalize_email
/// >>> normalize_email("Björn@BÜCHER.example")
/// 'björn@xn--bcher-kva.example'
#[pyfunction]
#[pyo3(signature = (text, /))]
fn normalize_email(py: Python<'_>, text: &Bound<'_, pyo3::types::PyString>) -> PyResult<String> {
    if text::is_too_long(text)? {
        let reason = format_args!("the e-mail address has a million characters or more");
        return Err(errors::new(py, Code::InvalidEmail, reason));
    }
    let text = text::borrowed(text, "e-mail address", Code::InvalidEmail)?;
    bridge::catch_panic(|| portier_client::normalize_email(text))
        .map_err(|error| errors::to_python(py, &error))
}

/// Return the page to go back to after a login if it is safe to redirect to, else ``None``.
///
/// Without ``allowed_hosts``, only a path on this site is accepted, at most 1 KiB long.
/// ``allowed_hosts`` are further hosts to which an ``https`` URL may lead. A host has its port,
/// unless that is 443. The result is fit for a ``Location`` header. Call it when the page is stored
/// and again when it is used.
///
/// >>> from portier_client import safe_next
/// >>> safe_next("/members?page=2")
/// '/members?page=2'
/// >>> safe_next("//evil.example") is None
/// True
#[pyfunction]
#[pyo3(signature = (text, /, allowed_hosts = Vec::new()))]
#[expect(
    clippy::needless_pass_by_value,
    reason = "this is what pyo3 converts to"
)]
fn safe_next(
    py: Python<'_>,
    text: &Bound<'_, pyo3::types::PyString>,
    allowed_hosts: Vec<String>,
) -> PyResult<Option<String>> {
    page_by(py, text, &allowed_hosts, portier_client::safe_next)
}

/// The page in the form for a redirect, if it is on the site, which is an origin, or on an allowed host.
#[pyfunction]
#[pyo3(signature = (site, page, allowed_hosts, /))]
#[expect(
    clippy::needless_pass_by_value,
    reason = "this is what pyo3 converts to"
)]
fn safe_next_on(
    py: Python<'_>,
    site: &str,
    page: &Bound<'_, pyo3::types::PyString>,
    allowed_hosts: Vec<String>,
) -> PyResult<Option<String>> {
    page_by(py, page, &allowed_hosts, |page, hosts| {
        portier_client::web::safe_next_on(site, page, hosts)
    })
}

/// What a rule makes of a page.
fn page_by(
    py: Python<'_>,
    page: &Bound<'_, pyo3::types::PyString>,
    allowed_hosts: &[String],
    rule: impl FnOnce(&str, &[&str]) -> Option<String>,
) -> PyResult<Option<String>> {
    let hosts: Vec<&str> = allowed_hosts.iter().map(String::as_str).collect();
    let page = text::beginning(page)?;
    // A text that is not UTF-8 is no page of this site.
    let Ok(page) = page.to_str() else {
        return Ok(None);
    };
    bridge::catch_panic(|| Ok(rule(page, &hosts))).map_err(|error| errors::to_python(py, &error))
}
