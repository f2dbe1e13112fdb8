//! Python objects that operations own.

use std::cell::OnceCell;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

type Release = Box<dyn Fn(Py<PyAny>)>;

thread_local! {
    /// In a thread of the runtime: makes another thread drop an object.
    static RELEASE: OnceCell<Release> = const { OnceCell::new() };
}

/// From now on, this thread never changes a reference count, and passes objects to `release`.
pub(crate) fn never_drop_here(release: impl Fn(Py<PyAny>) + 'static) {
    let _ = RELEASE.with(|cell| cell.set(Box::new(release)));
}

/// A Python object that an operation may take to the runtime.
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
        // An object that another thread is using is not garbage.
        match self.0.try_lock() {
            Ok(object) => visit.call(&*object),
            Err(_) => Ok(()),
        }
    }

    /// Drops the object, at the garbage collector's request.
    pub(crate) fn clear(&self) {
        // Dropping it runs code of the object, so the lock must not be held.
        let object = self.object().take();
        drop(object);
    }

    fn object(&self) -> MutexGuard<'_, Option<Py<PyAny>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SendPy {
    fn drop(&mut self) {
        // This fails in a thread that is ending. Threads of the runtime drop their operations
        // before that.
        let _ = RELEASE.try_with(|release| {
            if let Some(release) = release.get()
                && let Some(object) = self.object().take()
            {
                release(object);
            }
        });
    }
}
