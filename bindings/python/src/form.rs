//! A posted form as the parameters of a callback.

use portier_client::web::WebRequest;
use portier_client::{CallbackParams, Code, FieldValue};
use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{
    IntoPyDict as _, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple,
};

use crate::cells::intern;
use crate::{errors, text};

/// Reads a form as web frameworks and parsers give it: a mapping, an object that keeps repeated
/// fields, or pairs. Names are `str` or `bytes`; fields with other names are ignored.
pub(crate) fn callback_params(form: &Bound<'_, PyAny>) -> PyResult<CallbackParams> {
    let pairs = Fields::read(form, &CallbackParams::NAMES, false)?;
    CallbackParams::from_pairs(pairs).map_err(|error| errors::to_python(form.py(), &error))
}

/// Reads a form in the same way for a request. Text that is not UTF-8 gets replacement characters, as in a
/// form that is read from bytes.
pub(crate) fn fields(form: &Bound<'_, PyAny>) -> PyResult<Vec<(String, FieldValue)>> {
    let pairs = match Fields::read(form, &WebRequest::FIELDS, true) {
        // A client may send JSON to a site that parses it. The flow refuses it for its content type.
        Err(_) if is_json(form) => Vec::new(),
        pairs => pairs?,
    };
    Ok(pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect())
}

/// Whether this is a JSON value other than an object, as a parser returns it.
fn is_json(form: &Bound<'_, PyAny>) -> bool {
    form.is_instance_of::<PyList>()
        || form.is_instance_of::<PyInt>()
        || form.is_instance_of::<PyFloat>()
}

struct Fields {
    names: &'static [&'static str],
    pairs: Vec<(&'static str, FieldValue)>,
    /// Whether text that is not UTF-8 is accepted.
    is_lossy: bool,
    /// Whether text is UTF-8 that was decoded as Latin-1, as in Bottle.
    is_latin_1: bool,
}

impl Fields {
    fn read(
        form: &Bound<'_, PyAny>,
        names: &'static [&'static str],
        is_lossy: bool,
    ) -> PyResult<Vec<(&'static str, FieldValue)>> {
        let mut fields = Self {
            names,
            pairs: Vec::new(),
            is_lossy,
            is_latin_1: false,
        };
        if let Ok(form) = form.cast_exact::<PyDict>() {
            for (name, value) in form {
                fields.add(&name, &value)?;
            }
        } else {
            fields.add_all(form)?;
        }
        Ok(fields.pairs)
    }

    fn add_all(&mut self, form: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = form.py();
        // An attribute of an instance may be a field of the form, as in Bottle.
        let class = form.getattr(intern!(py, "__class__"))?;
        if class.hasattr(intern!(py, "recode_unicode"))? {
            self.is_latin_1 = form.getattr(intern!(py, "recode_unicode"))?.is_truthy()?;
        }
        if class.hasattr(intern!(py, "FieldStorageClass"))? {
            return self.add_field_storage(form);
        }
        // The mapping interface of a form may hide repeated fields.
        for method in ["getlist", "getall", "get_all"] {
            if class.hasattr(method)? {
                return self.add_by_name(&form.getattr(method)?);
            }
        }
        if class.hasattr(intern!(py, "multi_items"))? {
            return self.add_pairs(form, &form.call_method0(intern!(py, "multi_items"))?);
        }
        if class.hasattr(intern!(py, "items"))? {
            let items = form.getattr(intern!(py, "items"))?;
            let repeated = [(intern!(py, "multi"), true)].into_py_dict(py)?;
            let pairs = match items.call((), Some(&repeated)) {
                Err(error) if error.is_instance_of::<PyTypeError>(py) => items.call0(),
                pairs => pairs,
            }?;
            return self.add_pairs(form, &pairs);
        }
        self.add_pairs(form, form)
    }

    fn add_by_name(&mut self, method: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = method.py();
        for &name in self.names {
            match method.call1((name,)) {
                Ok(values) => self.add_values(name, &values)?,
                Err(error) if error.is_instance_of::<PyKeyError>(py) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads a `cgi.FieldStorage`, which gives uploaded files as `bytes`.
    fn add_field_storage(&mut self, form: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = form.py();
        let items = form.getattr(intern!(py, "list"))?;
        if items.is_none() && self.is_lossy {
            return Ok(());
        }
        if items.is_none() {
            return Err(self.no_form(form));
        }
        for item in items.try_iter()? {
            let item = item?;
            let name = item.getattr(intern!(py, "name"))?;
            if item.getattr(intern!(py, "filename"))?.is_none() {
                self.add(&name, &item.getattr(intern!(py, "value"))?)?;
            } else {
                self.add(&name, &item)?;
            }
        }
        Ok(())
    }

    fn add_pairs(&mut self, form: &Bound<'_, PyAny>, pairs: &Bound<'_, PyAny>) -> PyResult<()> {
        let is_text = pairs.is_instance_of::<PyString>()
            || pairs.is_instance_of::<PyBytes>()
            || pairs.is_instance_of::<PyByteArray>();
        let Some(pairs) = pairs.try_iter().ok().filter(|_| !is_text) else {
            return Err(self.no_form(form));
        };
        for pair in pairs {
            let pair = pair?;
            let is_pair = pair.is_instance_of::<PyTuple>() || pair.is_instance_of::<PyList>();
            if !is_pair || pair.len()? != 2 {
                return Err(self.no_form(form));
            }
            self.add(&pair.get_item(0)?, &pair.get_item(1)?)?;
        }
        Ok(())
    }

    fn add(&mut self, name: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        match self.known(name) {
            Some(name) => self.add_values(name, value),
            None => Ok(()),
        }
    }

    /// Adds the values of one name. `None` is a field that is absent: a default value of a handler.
    fn add_values(&mut self, name: &'static str, values: &Bound<'_, PyAny>) -> PyResult<()> {
        if values.is_none() {
            return Ok(());
        }
        if values.is_instance_of::<PyList>() || values.is_instance_of::<PyTuple>() {
            for value in values.try_iter()? {
                let value = self.value(name, &value?)?;
                self.pairs.push((name, value));
            }
        } else {
            let value = self.value(name, values)?;
            self.pairs.push((name, value));
        }
        Ok(())
    }

    fn value(&self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<FieldValue> {
        if let Ok(text) = value.cast::<PyString>() {
            if self.is_latin_1
                && let Ok(bytes) = text.call_method1(intern!(text.py(), "encode"), ("latin-1",))
            {
                return self.value(name, &bytes);
            }
            return if self.is_lossy {
                Ok(FieldValue::Text(text.to_string_lossy().into_owned()))
            } else {
                text::owned(text, name, Code::TokenMalformed).map(FieldValue::Text)
            };
        }
        let bytes = match value.cast::<PyByteArray>() {
            Ok(bytes) => PyBytes::new(value.py(), &bytes.to_vec()),
            Err(_) => match value.cast::<PyBytes>() {
                Ok(bytes) => bytes.clone(),
                Err(_) => return Ok(FieldValue::NotText),
            },
        };
        if self.is_lossy {
            let text = String::from_utf8_lossy(bytes.as_bytes());
            return Ok(FieldValue::Text(text.into_owned()));
        }
        text::decoded(&bytes, name, Code::TokenMalformed).map(FieldValue::Text)
    }

    /// The name of a field, if it is one of these.
    fn known(&self, name: &Bound<'_, PyAny>) -> Option<&'static str> {
        let is = |given: &[u8]| {
            let mut names = self.names.iter().copied();
            names.find(|known| known.as_bytes() == given)
        };
        if let Ok(name) = name.cast::<PyString>() {
            return is(name.to_str().ok()?.as_bytes());
        }
        is(name.cast::<PyBytes>().ok()?.as_bytes())
    }

    /// The error for a value that is not a form. A request can cause it, at a site that parses JSON. A function
    /// or an awaitable is a mistake of the site.
    fn no_form(&self, form: &Bound<'_, PyAny>) -> PyErr {
        let py = form.py();
        let kind = match form.get_type().name() {
            Ok(kind) => kind,
            Err(error) => return error,
        };
        if self.is_lossy {
            return PyTypeError::new_err(format!("body must be bytes, a form or None, not {kind}"));
        }
        if form.is_callable() || form.hasattr(intern!(py, "__await__")).unwrap_or(false) {
            return PyTypeError::new_err(format!("form must be a mapping or pairs, not {kind}"));
        }
        let message = format_args!("the callback is not a form given={kind}");
        errors::new(py, Code::TokenMalformed, message)
    }
}

/// A copy of a text, if UTF-8 can represent it.
pub(crate) fn utf_8(text: &Bound<'_, PyString>) -> Option<String> {
    Some(text::beginning(text).ok()?.to_str().ok()?.to_owned())
}
