//! The one thread that asks things of Python's event loops on behalf of the runtime. It brings them their
//! answers, too, if a loop has no [queue](super::completion_queue).

use std::sync::mpsc::Receiver;
use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::IntoPyDict as _;

use super::host_callback::{CallSite, HostCallback};
use super::runtime::{Waiter, loop_and_context, take_waiter};
use crate::cells::intern;
use crate::forks;

/// Makes the answer a Python object, or the exception to raise.
pub(super) type Convert =
    Box<dyn for<'py> FnOnce(Python<'py>) -> PyResult<Bound<'py, PyAny>> + Send>;

pub(super) enum CompleterMessage {
    /// The answer for a future.
    Completed {
        ticket: u64,
        convert: Convert,
    },
    /// Something to run in the loop of a future.
    HostCallback {
        ticket: u64,
        callback: HostCallback,
    },
    /// A future, or a task, that is to be cancelled.
    Cancel {
        ticket: u64,
    },
    /// An object to drop.
    Release(Py<PyAny>),
    Stop,
}

/// Hands on answers until it is told to stop, or until Python is gone.
///
/// Attaching may take as long as another thread holds the interpreter. What finishes meanwhile
/// joins the batch, and each event loop is woken once for all that is its own.
pub(super) fn complete(events: &Receiver<CompleterMessage>) {
    while let Ok(first) = events.recv() {
        let go_on = forks::attach(|py| {
            let mut batches = Vec::new();
            for event in std::iter::once(first).chain(events.try_iter()) {
                match event {
                    CompleterMessage::Completed { ticket, convert } => {
                        add(py, &mut batches, ticket, convert);
                    }
                    CompleterMessage::HostCallback { ticket, callback } => {
                        run(py, ticket, callback)
                    }
                    CompleterMessage::Cancel { ticket } => cancel(py, ticket),
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
    answers: Vec<(Py<PyAny>, Convert)>,
}

fn add(py: Python<'_>, batches: &mut Vec<Batch>, ticket: u64, convert: Convert) {
    let Some(Waiter {
        event_loop, future, ..
    }) = take_waiter(py, ticket)
    else {
        return;
    };
    let answer = (future, convert);
    match batches
        .iter_mut()
        .find(|batch| batch.event_loop.is(&event_loop))
    {
        Some(batch) => batch.answers.push(answer),
        None => batches.push(Batch {
            event_loop,
            answers: vec![answer],
        }),
    }
}

fn deliver(py: Python<'_>, batch: Batch) {
    let event_loop = batch.event_loop.into_bound(py);
    let settle = CompleteFutures(Mutex::new(batch.answers));
    let called = event_loop.call_method1(intern!(py, "call_soon_threadsafe"), (settle,));
    unless_closed(&event_loop, called);
}

/// Has a loop run a callback, in the context of the call.
fn run(py: Python<'_>, ticket: u64, callback: HostCallback) {
    let Some((event_loop, context)) = loop_and_context(py, ticket) else {
        return;
    };
    let called = call_in(
        &event_loop,
        RunCallback(Mutex::new(Some(callback))),
        &context,
    );
    unless_closed(&event_loop, called);
}

fn call_in<'py>(
    event_loop: &Bound<'py, PyAny>,
    run: RunCallback,
    context: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = event_loop.py();
    let keywords = [(intern!(py, "context"), context)].into_py_dict(py)?;
    event_loop.call_method(intern!(py, "call_soon_threadsafe"), (run,), Some(&keywords))
}

fn cancel(py: Python<'_>, ticket: u64) {
    let Some(waiter) = take_waiter(py, ticket) else {
        return;
    };
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

/// Runs a callback; called by the loop.
#[pyclass(frozen)]
struct RunCallback(Mutex<Option<HostCallback>>);

#[pymethods]
impl RunCallback {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        let callback = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        callback.map_or(Ok(()), |callback| callback(py, CallSite::EventLoop))
    }
}

/// Settles the futures of one loop; called by the loop.
#[pyclass(frozen)]
struct CompleteFutures(Mutex<Vec<(Py<PyAny>, Convert)>>);

#[pymethods]
impl CompleteFutures {
    fn __call__(&self, py: Python<'_>) {
        let answers = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for (future, convert) in answers {
            let future = future.into_bound(py);
            if let Err(error) = complete_future(&future, convert) {
                // The others are waiting as well.
                error.write_unraisable(py, Some(&future));
            }
        }
    }
}

pub(super) fn complete_future(future: &Bound<'_, PyAny>, convert: Convert) -> PyResult<()> {
    let py = future.py();
    if future.call_method0(intern!(py, "done"))?.is_truthy()? {
        return Ok(());
    }
    match convert(py) {
        Ok(answer) => future.call_method1(intern!(py, "set_result"), (answer,))?,
        Err(error) => future.call_method1(intern!(py, "set_exception"), (error.into_value(py),))?,
    };
    Ok(())
}
