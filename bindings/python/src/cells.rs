//! Python objects that are looked up once.
//!
//! While pyo3 fills a cell, other threads may run, and one of them may fork: in the child the cell would
//! never be filled. So each object is made first and put into its cell in one step.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyString;

/// An attribute of a module.
pub(crate) fn import<'py>(
    cell: &'static PyOnceLock<Py<PyAny>>,
    py: Python<'py>,
    module: &str,
    name: &str,
) -> PyResult<&'py Bound<'py, PyAny>> {
    fill(cell, py, || Ok(py.import(module)?.getattr(name)?.unbind()))
}

/// The object in the cell, which `make` makes if the cell is empty.
pub(crate) fn fill<'py, T>(
    cell: &'static PyOnceLock<Py<T>>,
    py: Python<'py>,
    make: impl FnOnce() -> PyResult<Py<T>>,
) -> PyResult<&'py Bound<'py, T>> {
    if let Some(value) = cell.get(py) {
        return Ok(value.bind(py));
    }
    let value = make()?;
    // Another thread may have been faster.
    let _ = cell.set(py, value.clone_ref(py));
    Ok(cell.get_or_init(py, || value).bind(py))
}

/// An interned string.
macro_rules! intern {
    ($py:expr, $text:literal) => {{
        static NAME: pyo3::sync::PyOnceLock<pyo3::Py<pyo3::types::PyString>> =
            pyo3::sync::PyOnceLock::new();
        $crate::cells::interned(&NAME, $py, $text)
    }};
}
pub(crate) use intern;

/// For [`intern!`].
pub(crate) fn interned<'py>(
    cell: &'static PyOnceLock<Py<PyString>>,
    py: Python<'py>,
    text: &str,
) -> &'py Bound<'py, PyString> {
    if cell.get(py).is_none() {
        let _ = cell.set(py, PyString::intern(py, text).unbind());
    }
    cell.get_or_init(py, || PyString::intern(py, text).unbind())
        .bind(py)
}
