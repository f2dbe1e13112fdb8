//! A posted form as the parameters of a callback.

use portier_client::{CallbackParams, Code};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

use crate::{errors, text};

/// Reads a mapping of names to `str`, `bytes`, or lists of these, which is what web frameworks
/// make of a form. Fields of other names are left alone, whatever they hold.
pub(crate) fn callback_params(form: &Bound<'_, PyAny>) -> PyResult<CallbackParams> {
    let mut pairs = Vec::new();
    if let Ok(form) = form.cast::<PyDict>() {
        for (name, value) in form {
            add(&mut pairs, &name, &value)?;
        }
    } else {
        for item in items(form)? {
            let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item?.extract()?;
            add(&mut pairs, &name, &value)?;
        }
    }
    CallbackParams::from_pairs(pairs).map_err(|error| errors::to_python(form.py(), &error))
}

fn items<'py>(form: &Bound<'py, PyAny>) -> PyResult<Bound<'py, pyo3::types::PyIterator>> {
    if !form.hasattr(intern!(form.py(), "items"))? {
        return Err(PyTypeError::new_err(format!(
            "form must be a mapping, not {}",
            form.get_type().name()?
        )));
    }
    form.call_method0(intern!(form.py(), "items"))?.try_iter()
}

fn add(
    pairs: &mut Vec<(&'static str, String)>,
    name: &Bound<'_, PyAny>,
    value: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let Ok(name) = name.cast::<PyString>() else {
        return Ok(());
    };
    let Some(&name) = name
        .to_str()
        .ok()
        .and_then(|name| CallbackParams::NAMES.iter().find(|known| **known == name))
    else {
        return Ok(());
    };
    if let Ok(values) = value.cast::<PyList>() {
        for value in values {
            pairs.push((name, field(name, &value)?));
        }
    } else if let Ok(values) = value.cast::<PyTuple>() {
        for value in values {
            pairs.push((name, field(name, &value)?));
        }
    } else {
        pairs.push((name, field(name, value)?));
    }
    Ok(())
}

fn field(name: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(value) = value.cast::<PyString>() {
        return text::owned(value, name, Code::TokenMalformed);
    }
    if let Ok(value) = value.cast::<PyBytes>() {
        return text::decoded(value, name, Code::TokenMalformed);
    }
    Err(PyTypeError::new_err(format!(
        "form[{name:?}] must be str, bytes or a list of these, not {}",
        value.get_type().name()?
    )))
}
