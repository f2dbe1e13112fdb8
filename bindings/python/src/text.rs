//! Text from Python.

use portier_client::Code;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PySequence, PyString};

use crate::errors;

/// Longer texts are cut before they are copied. The core refuses even much shorter ones, with the right
/// code.
const LIMIT: usize = 1 << 20;

/// Whether a text would be cut; for operations of the core that have no limit of their own.
pub(crate) fn is_too_long(text: &Bound<'_, PyString>) -> PyResult<bool> {
    Ok(text.len()? > LIMIT)
}

/// The beginning of a text that is too long, or the text itself.
///
/// Python copies a text that is not ASCII to give access to it.
pub(crate) fn beginning<'py>(text: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyString>> {
    if !is_too_long(text)? {
        return Ok(text.clone());
    }
    let beginning = text.as_any().cast::<PySequence>()?.get_slice(0, LIMIT)?;
    Ok(beginning.cast_into()?)
}

/// Borrows a text; `code` is that of the error for a text that UTF-8 cannot represent.
pub(crate) fn borrowed<'a>(
    text: &'a Bound<'_, PyString>,
    name: &str,
    code: Code,
) -> PyResult<&'a str> {
    // Python's own error contains the whole text.
    text.to_str()
        .map_err(|_| errors::new(text.py(), code, format_args!("{name} has a lone surrogate")))
}

/// Copies a text for an operation that may outlive the call.
pub(crate) fn owned(text: &Bound<'_, PyString>, name: &str, code: Code) -> PyResult<String> {
    let text = beginning(text)?;
    let text = borrowed(&text, name, code)?;
    let mut end = text.len().min(LIMIT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Ok(text.get(..end).unwrap_or_default().to_owned())
}

/// Copies a text from bytes, for frameworks that do not decode forms.
pub(crate) fn decoded(bytes: &Bound<'_, PyBytes>, name: &str, code: Code) -> PyResult<String> {
    let beginning = bytes.as_bytes();
    let beginning = beginning.get(..LIMIT).unwrap_or(beginning);
    match std::str::from_utf8(beginning) {
        Ok(text) => Ok(text.to_owned()),
        // It was cut in the middle of a character.
        Err(error) if beginning.len() == LIMIT && error.error_len().is_none() => {
            let whole = beginning.get(..error.valid_up_to()).unwrap_or_default();
            Ok(String::from_utf8_lossy(whole).into_owned())
        }
        Err(_) => Err(errors::new(
            bytes.py(),
            code,
            format_args!("callback parameter is not UTF-8 name={name}"),
        )),
    }
}

/// Copies a text that may be absent.
pub(crate) fn optional(
    text: Option<&Bound<'_, PyString>>,
    name: &str,
    code: Code,
) -> PyResult<Option<String>> {
    text.map(|text| owned(text, name, code)).transpose()
}
