//! Numbers that stand for the `asyncio` futures and tasks that are pending.
//!
//! The runtime's threads do not touch Python, so they hold a ticket. A thread that is attached to
//! the interpreter takes the future of a ticket, at most once.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;

/// The pending futures and tasks of a process. A forked child must not use those of its parent.
#[derive(Default)]
pub(super) struct Tickets {
    pending: Mutex<Pending>,
}

#[derive(Default)]
struct Pending {
    last_ticket: u64,
    waiters: HashMap<u64, Waiter>,
}

/// A pending future or task, its event loop, and the context variables of the code that awaits it.
pub(super) struct Waiter {
    pub(super) event_loop: Py<PyAny>,
    pub(super) future: Py<PyAny>,
    pub(super) context: Py<PyAny>,
}

impl Tickets {
    pub(super) fn issue(
        &self,
        event_loop: &Bound<'_, PyAny>,
        future: &Bound<'_, PyAny>,
        context: &Bound<'_, PyAny>,
    ) -> u64 {
        let waiter = Waiter {
            event_loop: event_loop.clone().unbind(),
            future: future.clone().unbind(),
            context: context.clone().unbind(),
        };
        let mut pending = self.pending();
        pending.last_ticket += 1;
        let ticket = pending.last_ticket;
        pending.waiters.insert(ticket, waiter);
        ticket
    }

    /// Whether a single future or task is pending.
    pub(super) fn is_single(&self) -> bool {
        self.pending().waiters.len() == 1
    }

    /// Takes the future of a ticket, unless it was taken before: then it is done or cancelled.
    pub(super) fn take_waiter(&self, _attached: Python<'_>, ticket: u64) -> Option<Waiter> {
        self.pending().waiters.remove(&ticket)
    }

    /// A future or task that is pending.
    pub(super) fn waiter(&self, py: Python<'_>, ticket: u64) -> Option<Waiter> {
        let pending = self.pending();
        let waiter = pending.waiters.get(&ticket)?;
        Some(Waiter {
            event_loop: waiter.event_loop.clone_ref(py),
            future: waiter.future.clone_ref(py),
            context: waiter.context.clone_ref(py),
        })
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
