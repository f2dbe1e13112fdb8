//! One call of a method of a store in Python.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use portier_client::{Code, Error, Result};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::IntoPyDict as _;
use tokio::sync::oneshot;

use super::reading::{Read, cannot_wait, discard, from_exception, is_awaitable};
use crate::bridge::{self, CallSite, CancelHandle};
use crate::cells::{self, intern};
use crate::send_py::SendPy;

/// A method with its arguments.
pub(super) enum Method {
    Put {
        nonce: String,
        record: String,
        ttl: Duration,
    },
    Take {
        nonce: String,
    },
    Contains {
        nonce: String,
    },
    ConsumeNonce {
        nonce: String,
        email: String,
    },
}

impl Method {
    fn name(&self) -> &'static str {
        match self {
            Self::Put { .. } => "put",
            Self::Take { .. } => "take",
            Self::Contains { .. } => "contains",
            Self::ConsumeNonce { .. } => "consume_nonce",
        }
    }

    fn call<'py>(self, store: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = store.py();
        match self {
            Self::Put { nonce, record, ttl } => {
                let arguments = (nonce, record, ttl.as_secs_f64());
                store.call_method1(intern!(py, "put"), arguments)
            }
            Self::Take { nonce } => store.call_method1(intern!(py, "take"), (nonce,)),
            Self::Contains { nonce } => store.call_method1(intern!(py, "contains"), (nonce,)),
            Self::ConsumeNonce { nonce, email } => {
                store.call_method1(intern!(py, "consume_nonce"), (nonce, email))
            }
        }
    }
}

/// Makes the caller of the operation call the method, and waits for its result.
///
/// Dropping the future cancels a method that has not returned.
pub(super) async fn call<T: Send + 'static>(
    store: Arc<SendPy>,
    method: Method,
    read: Read<T>,
) -> Result<T> {
    let name = method.name();
    let (sender, receiver) = oneshot::channel();
    let task = Arc::new(OnceLock::new());
    let reply = ReplySender {
        sender,
        method: name,
        read,
    };
    let outcome = ReplyFuture {
        receiver,
        task: Arc::clone(&task),
        is_done: false,
    };
    bridge::request_callback(Box::new(move |py, site| {
        // The call was cancelled before it has begun.
        if reply.sender.is_closed() {
            return Ok(());
        }
        let Some(store) = store.bind(py) else {
            return Ok(());
        };
        match method.call(&store) {
            Ok(returned) if is_awaitable(&returned) => reply.await_result(&returned, site, &task),
            returned => reply.complete(py, returned),
        }
    }))?;
    outcome.await.unwrap_or_else(|| {
        Err(Error::new(
            Code::StoreFailed,
            format_args!("the event loop ended before the store answered method={name}"),
        ))
    })
}

/// Sends the outcome of the method to the operation.
struct ReplySender<T> {
    sender: oneshot::Sender<Result<T>>,
    method: &'static str,
    read: Read<T>,
}

impl<T: Send + 'static> ReplySender<T> {
    /// Sends the result or the exception. Raises an exception again that ends more than this call.
    fn complete(self, py: Python<'_>, returned: PyResult<Bound<'_, PyAny>>) -> PyResult<()> {
        let (outcome, end) = match returned {
            Ok(returned) => ((self.read)(self.method, &returned), None),
            Err(exception) => {
                let (error, end) = from_exception(py, self.method, exception);
                (Err(error), end)
            }
        };
        let _ = self.sender.send(outcome);
        end.map_or(Ok(()), Err)
    }

    /// Makes the event loop await the result.
    fn await_result(
        self,
        returned: &Bound<'_, PyAny>,
        site: CallSite,
        task: &Arc<OnceLock<CancelHandle>>,
    ) -> PyResult<()> {
        let py = returned.py();
        if site == CallSite::Thread {
            let refused = Err(cannot_wait(self.method, returned));
            let _ = self.sender.send(refused);
            return Ok(());
        }
        match start(returned) {
            Ok(Started::Done(outcome)) => self.complete(py, outcome),
            Ok(Started::Pending(pending, handle)) => {
                let handle = task.get_or_init(|| handle);
                if self.sender.is_closed() {
                    handle.cancel();
                }
                let task = Arc::clone(task);
                let complete: OnOutcome = Box::new(move |done| {
                    if let Some(handle) = task.get() {
                        handle.forget(done.py());
                    }
                    // An exception that ends the program has stopped the loop already.
                    let _ =
                        self.complete(done.py(), done.call_method0(intern!(done.py(), "result")));
                });
                let on_done = OnDone(Mutex::new(Some(complete)));
                pending.call_method1(intern!(py, "add_done_callback"), (on_done,))?;
                Ok(())
            }
            Err(exception) => self.complete(py, Err(exception)),
        }
    }
}

/// An awaitable in the event loop.
enum Started<'py> {
    Pending(Bound<'py, PyAny>, CancelHandle),
    Done(PyResult<Bound<'py, PyAny>>),
}

fn start<'py>(returned: &Bound<'py, PyAny>) -> PyResult<Started<'py>> {
    static ENSURE_FUTURE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

    let py = returned.py();
    let event_loop = bridge::running_loop(py).inspect_err(|_| discard(returned))?;
    let keywords = [(intern!(py, "loop"), &event_loop)].into_py_dict(py)?;
    let task = cells::import(&ENSURE_FUTURE, py, "asyncio", "ensure_future")?
        .call((returned,), Some(&keywords))?;
    // An eager task may be done already.
    if task.call_method0(intern!(py, "done"))?.is_truthy()? {
        return Ok(Started::Done(task.call_method0(intern!(py, "result"))));
    }
    let handle = CancelHandle::new(&event_loop, &task)?;
    Ok(Started::Pending(task, handle))
}

pub(super) fn make_types(py: Python<'_>) {
    py.get_type::<OnDone>();
}

/// Waits for the outcome; `None` if its sender was dropped.
struct ReplyFuture<T> {
    receiver: oneshot::Receiver<Result<T>>,
    /// The task of the event loop, if there is one.
    task: Arc<OnceLock<CancelHandle>>,
    is_done: bool,
}

impl<T> Future for ReplyFuture<T> {
    type Output = Option<Result<T>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = Pin::new(&mut self.receiver).poll(context);
        self.is_done = polled.is_ready();
        polled.map(Result::ok)
    }
}

impl<T> Drop for ReplyFuture<T> {
    fn drop(&mut self) {
        if self.is_done {
            return;
        }
        // Closed before the task is read: a callback that makes a task later finds it closed, and
        // cancels the task itself.
        self.receiver.close();
        if let Some(task) = self.task.get() {
            task.cancel();
        }
    }
}

type OnOutcome = Box<dyn FnOnce(&Bound<'_, PyAny>) + Send>;

/// Sends the outcome of a method that was awaited; called by the loop.
#[pyclass(frozen)]
struct OnDone(Mutex<Option<OnOutcome>>);

#[pymethods]
impl OnDone {
    fn __call__(&self, done: &Bound<'_, PyAny>) {
        let complete = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(complete) = complete {
            complete(done);
        }
    }
}
