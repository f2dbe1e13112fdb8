//! Errors of the core as the exceptions of `portier_client.errors`.

use std::fmt;

use portier_client::{Code, Error};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

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

/// All codes with the names of their classes, and whether they are worth another attempt.
#[pyfunction]
pub(crate) fn codes() -> Vec<(&'static str, &'static str, bool)> {
    Code::ALL
        .iter()
        .map(|&code| {
            (
                code.as_str(),
                code.kind().as_str(),
                Error::new(code, "").retryable(),
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

    let answer = error
        .broker_answer()
        .map(|answer| (answer.error.as_str(), answer.description.as_deref()));
    let mismatch = error
        .browser_mismatch()
        .map(|mismatch| (mismatch.email.as_str(), mismatch.confirmation.as_deref()));
    cells::import(&FROM_NATIVE, py, "portier_client.errors", "_from_native")?
        .call1((
            error.code().as_str(),
            error.to_string(),
            answer,
            mismatch,
            error.same_browser(),
        ))
        .map(PyErr::from_value)
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
