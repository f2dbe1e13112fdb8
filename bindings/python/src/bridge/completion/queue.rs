//! Results for an event loop that watches a socket: no other thread takes part in their delivery.

use std::collections::VecDeque;
use std::mem;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::future::complete_future;
use super::wakeup_socket::WakeupSocket;
use crate::bridge::messages::{CompleterMessage, Convert};
use crate::bridge::tickets::Tickets;
use crate::cells::{self, intern};
use crate::process::Process;

/// How many futures are completed in one turn of the loop, so that it can do other work.
const MAX_PER_TURN: usize = 256;

/// The results for the futures of one event loop.
///
/// Only the loop owns it, through the callback of its reader, so the queue ends with the loop. Then
/// the completer gets the results that are left, and all later ones.
pub(in super::super) struct CompletionQueue {
    completions: Mutex<VecDeque<(u64, Convert)>>,
    wakeup: WakeupSocket,
    tickets: Arc<Tickets>,
    completer: Sender<CompleterMessage>,
    process: Process,
}

impl CompletionQueue {
    /// Makes a loop watch a new queue. Not every kind of loop can.
    pub(in super::super) fn open(
        event_loop: &Bound<'_, PyAny>,
        tickets: &Arc<Tickets>,
        completer: &Sender<CompleterMessage>,
    ) -> PyResult<Arc<Self>> {
        static CONTEXT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

        let py = event_loop.py();
        let wakeup = WakeupSocket::new()?;
        let descriptor = wakeup.descriptor();
        let queue = Arc::new(Self {
            completions: Mutex::default(),
            wakeup,
            tickets: Arc::clone(tickets),
            completer: completer.clone(),
            process: Process::current(),
        });
        let add_reader = event_loop.getattr(intern!(py, "add_reader"))?;
        // In a context of its own: otherwise the context of the first call would live as long as
        // the loop.
        let context = cells::import(&CONTEXT, py, "contextvars", "Context")?.call0()?;
        let drain = DrainCompletions(Arc::clone(&queue));
        context.call_method1(intern!(py, "run"), (add_reader, descriptor, drain))?;
        Ok(queue)
    }

    /// Adds a result, from any thread.
    pub(in super::super) fn push(&self, ticket: u64, convert: Convert) {
        let mut completions = self.completions();
        let is_first = completions.is_empty();
        completions.push_back((ticket, convert));
        drop(completions);
        if is_first {
            self.wakeup.wake();
        }
    }

    fn take_batch(&self) -> Vec<(u64, Convert)> {
        // Before anything is taken: a wake-up after this is seen in another turn.
        self.wakeup.drain();
        let mut completions = self.completions();
        let count = completions.len().min(MAX_PER_TURN);
        let batch = completions.drain(..count).collect();
        let is_all = completions.is_empty();
        drop(completions);
        if !is_all {
            self.wakeup.wake();
        }
        batch
    }

    fn completions(&self) -> MutexGuard<'_, VecDeque<(u64, Convert)>> {
        self.completions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn make_types(py: Python<'_>) {
    py.get_type::<DrainCompletions>();
}

impl Drop for CompletionQueue {
    fn drop(&mut self) {
        // In a child, the results are the parent's, and its lock may be held for ever by a thread that
        // was not copied.
        if self.process != Process::current() {
            mem::forget(mem::take(&mut self.completions));
            return;
        }
        for (ticket, convert) in self.completions().drain(..) {
            let _ = self
                .completer
                .send(CompleterMessage::Completed { ticket, convert });
        }
    }
}

/// Completes the futures whose results are available; called by the loop.
#[pyclass(frozen)]
struct DrainCompletions(Arc<CompletionQueue>);

#[pymethods]
impl DrainCompletions {
    fn __call__(&self, py: Python<'_>) {
        let queue = &self.0;
        // A child shares the socket: the parent has to see its wake-up.
        if queue.process != Process::current() {
            return;
        }
        for (ticket, convert) in queue.take_batch() {
            if let Some(waiter) = queue.tickets.take_waiter(py, ticket) {
                complete_future(&waiter.future.into_bound(py), convert);
            }
        }
    }
}
