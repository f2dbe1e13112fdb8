//! How an operation makes its caller run something in Python.
//!
//! The runtime's threads do not touch Python. A host callback runs in the thread, or in the event
//! loop, that the operation was called from.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::task::{Context, Poll};

use portier_client::{Code, Error, Result};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::messages::{BlockingMessage, CompleterMessage, HostCallback};
use crate::cells;
use crate::send_py::SendPy;

/// The caller of an operation that has moved to the runtime.
pub(super) enum Caller {
    /// A coroutine, by the ticket of the future that it awaits.
    EventLoop {
        ticket: u64,
        completer: Sender<CompleterMessage>,
    },
    /// A thread that blocks, and receives this.
    Thread(Sender<BlockingMessage>),
}

thread_local! {
    /// The caller of the operation that this thread is polling; `None` if this thread is the caller.
    static CALLER: RefCell<Option<Caller>> = const { RefCell::new(None) };
    /// The `contextvars` context of that caller.
    static CONTEXT: RefCell<Option<Arc<SendPy>>> = const { RefCell::new(None) };
    /// The request of the operation that this thread has just polled.
    static REQUESTED: Cell<Option<HostCallback>> = const { Cell::new(None) };
}

/// Makes the caller of the current operation run a host callback.
pub(crate) fn request_callback(callback: HostCallback) -> Result<()> {
    CALLER.with_borrow(|caller| {
        let sent = match caller {
            None => {
                REQUESTED.set(Some(callback));
                true
            }
            Some(Caller::EventLoop { ticket, completer }) => {
                let ticket = *ticket;
                let message = CompleterMessage::HostCallback { ticket, callback };
                completer.send(message).is_ok()
            }
            Some(Caller::Thread(messages)) => messages
                .send(BlockingMessage::HostCallback(callback))
                .is_ok(),
        };
        let gone = || Error::new(Code::StoreFailed, "the caller is gone");
        sent.then_some(()).ok_or_else(gone)
    })
}

/// A copy of the `contextvars` context of the code that calls.
pub(super) fn copy_context(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static COPY_CONTEXT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

    cells::import(&COPY_CONTEXT, py, "contextvars", "copy_context")?.call0()
}

/// The callback that the operation requests which was just polled in this thread.
pub(super) fn take_requested() -> Option<HostCallback> {
    REQUESTED.take()
}

/// The context of the caller whose operation this thread is polling.
pub(super) fn context() -> Option<Arc<SendPy>> {
    CONTEXT.with_borrow(Clone::clone)
}

/// An operation that waits, and is polled by threads of the runtime.
pub(super) struct WaitingOperation<F> {
    operation: F,
    /// Lent to the thread while it polls, as is the context.
    caller: Option<Caller>,
    context: Option<Arc<SendPy>>,
}

impl<F> WaitingOperation<F> {
    pub(super) fn new(operation: F, caller: Caller, context: &Bound<'_, PyAny>) -> Self {
        Self {
            operation,
            caller: Some(caller),
            context: Some(Arc::new(SendPy::new(context))),
        }
    }
}

impl<F: Future + Unpin> Future for WaitingOperation<F> {
    /// The context comes with the outcome, so that a thread drops it that may use Python.
    type Output = (F::Output, Option<Arc<SendPy>>);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        CALLER.set(self.caller.take());
        CONTEXT.set(self.context.take());
        // The operation catches its panics, so the caller always comes back.
        let polled = Pin::new(&mut self.operation).poll(context);
        self.caller = CALLER.take();
        self.context = CONTEXT.take();
        polled.map(|outcome| (outcome, self.context.take()))
    }
}
