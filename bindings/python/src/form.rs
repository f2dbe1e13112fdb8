//! A posted form as the parameters of a callback.

use portier_client::{CallbackParams, Code, FieldValue};
use pyo3::exceptions::{PyKeyError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict as _, PyByteArray, PyBytes, PyDict, PyList, PyString, PyTuple};

use crate::cells::intern;
use crate::{errors, text};

/// Reads a form as web frameworks and parsers give it: a mapping, an object that keeps repeated
/// fields, or pairs. Names are `str` or `bytes`; fields of other names are ignored, whatever they
/// hold.
pub(crate) fn callback_params(form: &Bound<'_, PyAny>) -> PyResult<CallbackParams> {
    let mut fields = Fields {
        pairs: Vec::new(),
        is_latin_1: false,
    };
    if let Ok(form) = form.cast_exact::<PyDict>() {
        for (name, value) in form {
            fields.add(&name, &value)?;
        }
    } else {
        fields.add_all(form)?;
    }
    CallbackParams::from_pairs(fields.pairs).map_err(|error| errors::to_python(form.py(), &error))
}

struct Fields {
    pairs: Vec<(&'static str, FieldValue)>,
    /// Whether text is UTF-8 that was decoded as Latin-1, as in Bottle.
    is_latin_1: bool,
}

impl Fields {
    fn add_all(&mut self, form: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = form.py();
        // Of an instance, a field may have the name of a method, as in Bottle.
        let class = form.getattr(intern!(py, "__class__"))?;
        if class.hasattr(intern!(py, "recode_unicode"))? {
            self.is_latin_1 = form.getattr(intern!(py, "recode_unicode"))?.is_truthy()?;
        }
        if class.hasattr(intern!(py, "FieldStorageClass"))? {
            return self.add_field_storage(form);
        }
        // What a form shows as a mapping may hide repeated fields.
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
        for name in CallbackParams::NAMES {
            match method.call1((name,)) {
                Ok(values) => self.add_values(name, &values)?,
                Err(error) if error.is_instance_of::<PyKeyError>(py) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads a `cgi.FieldStorage`, which shows uploaded files as `bytes`.
    fn add_field_storage(&mut self, form: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = form.py();
        let items = form.getattr(intern!(py, "list"))?;
        if items.is_none() {
            return Err(no_form(form));
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
            return Err(no_form(form));
        };
        for pair in pairs {
            let pair = pair?;
            let is_pair = pair.is_instance_of::<PyTuple>() || pair.is_instance_of::<PyList>();
            if !is_pair || pair.len()? != 2 {
                return Err(no_form(form));
            }
            self.add(&pair.get_item(0)?, &pair.get_item(1)?)?;
        }
        Ok(())
    }

    fn add(&mut self, name: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        match known(name) {
            Some(name) => self.add_values(name, value),
            None => Ok(()),
        }
    }

    /// Adds the values of one name. `None` is how signatures of handlers say that a field is absent.
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
                && let Ok(octets) = text.call_method1(intern!(text.py(), "encode"), ("latin-1",))
            {
                return self.value(name, &octets);
            }
            return text::owned(text, name, Code::TokenMalformed).map(FieldValue::Text);
        }
        let octets = match value.cast::<PyByteArray>() {
            Ok(octets) => PyBytes::new(value.py(), &octets.to_vec()),
            Err(_) => match value.cast::<PyBytes>() {
                Ok(octets) => octets.clone(),
                Err(_) => return Ok(FieldValue::NotText),
            },
        };
        text::decoded(&octets, name, Code::TokenMalformed).map(FieldValue::Text)
    }
}

/// The parameter of the protocol that a field is named after.
fn known(name: &Bound<'_, PyAny>) -> Option<&'static str> {
    let is = |given: &[u8]| {
        let mut names = CallbackParams::NAMES.into_iter();
        names.find(|known| known.as_bytes() == given)
    };
    if let Ok(name) = name.cast::<PyString>() {
        return is(name.to_str().ok()?.as_bytes());
    }
    is(name.cast::<PyBytes>().ok()?.as_bytes())
}

/// The error for what is no form. A request can lead to it where a site reads JSON, for example; it
/// cannot make a form a function or something to await.
fn no_form(form: &Bound<'_, PyAny>) -> PyErr {
    let py = form.py();
    let kind = match form.get_type().name() {
        Ok(kind) => kind,
        Err(error) => return error,
    };
    if form.is_callable() || form.hasattr(intern!(py, "__await__")).unwrap_or(false) {
        return PyTypeError::new_err(format!("form must be a mapping or pairs, not {kind}"));
    }
    let message = format_args!("the callback is not a form given={kind}");
    errors::new(py, Code::TokenMalformed, message)
}
