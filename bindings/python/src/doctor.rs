//! The doctor.

use std::ffi::OsString;

use portier_client::doctor::run_command_blocking;
use pyo3::prelude::*;

use crate::bridge::without_gil;

/// Runs the doctor's command; returns its exit status, its output and its complaint. It takes seconds; other
/// threads run meanwhile.
#[pyfunction]
#[pyo3(signature = (arguments, reads_environment, versions, colours, /))]
pub(crate) fn doctor(
    py: Python<'_>,
    arguments: Vec<OsString>,
    reads_environment: bool,
    versions: Vec<(String, String)>,
    colours: bool,
) -> (u8, String, String) {
    crate::authorities::trust_certifi(py);
    let run = || run_command_blocking(arguments, reads_environment, versions, colours);
    let outcome = without_gil(py, run);
    (outcome.status, outcome.output, outcome.complaint)
}
