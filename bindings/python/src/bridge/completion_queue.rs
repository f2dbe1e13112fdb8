//! How answers get into an event loop: over a socket it watches, without a thread in between.

use std::collections::VecDeque;
use std::mem;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::completer::{CompleterMessage, Convert, complete_future};
use super::runtime::take_waiter;
use super::wakeup_socket::WakeupSocket;
use crate::cells::{self, intern};
use crate::process::Process;

/// How many futures are settled in one turn of the loop, which has others to serve.
const MAX_PER_TURN: usize = 256;

/// The answers for the futures of one event loop.
///
/// The loop holds it by what it calls, and nobody else does for long. So it ends with the loop; then
/// the completer gets what nobody took, and whatever comes later.
pub(super) struct CompletionQueue {
    answers: Mutex<VecDeque<(u64, Convert)>>,
    wakeup: WakeupSocket,
    completer: Sender<CompleterMessage>,
    process: Process,
}

impl CompletionQueue {
    /// Has a loop look after a new queue. Not every kind of loop can.
    pub(super) fn open(
        event_loop: &Bound<'_, PyAny>,
        completer: &Sender<CompleterMessage>,
    ) -> PyResult<Arc<Self>> {
        static CONTEXT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

        let py = event_loop.py();
        let wakeup = WakeupSocket::new()?;
        let descriptor = wakeup.descriptor();
        let queue = Arc::new(Self {
            answers: Mutex::default(),
            wakeup,
            completer: completer.clone(),
            process: Process::current(),
        });
        let add_reader = event_loop.getattr(intern!(py, "add_reader"))?;
        // In a context of its own, or that of the first call would stay as long as the loop.
        let context = cells::import(&CONTEXT, py, "contextvars", "Context")?.call0()?;
        let look = DrainCompletions(Arc::clone(&queue));
        context.call_method1(intern!(py, "run"), (add_reader, descriptor, look))?;
        Ok(queue)
    }

    /// Puts an answer in, from any thread.
    pub(super) fn push(&self, ticket: u64, convert: Convert) {
        let mut answers = self.answers();
        let is_first = answers.is_empty();
        answers.push_back((ticket, convert));
        drop(answers);
        if is_first {
            self.wakeup.wake();
        }
    }

    fn take_batch(&self) -> Vec<(u64, Convert)> {
        // Before anything is taken: what rings from here on is heard again.
        self.wakeup.drain();
        let mut answers = self.answers();
        let count = answers.len().min(MAX_PER_TURN);
        let batch = answers.drain(..count).collect();
        let is_all = answers.is_empty();
        drop(answers);
        if !is_all {
            self.wakeup.wake();
        }
        batch
    }

    fn answers(&self) -> MutexGuard<'_, VecDeque<(u64, Convert)>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn make_types(py: Python<'_>) {
    py.get_type::<DrainCompletions>();
}

impl Drop for CompletionQueue {
    fn drop(&mut self) {
        // In a child, the answers are the parent's, and a thread of it may hold them for ever.
        if self.process != Process::current() {
            mem::forget(mem::take(&mut self.answers));
            return;
        }
        for (ticket, convert) in self.answers().drain(..) {
            let _ = self
                .completer
                .send(CompleterMessage::Completed { ticket, convert });
        }
    }
}

/// Settles the futures that have their answers; called by the loop.
#[pyclass(frozen)]
struct DrainCompletions(Arc<CompletionQueue>);

#[pymethods]
impl DrainCompletions {
    fn __call__(&self, py: Python<'_>) {
        for (ticket, convert) in self.0.take_batch() {
            let Some(waiter) = take_waiter(py, ticket) else {
                continue;
            };
            let future = waiter.future.into_bound(py);
            if let Err(error) = complete_future(&future, convert) {
                // The others are waiting as well.
                error.write_unraisable(py, Some(&future));
            }
        }
    }
}
