//! A store of the core, for tests of stores.

use std::sync::Arc;

use portier_client::testing::session_key;
use portier_client::{Code, Store, Taken, open_store};
use pyo3::prelude::*;

use super::duration;
use crate::bridge::{Call, PyNone, without_gil};
use crate::errors;

/// A store of the core, by its URL; for tests.
#[pyclass(frozen, module = "portier_client._native")]
pub(crate) struct CoreStore(Arc<dyn Store>);

#[pymethods]
impl CoreStore {
    #[new]
    #[pyo3(signature = (url, /))]
    fn new(py: Python<'_>, url: &str) -> PyResult<Self> {
        let opened = without_gil(py, || open_store(url));
        opened
            .map(Self)
            .map_err(|error| errors::to_python(py, &error))
    }

    #[pyo3(signature = (nonce, record, ttl, /))]
    fn put<'py>(
        &self,
        py: Python<'py>,
        nonce: &str,
        record: String,
        ttl: f64,
    ) -> PyResult<Bound<'py, PyAny>> {
        let store = Arc::clone(&self.0);
        let (key, ttl) = (session_key(nonce), duration(py, ttl)?);
        Call::new(py, false).run(async move {
            store.put(&key, record, ttl).await?;
            Ok(PyNone(None))
        })
    }

    #[pyo3(signature = (nonce, /))]
    fn take<'py>(&self, py: Python<'py>, nonce: &str) -> PyResult<Bound<'py, PyAny>> {
        let store = Arc::clone(&self.0);
        let key = session_key(nonce);
        Call::new(py, false).run(async move {
            Ok(match store.take(&key).await? {
                Taken::Record(record) => Some(record),
                Taken::Used | Taken::Unknown => None,
            })
        })
    }

    #[pyo3(signature = (nonce, /))]
    fn contains<'py>(&self, py: Python<'py>, nonce: &str) -> PyResult<Bound<'py, PyAny>> {
        let store = Arc::clone(&self.0);
        let key = session_key(nonce);
        Call::new(py, false).run(async move {
            let cannot_tell =
                || portier_client::Error::new(Code::Internal, "the store cannot tell");
            store.contains(&key).await?.ok_or_else(cannot_tell)
        })
    }
}
