//! Errors of the core as the exceptions of `portier_client.errors`.

use portier_client::{Code, Error};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// Makes the exception for an error, with its sources as the chain of `__cause__`.
pub(crate) fn to_python(py: Python<'_>, error: &Error) -> PyErr {
    let exception = match exception(py, error) {
        Ok(exception) => exception,
        Err(failure) => return failure,
    };
    if let Some(source) = std::error::Error::source(error) {
        exception.set_cause(py, Some(cause(py, source)));
    }
    exception
}

/// Makes the exception for an error that the binding itself found.
pub(crate) fn new(py: Python<'_>, code: Code, message: impl std::fmt::Display) -> PyErr {
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

fn exception(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    static FROM_NATIVE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

    let answer = error
        .broker_answer()
        .map(|answer| (answer.error.as_str(), answer.description.as_deref()));
    FROM_NATIVE
        .import(py, "portier_client.errors", "_from_native")?
        .call1((error.code().as_str(), error.to_string(), answer))
        .map(PyErr::from_value)
}

fn cause(py: Python<'_>, error: &(dyn std::error::Error + 'static)) -> PyErr {
    if let Some(error) = error.downcast_ref::<Error>() {
        return to_python(py, error);
    }
    let exception = PyException::new_err(error.to_string());
    if let Some(source) = error.source() {
        exception.set_cause(py, Some(cause(py, source)));
    }
    exception
}
