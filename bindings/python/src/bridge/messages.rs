//! What other threads send to a thread that may use Python.

use pyo3::prelude::*;

/// Makes a result a Python object, or the exception to raise.
pub(super) type Convert =
    Box<dyn for<'py> FnOnce(Python<'py>) -> PyResult<Bound<'py, PyAny>> + Send>;

/// Work of an operation that must run in Python. It is dropped if its caller is gone.
///
/// An error that it returns does not go to the operation, but ends the call at once: it is an
/// exception such as `KeyboardInterrupt`, which ends the program.
pub(crate) type HostCallback = Box<dyn FnOnce(Python<'_>, CallSite) -> PyResult<()> + Send>;

/// Where a host callback runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallSite {
    /// In the event loop of a caller that awaits, between two steps of its tasks.
    EventLoop,
    /// In the thread of a caller that blocks.
    Thread,
}

/// For the completer thread.
pub(super) enum CompleterMessage {
    /// The result for a future.
    Completed { ticket: u64, convert: Convert },
    /// Something to run in the event loop of a future.
    HostCallback { ticket: u64, callback: HostCallback },
    /// A future, or a task, to cancel.
    Cancel { ticket: u64 },
    /// An object to drop.
    Release(Py<PyAny>),
    /// The last message.
    Stop,
}

/// For a thread that blocks in a call.
pub(super) enum BlockingMessage {
    Completed(Convert),
    HostCallback(HostCallback),
}
