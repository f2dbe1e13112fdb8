//! How answers get into an event loop: over a socket it watches, without a thread in between.

use std::collections::VecDeque;
use std::mem;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::bell::Bell;
use super::completer::{Convert, Event, settle};
use super::runtime::claim;
use crate::cells::{self, intern};
use crate::process::Process;

/// How many futures are settled in one turn of the loop, which has others to serve.
const BATCH: usize = 256;

/// The answers for the futures of one event loop.
///
/// The loop holds it by what it calls, and nobody else does for long. So it ends with the loop; then
/// the completer gets what nobody took, and whatever comes later.
pub(super) struct Inbox {
    answers: Mutex<VecDeque<(u64, Convert)>>,
    bell: Bell,
    completer: Sender<Event>,
    process: Process,
}

impl Inbox {
    /// Has a loop look after a new inbox. Not every kind of loop can.
    pub(super) fn open(
        event_loop: &Bound<'_, PyAny>,
        completer: &Sender<Event>,
    ) -> PyResult<Arc<Self>> {
        static CONTEXT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

        let py = event_loop.py();
        let bell = Bell::new()?;
        let descriptor = bell.descriptor();
        let inbox = Arc::new(Self {
            answers: Mutex::default(),
            bell,
            completer: completer.clone(),
            process: Process::current(),
        });
        let add_reader = event_loop.getattr(intern!(py, "add_reader"))?;
        // In a context of its own, or that of the first call would stay as long as the loop.
        let context = cells::import(&CONTEXT, py, "contextvars", "Context")?.call0()?;
        let look = Look(Arc::clone(&inbox));
        context.call_method1(intern!(py, "run"), (add_reader, descriptor, look))?;
        Ok(inbox)
    }

    /// Puts an answer in, from any thread.
    pub(super) fn put(&self, ticket: u64, convert: Convert) {
        let mut answers = self.answers();
        let is_first = answers.is_empty();
        answers.push_back((ticket, convert));
        drop(answers);
        if is_first {
            self.bell.ring();
        }
    }

    fn take(&self) -> Vec<(u64, Convert)> {
        // Before anything is taken: what rings from here on is heard again.
        self.bell.quieten();
        let mut answers = self.answers();
        let count = answers.len().min(BATCH);
        let batch = answers.drain(..count).collect();
        let is_all = answers.is_empty();
        drop(answers);
        if !is_all {
            self.bell.ring();
        }
        batch
    }

    fn answers(&self) -> MutexGuard<'_, VecDeque<(u64, Convert)>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn make_types(py: Python<'_>) {
    py.get_type::<Look>();
}

impl Drop for Inbox {
    fn drop(&mut self) {
        // In a child, the answers are the parent's, and a thread of it may hold them for ever.
        if self.process != Process::current() {
            mem::forget(mem::take(&mut self.answers));
            return;
        }
        for (ticket, convert) in self.answers().drain(..) {
            let _ = self.completer.send(Event::Finished { ticket, convert });
        }
    }
}

/// Settles the futures that have their answers; called by the loop.
#[pyclass(frozen)]
struct Look(Arc<Inbox>);

#[pymethods]
impl Look {
    fn __call__(&self, py: Python<'_>) {
        for (ticket, convert) in self.0.take() {
            let Some(waiter) = claim(py, ticket) else {
                continue;
            };
            let future = waiter.future.into_bound(py);
            if let Err(error) = settle(&future, convert) {
                // The others are waiting as well.
                error.write_unraisable(py, Some(&future));
            }
        }
    }
}
