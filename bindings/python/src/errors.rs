//! Errors of the core as the exceptions of `portier_client.errors`.

use std::fmt;

use portier_client::{Code, Error};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

use crate::cells;
use crate::send_py::SendPy;

/// Makes the exception for an error, with its sources as the chain of `__cause__`.
pub(crate) fn to_python(py: Python<'_>, error: &Error) -> PyErr {
    let source = std::error::Error::source(error);
    if let Some(raised) = source.and_then(|source| source.downcast_ref::<Raised>())
        && raised.unchanged
        && let Some(exception) = raised.exception.bind(py)
    {
        return PyErr::from_value(exception);
    }
    let exception = match exception(py, error) {
        Ok(exception) => exception,
        Err(failure) => return failure,
    };
    if let Some(source) = source {
        exception.set_cause(py, Some(cause(py, source)));
    }
    exception
}

/// Makes the exception for an error that the binding itself found.
pub(crate) fn new(py: Python<'_>, code: Code, message: impl fmt::Display) -> PyErr {
    to_python(py, &Error::new(code, message))
}

/// All codes with the names of their classes, whether they are retryable, and whether they are a fault that the operator
/// of a site has to mend.
#[pyfunction]
pub(crate) fn codes() -> Vec<(&'static str, &'static str, bool, bool)> {
    Code::ALL
        .iter()
        .map(|&code| {
            (
                code.as_str(),
                code.kind().as_str(),
                Error::new(code, "").retryable(),
                code.is_fault(),
            )
        })
        .collect()
}

/// An exception that was raised in the middle of an operation, on its way through the core.
pub(crate) struct Raised {
    exception: SendPy,
    unchanged: bool,
}

impl Raised {
    /// The caller gets it as the cause of an error.
    pub(crate) fn as_cause(exception: &Bound<'_, PyAny>) -> Self {
        Self {
            exception: SendPy::new(exception),
            unchanged: false,
        }
    }

    /// The caller gets it in place of an error.
    pub(crate) fn unchanged(exception: &Bound<'_, PyAny>) -> Self {
        Self {
            exception: SendPy::new(exception),
            unchanged: true,
        }
    }
}

impl std::error::Error for Raised {}

impl fmt::Display for Raised {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The exception's own text may contain secrets, and Python is needed to read it.
        formatter.write_str("an exception was raised in Python")
    }
}

impl fmt::Debug for Raised {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Raised").finish_non_exhaustive()
    }
}

fn exception(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    static FROM_NATIVE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

    cells::import(&FROM_NATIVE, py, "portier_client.errors", "_from_native")?
        .call1((error.code().as_str(), error.to_string(), facts(py, error)?))
        .map(PyErr::from_value)
}

/// The facts of an error, as the keyword arguments of its class.
fn facts<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyDict>> {
    let facts = PyDict::new(py);
    if let Some(answer) = error.broker_answer() {
        facts.set_item("error", &answer.error)?;
        facts.set_item("error_description", &answer.description)?;
    }
    if let Some(mismatch) = error.browser_mismatch() {
        facts.set_item("email", &mismatch.email)?;
        facts.set_item("confirmation", &mismatch.confirmation)?;
    }
    if error.same_browser() {
        facts.set_item("same_browser", true)?;
    }
    if let Some((claim, reason)) = error.claim().zip(error.claim_reason()) {
        facts.set_item("claim", claim)?;
        facts.set_item("reason", reason.as_str())?;
    }
    if let Some(status) = error.status() {
        facts.set_item("status", status)?;
    }
    if let Some(pause) = error.retry_after() {
        facts.set_item("retry_after", pause.as_secs_f64())?;
    }
    Ok(facts)
}

fn cause(py: Python<'_>, error: &(dyn std::error::Error + 'static)) -> PyErr {
    if let Some(error) = error.downcast_ref::<Error>() {
        return to_python(py, error);
    }
    if let Some(raised) = error.downcast_ref::<Raised>()
        && let Some(exception) = raised.exception.bind(py)
    {
        return PyErr::from_value(exception);
    }
    let exception = PyException::new_err(error.to_string());
    if let Some(source) = error.source() {
        exception.set_cause(py, Some(cause(py, source)));
    }
    exception
}
