//! A call whose caller awaits a future.

use futures_util::future::{AbortHandle, abortable};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::output::{Output, to_python};
use super::turn;
use crate::bridge::host_callback::{Caller, WaitingOperation, copy_context};
use crate::bridge::panics::CatchPanic;
use crate::bridge::runtime::Bridge;
use crate::cells::{self, intern};

/// Starts an operation that has to wait, and returns the future for its result.
pub(super) fn awaited<'py, T: Output>(
    py: Python<'py>,
    bridge: &'static Bridge,
    operation: CatchPanic<T>,
) -> PyResult<Bound<'py, PyAny>> {
    let event_loop = running_loop(py)?;
    let future = event_loop.call_method0(intern!(py, "create_future"))?;
    let context = copy_context(py)?;
    let completion = bridge.register(&event_loop, &future, &context);
    let ticket = completion.ticket;
    let caller = Caller::EventLoop {
        ticket,
        completer: completion.completer.clone(),
    };
    let (operation, abort) = abortable(WaitingOperation::new(operation, caller, &context));
    let task = async move {
        if let Ok((outcome, context)) = operation.await {
            completion.send(Box::new(move |py| {
                drop(context);
                to_python(py, outcome)
            }));
        }
    };
    turn::start(bridge, &event_loop, Box::pin(task))?;
    let on_done = AbortOnCancel {
        bridge,
        ticket,
        abort,
    };
    future.call_method1(intern!(py, "add_done_callback"), (on_done,))?;
    Ok(future)
}

/// The event loop that runs in this thread.
pub(crate) fn running_loop(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static RUNNING_LOOP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

    let running = cells::import(&RUNNING_LOOP, py, "asyncio", "get_running_loop")?;
    running.call0().map_err(|cause| {
        let error = PyRuntimeError::new_err(
            "no event loop of asyncio runs in this thread; elsewhere, as under trio, \
             use portier_client.blocking in a thread of its own",
        );
        error.set_cause(py, Some(cause));
        error
    })
}

pub(in super::super) fn make_types(py: Python<'_>) {
    py.get_type::<AbortOnCancel>();
    turn::make_types(py);
}

/// Aborts a call that was cancelled; called by the future when it is done.
#[pyclass(frozen)]
struct AbortOnCancel {
    bridge: &'static Bridge,
    ticket: u64,
    abort: AbortHandle,
}

#[pymethods]
impl AbortOnCancel {
    fn __call__(&self, future: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = future.py();
        if !future.call_method0(intern!(py, "cancelled"))?.is_truthy()? {
            return Ok(());
        }
        // In a child, the future and its loop are copies, and the task runs in the parent.
        if self.bridge.is_current() {
            drop(self.bridge.tickets().take_waiter(py, self.ticket));
            self.abort.abort();
        }
        Ok(())
    }
}
