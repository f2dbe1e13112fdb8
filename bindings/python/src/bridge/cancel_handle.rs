//! Cancelling a task of an event loop from any thread.

use pyo3::prelude::*;

use super::attach_gate::shutting_down;
use super::host_callback::copy_context;
use super::messages::CompleterMessage;
use super::runtime::Bridge;

/// A task of an event loop that works for an operation, as long as it is pending.
pub(crate) struct CancelHandle {
    bridge: &'static Bridge,
    ticket: u64,
}

impl CancelHandle {
    pub(crate) fn new(event_loop: &Bound<'_, PyAny>, task: &Bound<'_, PyAny>) -> PyResult<Self> {
        let bridge = Bridge::current().ok_or_else(shutting_down)?;
        let ticket = bridge
            .tickets()
            .issue(event_loop, task, &copy_context(event_loop.py())?);
        Ok(Self { bridge, ticket })
    }

    /// Makes the loop cancel the task, unless it was forgotten.
    pub(crate) fn cancel(&self) {
        // In a child, the task and its loop are copies, and the operation is the parent's.
        if self.bridge.is_current() {
            let ticket = self.ticket;
            self.bridge.send(CompleterMessage::Cancel { ticket });
        }
    }

    /// Forgets a task that is done.
    pub(crate) fn forget(&self, attached: Python<'_>) {
        if self.bridge.is_current() {
            drop(self.bridge.tickets().take_waiter(attached, self.ticket));
        }
    }
}
