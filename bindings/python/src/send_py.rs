//! Python objects that operations hold.

use std::cell::Cell;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::bridge::release;

thread_local! {
    static IN_RUNTIME: Cell<bool> = const { Cell::new(false) };
}

/// Marks this thread as one of the runtime's.
pub(crate) fn mark_thread() {
    IN_RUNTIME.set(true);
}

/// A Python object that an operation may take to the runtime. The runtime's threads touch no
/// reference count: there, dropping it hands it to the completer.
pub(crate) struct SendPy(Mutex<Option<Py<PyAny>>>);

impl SendPy {
    pub(crate) fn new(object: &Bound<'_, PyAny>) -> Self {
        Self(Mutex::new(Some(object.clone().unbind())))
    }

    /// The object, unless it was cleared.
    pub(crate) fn bind<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.object().as_ref().map(|object| object.bind(py).clone())
    }

    /// Shows the object to Python's garbage collector, on behalf of the only Python object through
    /// which it can be reached.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        // What another thread is just using is no garbage.
        match self.0.try_lock() {
            Ok(object) => visit.call(&*object),
            Err(_) => Ok(()),
        }
    }

    /// Lets go of the object, at the garbage collector's request.
    pub(crate) fn clear(&self) {
        // Dropping it runs code of its own, which must not find the lock taken.
        let object = self.object().take();
        drop(object);
    }

    fn object(&self) -> MutexGuard<'_, Option<Py<PyAny>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SendPy {
    fn drop(&mut self) {
        if IN_RUNTIME.get()
            && let Some(object) = self.object().take()
        {
            release(object);
        }
    }
}
