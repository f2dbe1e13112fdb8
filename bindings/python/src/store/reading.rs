//! Converts the results and exceptions of a store in Python.

use portier_client::{Code, Error, MAX_RECORD_BYTES, Result, Taken};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyString};

use crate::cells::{self, intern};
use crate::errors::Raised;

/// How to read what a method returned; the method's name is for the message.
pub(super) type Read<T> = fn(&'static str, &Bound<'_, PyAny>) -> Result<T>;

pub(super) fn read_none(method: &'static str, returned: &Bound<'_, PyAny>) -> Result<()> {
    if returned.is_none() {
        return Ok(());
    }
    // A command such as `SET … NX` returns whether it did something. To ignore that would hide failures.
    Err(wrong_type(method, "None", returned))
}

pub(super) fn read_record(method: &'static str, returned: &Bound<'_, PyAny>) -> Result<Taken> {
    if returned.is_none() {
        return Ok(Taken::Unknown);
    }
    let Ok(text) = returned.cast::<PyString>() else {
        return Err(wrong_type(method, "str or None", returned));
    };
    // The limit is checked before the copy. A character has one byte or more.
    if text.len().unwrap_or(usize::MAX) > MAX_RECORD_BYTES {
        return Err(failed(format_args!(
            "the store returned a longer str than any record method={method} limit={MAX_RECORD_BYTES}"
        )));
    }
    match text.to_str() {
        Ok("") => Ok(Taken::Used),
        Ok(text) => Ok(Taken::Record(text.to_owned())),
        // The cause would quote the record.
        Err(_) => Err(failed(format_args!(
            "the store returned a str with a lone surrogate method={method}"
        ))),
    }
}

pub(super) fn read_bool(method: &'static str, returned: &Bound<'_, PyAny>) -> Result<Option<bool>> {
    match returned.cast::<PyBool>() {
        Ok(value) => Ok(Some(value.is_true())),
        Err(_) => Err(wrong_type(method, "bool", returned)),
    }
}

/// Whether this has to be awaited.
pub(super) fn is_awaitable(returned: &Bound<'_, PyAny>) -> bool {
    if returned.is_none() || returned.is_instance_of::<PyString>() {
        return false;
    }
    let kind = returned.get_type();
    kind.hasattr(intern!(returned.py(), "__await__"))
        .unwrap_or(false)
}

/// The error for an awaitable without an event loop.
pub(super) fn cannot_wait(method: &'static str, returned: &Bound<'_, PyAny>) -> Error {
    discard(returned);
    failed(format_args!(
        "the store returned an awaitable, and the blocking client cannot await method={method} type={}",
        type_name(returned)
    ))
}

/// The error for an exception, and the exception itself if it ends more than this call, as
/// `KeyboardInterrupt` does.
pub(super) fn from_exception(
    py: Python<'_>,
    method: &'static str,
    exception: PyErr,
) -> (Error, Option<PyErr>) {
    // `into_value` keeps the traceback; `value` does not.
    let value = exception.into_value(py).into_bound(py).into_any();
    let value = &value;
    if let Some(code) = own_code(value) {
        let error = Error::new(code, "the store raised a StoreError");
        return (error.with_source(Raised::unchanged(value)), None);
    }
    let error = failed(format_args!(
        "the store raised an exception method={method} type={}",
        type_name(value)
    ));
    // A store whose own task was cancelled does not cancel the login.
    if value.is_instance_of::<PyException>() || is_cancellation(value) {
        return (error.with_source(Raised::as_cause(value)), None);
    }
    let end = PyErr::from_value(value.clone());
    (error.with_source(Raised::unchanged(value)), Some(end))
}

fn own_code(value: &Bound<'_, PyAny>) -> Option<Code> {
    static STORE_ERROR: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

    let py = value.py();
    let kind = cells::import(&STORE_ERROR, py, "portier_client.errors", "StoreError").ok()?;
    if !value.is_instance(kind).unwrap_or(false) {
        return None;
    }
    let code = value.getattr(intern!(py, "code")).ok();
    let code = code.and_then(|code| code.extract::<String>().ok());
    Some(match code.as_deref() {
        Some("store_unavailable") => Code::StoreUnavailable,
        Some("store_full") => Code::StoreFull,
        _ => Code::StoreFailed,
    })
}

fn is_cancellation(value: &Bound<'_, PyAny>) -> bool {
    static CANCELLED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

    cells::import(&CANCELLED, value.py(), "asyncio", "CancelledError")
        .and_then(|kind| value.is_instance(kind))
        .unwrap_or(false)
}

/// Contains the type, never the value, which may be a record.
fn wrong_type(method: &'static str, expected: &str, returned: &Bound<'_, PyAny>) -> Error {
    discard(returned);
    failed(format_args!(
        "the store returned something else than {expected} method={method} type={}",
        type_name(returned)
    ))
}

/// Closes a coroutine, so that it does not warn that it was never awaited.
pub(super) fn discard(returned: &Bound<'_, PyAny>) {
    let py = returned.py();
    if returned.hasattr(intern!(py, "cr_await")).unwrap_or(false) {
        let _ = returned.call_method0(intern!(py, "close"));
    }
}

fn type_name(value: &Bound<'_, PyAny>) -> String {
    let name = value.get_type().name().map(|name| name.to_string());
    name.unwrap_or_else(|_| "unknown".to_owned())
}

fn failed(message: std::fmt::Arguments<'_>) -> Error {
    Error::new(Code::StoreFailed, message)
}
