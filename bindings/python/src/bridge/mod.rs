//! How an operation of the core becomes something Python can wait for.
//!
//! An operation is one future. It is polled once where it is called, and is nearly always ready
//! then: the answer goes straight back, without a task, a thread or a wake-up. Only what is still
//! pending moves to the runtime.
//!
//! An operation that needs Python, because its store is written in it, sends its caller for a
//! host callback. Callbacks run between two polls, never inside of one.

mod attach_gate;
mod completer;
mod completion_queue;
mod events;
mod host_callback;
mod panics;
mod runtime;
mod signals;
mod wakeup_socket;

use std::future::Future;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use portier_client::Result;
use pyo3::IntoPyObjectExt as _;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use tokio::task::AbortHandle;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber as _;

use self::attach_gate::AttachGate;
pub(crate) use self::attach_gate::without_gil;
use self::completer::Convert;
pub(crate) use self::host_callback::{CallSite, HostCallback, request_callback};
use self::host_callback::{Caller, SpawnedOperation};
use self::panics::CatchPanic;
pub(crate) use self::panics::catch_panic;
use self::runtime::Bridge;
pub(crate) use self::runtime::{CancelHandle, release, shutdown};
use crate::cells::{self, intern};
use crate::errors;
use crate::process::Process;

/// How often a blocking call lets Python look for signals.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(50);

/// Waits until the handlers have returned from every event that happened in the background. Returns
/// `false` if they have not within `limit`, and in a handler, which cannot wait for itself.
pub(crate) fn flush_events(py: Python<'_>, limit: Duration) -> PyResult<bool> {
    if events::is_logging() {
        return Ok(false);
    }
    without_gil(py, || Ok(runtime::flush_events(limit)))
}

/// Makes the types that the event loop calls before anybody needs them: another thread may fork while
/// one is being made.
pub(crate) fn make_types(py: Python<'_>) {
    py.get_type::<AbortOnCancel>();
    completer::make_types(py);
    completion_queue::make_types(py);
}

/// What an operation can return.
pub(crate) trait Output: for<'py> IntoPyObject<'py> + Send + 'static {}

impl<T: for<'py> IntoPyObject<'py> + Send + 'static> Output for T {}

/// The answer of an operation that has nothing to say.
///
/// `()` would reach Python as an empty tuple.
#[derive(IntoPyObject)]
#[pyo3(transparent)]
pub(crate) struct PyNone(pub(crate) Option<bool>);

/// One call from Python.
#[derive(Clone, Copy)]
pub(crate) struct Call<'py> {
    pub(crate) py: Python<'py>,
    /// Asked for once, because it is a system call.
    pub(crate) process: Process,
    /// Whether the thread waits for an operation that is not ready at once; else the call returns
    /// an `asyncio` future.
    blocking: bool,
}

impl<'py> Call<'py> {
    pub(crate) fn new(py: Python<'py>, blocking: bool) -> Self {
        Self {
            py,
            process: Process::current(),
            blocking,
        }
    }

    /// Runs an operation: returns its answer if it is ready at once, else what there is to wait
    /// for.
    pub(crate) fn run<T: Output>(
        self,
        operation: impl Future<Output = Result<T>> + Send + 'static,
    ) -> PyResult<Bound<'py, PyAny>> {
        let bridge = Bridge::of(self.py, self.process)?;
        events::update_level(self.py)?;
        let mut operation = if events::is_logging() {
            CatchPanic::new(operation.with_subscriber(Dispatch::none()))
        } else {
            CatchPanic::new(operation)
        };
        loop {
            let polled = events::logged(self.py, || {
                let _entered = bridge.enter();
                operation.poll_once(&mut Context::from_waker(Waker::noop()))
            })?;
            if let Poll::Ready(outcome) = polled {
                return to_python(self.py, outcome);
            }
            match host_callback::take_callback() {
                Some(callback) => callback(self.py, self.site())?,
                None if self.blocking => return block(self.py, bridge, operation),
                None => return awaitable(self.py, bridge, operation),
            }
        }
    }

    fn site(self) -> CallSite {
        if self.blocking {
            CallSite::Thread
        } else {
            CallSite::EventLoop
        }
    }
}

fn to_python<T: Output>(py: Python<'_>, outcome: Result<T>) -> PyResult<Bound<'_, PyAny>> {
    match outcome {
        Ok(answer) => answer.into_bound_py_any(py),
        Err(error) => Err(errors::to_python(py, &error)),
    }
}

fn awaitable<'py, T: Output>(
    py: Python<'py>,
    bridge: &'static Bridge,
    operation: CatchPanic<T>,
) -> PyResult<Bound<'py, PyAny>> {
    let event_loop = running_loop(py)?;
    let future = event_loop.call_method0(intern!(py, "create_future"))?;
    let completion = bridge.register(&event_loop, &future)?;
    let ticket = completion.ticket();
    let operation = SpawnedOperation::new(py, operation, completion.caller())?;
    let task = bridge.spawn(async move {
        let outcome = operation.await;
        completion.send(move |py| to_python(py, outcome));
    });
    let on_done = AbortOnCancel {
        bridge,
        ticket,
        task: task.abort_handle(),
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

/// What comes in for a thread that blocks.
enum BlockingMessage {
    Completed(Convert),
    HostCallback(HostCallback),
}

fn block<'py, T: Output>(
    py: Python<'py>,
    bridge: &'static Bridge,
    operation: CatchPanic<T>,
) -> PyResult<Bound<'py, PyAny>> {
    let gate = AttachGate::of(py, Process::current());
    if gate.is_closed() {
        return Err(shutting_down());
    }
    let (sender, mut messages) = mpsc::channel();
    let operation = SpawnedOperation::new(py, operation, Caller::Thread(sender.clone()))?;
    let task = bridge.spawn(async move {
        let outcome = operation.await;
        // Nobody listens any more when a signal ended the call.
        let _ = sender.send(BlockingMessage::Completed(Box::new(move |py| {
            to_python(py, outcome)
        })));
    });
    loop {
        let (message, back);
        (message, back, messages) = py.detach(move || {
            let message = messages.recv_timeout(SIGNAL_INTERVAL);
            (message, gate.enter(), messages)
        });
        match message {
            Ok(BlockingMessage::Completed(convert)) => return convert(py),
            Ok(BlockingMessage::HostCallback(callback)) => {
                // What a program has written may take its time, and nobody waits for it.
                drop(back);
                callback(py, CallSite::Thread).inspect_err(|_| task.abort())?;
            }
            Err(RecvTimeoutError::Timeout) => {
                drop(back);
                py.check_signals().inspect_err(|_| task.abort())?;
            }
            Err(RecvTimeoutError::Disconnected) => return Err(shutting_down()),
        }
    }
}

fn shutting_down() -> PyErr {
    PyRuntimeError::new_err("the interpreter is shutting down")
}

/// Stops the work when nobody waits for it any more; called by the future when it is done.
#[pyclass(frozen)]
struct AbortOnCancel {
    bridge: &'static Bridge,
    ticket: u64,
    task: AbortHandle,
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
            self.bridge.forget(py, self.ticket);
            self.task.abort();
        }
        Ok(())
    }
}
