//! The outcome of an operation, in Python.

use portier_client::Result;
use pyo3::IntoPyObjectExt as _;
use pyo3::prelude::*;

use crate::errors;

/// What an operation can return.
pub(crate) trait Output: for<'py> IntoPyObject<'py> + Send + 'static {}

impl<T: for<'py> IntoPyObject<'py> + Send + 'static> Output for T {}

/// The `None` of Python, for an operation without a result.
///
/// `()` would reach Python as an empty tuple.
#[derive(IntoPyObject)]
#[pyo3(transparent)]
pub(crate) struct PyNone(pub(crate) Option<bool>);

/// The object of a result, or the exception of an error.
pub(super) fn to_python<T: Output>(
    py: Python<'_>,
    outcome: Result<T>,
) -> PyResult<Bound<'_, PyAny>> {
    match outcome {
        Ok(output) => output.into_bound_py_any(py),
        Err(error) => Err(errors::to_python(py, &error)),
    }
}
