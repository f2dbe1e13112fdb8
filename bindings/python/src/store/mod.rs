//! Stores that are written in Python.

mod call;
mod reading;

use std::sync::Arc;
use std::time::Duration;

use portier_client::{BoxFuture, Code, Error, NonceStore, Result, SessionKey, Store, Taken};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use self::call::Method;
use self::reading::{read_bool, read_none, read_record};
use crate::send_py::SendPy;

/// A Python object that is a store. Its methods run in the thread or event loop of the client's caller,
/// never in the runtime.
#[derive(Clone)]
pub(crate) struct PythonStore {
    object: Arc<SendPy>,
    methods: Methods,
}

/// Which methods an object has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Methods {
    /// `put` and `take`.
    Records,
    /// These, and `contains`.
    RecordsAndContains,
    /// `consume_nonce`, for nonces that the application has created itself.
    Nonces,
}

impl PythonStore {
    /// Makes the store of an object that has `put` and `take`, or `consume_nonce`.
    pub(crate) fn new(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let methods = if !object.hasattr("put")? && object.hasattr("consume_nonce")? {
            Methods::Nonces
        } else if object.hasattr("contains")? {
            Methods::RecordsAndContains
        } else {
            Methods::Records
        };
        Ok(Self {
            object: Arc::new(SendPy::new(object)),
            methods,
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

/// Makes the type that the event loop calls; see [`bridge::make_types`](crate::bridge::make_types).
pub(crate) fn make_types(py: Python<'_>) {
    call::make_types(py);
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
        Box::pin(call::call(Arc::clone(&self.object), method, read_none))
    }

    fn take<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Taken>> {
        let nonce = key.to_string();
        let method = Method::Take { nonce };
        Box::pin(call::call(Arc::clone(&self.object), method, read_record))
    }

    fn contains<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Option<bool>>> {
        if self.methods != Methods::RecordsAndContains {
            return Box::pin(async { Ok(None) });
        }
        let nonce = key.to_string();
        let method = Method::Contains { nonce };
        Box::pin(call::call(Arc::clone(&self.object), method, read_bool))
    }

    fn nonces(&self) -> Option<&dyn NonceStore> {
        (self.methods == Methods::Nonces).then_some(self)
    }
}

impl NonceStore for PythonStore {
    fn create<'a>(&'a self, _email: &'a str) -> BoxFuture<'a, Result<String>> {
        Box::pin(async {
            Err(Error::new(
                Code::StoreFailed,
                "the application draws its nonces itself",
            ))
        })
    }

    fn consume<'a>(&'a self, nonce: &'a str, email: &'a str) -> BoxFuture<'a, Result<()>> {
        let method = Method::ConsumeNonce {
            nonce: nonce.to_owned(),
            email: email.to_owned(),
        };
        Box::pin(async {
            if call::call(Arc::clone(&self.object), method, read_bool).await? == Some(true) {
                return Ok(());
            }
            Err(Error::new(
                Code::SessionUnknown,
                "no such login is pending here: it has expired, or was completed before",
            ))
        })
    }
}
