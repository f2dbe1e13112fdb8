//! The thread that uses event loops on behalf of the runtime: it runs host callbacks in them, cancels
//! tasks, and delivers results to loops that have no [queue](super::queue).

use std::sync::mpsc::Receiver;
use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::IntoPyDict as _;

use super::future::complete_future;
use crate::bridge::messages::{CallSite, CompleterMessage, Convert, HostCallback};
use crate::bridge::tickets::{Tickets, Waiter};
use crate::cells::intern;
use crate::forks;

/// Handles messages until it is told to stop, or until the interpreter is gone.
///
/// Attaching takes as long as another thread holds the interpreter. Messages that arrive meanwhile join
/// the batch, and each event loop is woken once for all its results.
pub(in super::super) fn run_completer(messages: &Receiver<CompleterMessage>, tickets: &Tickets) {
    while let Ok(first) = messages.recv() {
        let go_on = forks::attach(|py| {
            let mut batches = Vec::new();
            for message in std::iter::once(first).chain(messages.try_iter()) {
                match message {
                    CompleterMessage::Completed { ticket, convert } => {
                        if let Some(waiter) = tickets.take_waiter(py, ticket) {
                            add(&mut batches, waiter, convert);
                        }
                    }
                    CompleterMessage::HostCallback { ticket, callback } => {
                        if let Some(waiter) = tickets.waiter(py, ticket) {
                            run(py, waiter, callback);
                        }
                    }
                    CompleterMessage::Cancel { ticket } => {
                        if let Some(waiter) = tickets.take_waiter(py, ticket) {
                            cancel(py, waiter);
                        }
                    }
                    CompleterMessage::Release(object) => drop(object),
                    CompleterMessage::Stop => return false,
                }
            }
            for batch in batches {
                deliver(py, batch);
            }
            true
        });
        if go_on != Some(true) {
            return;
        }
    }
}

pub(super) fn make_types(py: Python<'_>) {
    py.get_type::<RunCallback>();
    py.get_type::<CompleteFutures>();
}

struct Batch {
    event_loop: Py<PyAny>,
    completions: Vec<(Py<PyAny>, Convert)>,
}

fn add(batches: &mut Vec<Batch>, waiter: Waiter, convert: Convert) {
    let completion = (waiter.future, convert);
    match batches
        .iter_mut()
        .find(|batch| batch.event_loop.is(&waiter.event_loop))
    {
        Some(batch) => batch.completions.push(completion),
        None => batches.push(Batch {
            event_loop: waiter.event_loop,
            completions: vec![completion],
        }),
    }
}

fn deliver(py: Python<'_>, batch: Batch) {
    let event_loop = batch.event_loop.into_bound(py);
    let complete = CompleteFutures(Mutex::new(batch.completions));
    let called = event_loop.call_method1(intern!(py, "call_soon_threadsafe"), (complete,));
    unless_closed(&event_loop, called);
}

/// Makes a loop run a host callback, in the context of the call.
fn run(py: Python<'_>, waiter: Waiter, callback: HostCallback) {
    let event_loop = waiter.event_loop.into_bound(py);
    let run = RunCallback {
        future: waiter.future,
        callback: Mutex::new(Some(callback)),
    };
    let keywords = [(intern!(py, "context"), waiter.context)].into_py_dict(py);
    let called = keywords.and_then(|keywords| {
        event_loop.call_method(intern!(py, "call_soon_threadsafe"), (run,), Some(&keywords))
    });
    unless_closed(&event_loop, called);
}

fn cancel(py: Python<'_>, waiter: Waiter) {
    let event_loop = waiter.event_loop.into_bound(py);
    let called = waiter
        .future
        .getattr(py, intern!(py, "cancel"))
        .and_then(|cancel| event_loop.call_method1(intern!(py, "call_soon_threadsafe"), (cancel,)));
    unless_closed(&event_loop, called);
}

fn unless_closed(event_loop: &Bound<'_, PyAny>, called: PyResult<Bound<'_, PyAny>>) {
    let py = event_loop.py();
    match called {
        Ok(_) => {}
        // The loop was closed with futures still pending: nobody waits for them.
        Err(error) if error.is_instance_of::<PyRuntimeError>(py) => {}
        Err(error) => error.write_unraisable(py, Some(event_loop)),
    }
}

/// Runs a host callback; called by the loop.
#[pyclass(frozen)]
struct RunCallback {
    future: Py<PyAny>,
    callback: Mutex<Option<HostCallback>>,
}

#[pymethods]
impl RunCallback {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        let callback = self.callback.lock();
        let callback = callback.unwrap_or_else(PoisonError::into_inner).take();
        // For a call that was cancelled, it would start a task that nobody waits for.
        let done = self.future.call_method0(py, intern!(py, "done"))?;
        match callback {
            Some(callback) if !done.is_truthy(py)? => callback(py, CallSite::EventLoop),
            _ => Ok(()),
        }
    }
}

/// Completes futures of one loop; called by the loop.
#[pyclass(frozen)]
struct CompleteFutures(Mutex<Vec<(Py<PyAny>, Convert)>>);

#[pymethods]
impl CompleteFutures {
    fn __call__(&self, py: Python<'_>) {
        let completions =
            std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for (future, convert) in completions {
            complete_future(&future.into_bound(py), convert);
        }
    }
}
