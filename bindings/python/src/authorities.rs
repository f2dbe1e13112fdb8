//! The certificate authorities for a system that has none.

use std::sync::Once;

use pyo3::prelude::*;
use pyo3::sync::OnceExt as _;

/// On a system without certificate authorities, trusts those of the package `certifi`, if it is installed. Many
/// HTTP clients for Python do so everywhere.
pub(crate) fn trust_certifi(py: Python<'_>) {
    static ONCE: Once = Once::new();

    ONCE.call_once_py_attached(py, || {
        portier_client::trust_without_system(|| contents(py).unwrap_or_default().into_bytes());
    });
}

fn contents(py: Python<'_>) -> PyResult<String> {
    py.import("certifi")?.call_method0("contents")?.extract()
}
