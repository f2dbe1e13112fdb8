//! The headers of a request, as web frameworks give them.

use portier_client::web::WebRequest;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

use crate::cells::intern;

const COUNT: usize = WebRequest::HEADERS.len();

/// The text of a header, if the request has it.
type Value<'py> = Option<Bound<'py, PyAny>>;

/// The values of the headers that a flow reads, in the order of [`WebRequest::HEADERS`], and the
/// length of the body according to the headers. `headers` is a mapping, an object that keeps
/// repeated headers, or pairs.
#[pyfunction]
#[pyo3(signature = (headers, /))]
pub(crate) fn read_headers<'py>(
    headers: &Bound<'py, PyAny>,
) -> PyResult<([Value<'py>; COUNT], Value<'py>)> {
    let mut read = Headers::default();
    if let Ok(headers) = headers.cast_exact::<PyDict>() {
        for (name, value) in headers {
            read.add(&name, value)?;
        }
    } else {
        for pair in pairs(headers)?.try_iter()? {
            let (name, value) = name_and_value(&pair?)?;
            read.add(&name, value)?;
        }
    }
    Ok((read.values, read.length))
}

#[derive(Default)]
struct Headers<'py> {
    values: [Value<'py>; COUNT],
    length: Value<'py>,
}

impl<'py> Headers<'py> {
    fn add(&mut self, name: &Bound<'py, PyAny>, value: Bound<'py, PyAny>) -> PyResult<()> {
        match known(name)? {
            None => {}
            Some(Known::Length) => self.length = Some(text(value, ", ")?),
            Some(Known::Header(place, separator)) => {
                let value = text(value, separator)?;
                if let Some(known) = self.values.get_mut(place) {
                    *known = Some(match known.take() {
                        None => value,
                        Some(before) => joined(name.py(), [before, value], separator)?,
                    });
                }
            }
        }
        Ok(())
    }
}

enum Known {
    /// A header that a flow reads: its index, and the separator of repeated values.
    Header(usize, &'static str),
    Length,
}

fn known(name: &Bound<'_, PyAny>) -> PyResult<Option<Known>> {
    let name = match name.cast::<PyString>() {
        // A name with a lone surrogate is not one of them.
        Ok(name) => name.to_str().unwrap_or_default().as_bytes(),
        Err(_) => name.cast::<PyBytes>()?.as_bytes(),
    };
    let is = |known: &str| known.as_bytes().eq_ignore_ascii_case(name);
    if let Some(place) = WebRequest::HEADERS.iter().position(|known| is(known)) {
        let separator = if is("cookie") { "; " } else { ", " };
        return Ok(Some(Known::Header(place, separator)));
    }
    Ok(is("content-length").then_some(Known::Length))
}

/// A value as text. It may be a list of what was sent under the name.
fn text<'py>(value: Bound<'py, PyAny>, separator: &str) -> PyResult<Bound<'py, PyAny>> {
    if value.is_instance_of::<PyString>() {
        return Ok(value);
    }
    if let Ok(octets) = value.cast::<PyBytes>() {
        return Ok(latin_1(octets));
    }
    let py = value.py();
    let values = value.try_iter()?.map(|value| {
        let value = value?;
        Ok(match value.cast::<PyBytes>() {
            Ok(octets) => latin_1(octets),
            Err(_) => value,
        })
    });
    joined(py, values.collect::<PyResult<Vec<_>>>()?, separator)
}

fn latin_1<'py>(octets: &Bound<'py, PyBytes>) -> Bound<'py, PyAny> {
    let text: String = octets.as_bytes().iter().copied().map(char::from).collect();
    PyString::new(octets.py(), &text).into_any()
}

fn joined<'py, V>(py: Python<'py>, values: V, separator: &str) -> PyResult<Bound<'py, PyAny>>
where
    V: IntoIterator<Item = Bound<'py, PyAny>, IntoIter: ExactSizeIterator>,
{
    let values = PyList::new(py, values)?;
    PyString::new(py, separator).call_method1(intern!(py, "join"), (values,))
}

/// The pairs of an object. What a mapping shows as its items may hide repeated headers.
fn pairs<'py>(headers: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = headers.py();
    if let Some(multi_items) = headers.getattr_opt(intern!(py, "multi_items"))? {
        return multi_items.call0();
    }
    if headers.hasattr(intern!(py, "get_list"))? {
        // Those of Tornado.
        return headers.call_method0(intern!(py, "get_all"));
    }
    match headers.getattr_opt(intern!(py, "items"))? {
        Some(items) => items.call0(),
        None => Ok(headers.clone()),
    }
}

fn name_and_value<'py>(
    pair: &Bound<'py, PyAny>,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    if let Ok(pair) = pair.cast::<PyTuple>() {
        return pair.extract();
    }
    let two: Vec<_> = pair.try_iter()?.take(3).collect::<PyResult<_>>()?;
    match <[_; 2]>::try_from(two) {
        Ok([name, value]) => Ok((name, value)),
        Err(_) => Err(PyTypeError::new_err("a header is a name and a value")),
    }
}
