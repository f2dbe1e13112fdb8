//! Text from Python.

use portier_client::Code;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PySequence, PyString};

use crate::errors;

/// Longer texts are cut here before they are copied. Operations of the core refuse texts that are far
/// shorter, each with the right code.
const LIMIT: usize = 1 << 20;

/// Whether it would be cut, for those whose rules have no limit of their own.
pub(crate) fn is_too_long(text: &Bound<'_, PyString>) -> PyResult<bool> {
    Ok(text.len()? > LIMIT)
}

/// The beginning of a text that is too long, or the text itself.
///
/// To look into a text that is not ASCII, Python makes another copy of it.
pub(crate) fn beginning<'py>(text: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyString>> {
    if !is_too_long(text)? {
        return Ok(text.clone());
    }
    let beginning = text.as_any().cast::<PySequence>()?.get_slice(0, LIMIT)?;
    Ok(beginning.cast_into()?)
}

/// Borrows a text; `code` is for one that no UTF-8 can represent.
pub(crate) fn borrowed<'a>(
    text: &'a Bound<'_, PyString>,
    name: &str,
    code: Code,
) -> PyResult<&'a str> {
    // Python's own error would carry the whole text.
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

/// Copies a text that came as octets, such as a framework that does not decode forms gives it.
pub(crate) fn decoded(octets: &Bound<'_, PyBytes>, name: &str, code: Code) -> PyResult<String> {
    let kept = octets.as_bytes();
    let kept = kept.get(..LIMIT).unwrap_or(kept);
    match std::str::from_utf8(kept) {
        Ok(text) => Ok(text.to_owned()),
        // Cut in the middle of a character.
        Err(error) if kept.len() == LIMIT && error.error_len().is_none() => {
            let whole = kept.get(..error.valid_up_to()).unwrap_or_default();
            Ok(String::from_utf8_lossy(whole).into_owned())
        }
        Err(_) => Err(errors::new(
            octets.py(),
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
