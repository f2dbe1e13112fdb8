//! Stores that are written in Python.

mod call;
mod reading;

use std::sync::Arc;
use std::time::Duration;

use portier_client::{BoxFuture, Result, SessionKey, Store, Taken};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use self::call::Method;
use self::reading::{known, nothing, record};
use crate::bridge::Held;

/// A store that a Python object is. Its methods run where the client was called from, never in
/// the runtime.
#[derive(Clone)]
pub(crate) struct PythonStore {
    object: Arc<Held>,
    /// Whether the object has the method that it may have.
    has_contains: bool,
}

impl PythonStore {
    /// Makes the store of an object that has `put` and `take`.
    pub(crate) fn new(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self {
            object: Arc::new(Held::new(object)),
            has_contains: object.hasattr("contains")?,
        })
    }

    /// For the garbage collector: the object may hold the client that this store is in.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.object.traverse(visit)
    }

    pub(crate) fn clear(&self) {
        self.object.clear();
    }
}

impl Store for PythonStore {
    fn put<'a>(
        &'a self,
        key: &'a SessionKey,
        record: String,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<()>> {
        let nonce = key.to_string();
        let method = Method::Put { nonce, record, ttl };
        Box::pin(call::call(Arc::clone(&self.object), method, nothing))
    }

    fn take<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Taken>> {
        let nonce = key.to_string();
        let method = Method::Take { nonce };
        Box::pin(call::call(Arc::clone(&self.object), method, record))
    }

    fn contains<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Option<bool>>> {
        if !self.has_contains {
            return Box::pin(async { Ok(None) });
        }
        let nonce = key.to_string();
        let method = Method::Contains { nonce };
        Box::pin(call::call(Arc::clone(&self.object), method, known))
    }
}
