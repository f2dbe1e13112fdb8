//! The runtime of a process, and who waits for what runs there.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use portier_client::{Code, Error};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use tokio::runtime::{Builder, EnterGuard, Handle, Runtime};
use tokio::task::JoinHandle;

use super::attach_gate::AttachGate;
use super::completer::{CompleterMessage, complete};
use super::completion_queue::CompletionQueue;
use super::events::{LogQueue, QueuedEvent};
use super::host_callback::Caller;
use super::panics::catch_panic;
use super::{shutting_down, signals};
use crate::cells;
use crate::errors;
use crate::process::{PerProcess, Process};
use crate::send_py;

/// It never blocks. With two, each call would wake both, one of them for nothing.
const WORKERS: usize = 1;

/// Name look-ups of the operating system block a thread each.
const MAX_BLOCKING_THREADS: usize = 16;

/// How long a shutdown waits for the completer, and then for the runtime. Before both it waits for the
/// thread that logs, which has limits of its own.
const SHUTDOWN_LIMIT: Duration = Duration::from_millis(50);

const NO_THREADS: &str = "the system gives the process no threads";

static BRIDGE: PerProcess<Bridge> = PerProcess::new();

/// The runtime, how its answers get to Python, and the futures these are for.
///
/// Tasks touch no Python object: whatever happens to a task, and in whichever thread, no reference
/// count changes. They hold a ticket, and only attached threads look up what it stands for, or a
/// [`SendPy`](crate::send_py::SendPy) object, which only attached threads drop.
pub(super) struct Bridge {
    process: Process,
    handle: Handle,
    waiting: Mutex<Waiting>,
    sender: Sender<CompleterMessage>,
    queues: Mutex<HashMap<usize, Weak<CompletionQueue>>>,
    events: LogQueue,
    closed: AtomicBool,
    threads: Mutex<Option<Threads>>,
}

/// What a shutdown takes apart.
struct Threads {
    runtime: Runtime,
    completer_ended: Receiver<()>,
}

#[derive(Default)]
struct Waiting {
    last_ticket: u64,
    futures: HashMap<u64, Waiter>,
}

/// A pending `asyncio` future, its event loop, and the context variables of who awaits it.
pub(super) struct Waiter {
    pub(super) event_loop: Py<PyAny>,
    pub(super) future: Py<PyAny>,
    pub(super) context: Py<PyAny>,
}

/// The right to settle one future.
pub(super) struct Completion {
    ticket: u64,
    queue: Weak<CompletionQueue>,
    sender: Sender<CompleterMessage>,
}

impl Bridge {
    /// The bridge of the current process, which starts its threads if need be.
    pub(super) fn of(py: Python<'_>, process: Process) -> PyResult<&'static Self> {
        let bridge = BRIDGE
            .get_or_try_init(py, process, || Self::start(process))
            .map_err(|error| errors::to_python(py, &error))?;
        if bridge.closed.load(Ordering::Acquire) {
            return Err(shutting_down());
        }
        Ok(bridge)
    }

    fn start(process: Process) -> Result<Self, Error> {
        let failed = |cause| Error::new(Code::Internal, NO_THREADS).with_source(cause);
        let (sender, events) = mpsc::channel();
        let (ended, completer_ended) = mpsc::channel();
        // This first: where no thread can be had, the runtime would not say so, but panic. Without
        // a runtime, it ends with the sender.
        std::thread::Builder::new()
            .name("portier-completer".to_owned())
            .spawn(move || {
                signals::block();
                complete(&events);
                drop(ended);
            })
            .map_err(failed)?;
        let runtime = catch_panic(|| {
            Builder::new_multi_thread()
                .worker_threads(WORKERS)
                .max_blocking_threads(MAX_BLOCKING_THREADS)
                .thread_name("portier-client")
                .on_thread_start(|| {
                    signals::block();
                    send_py::mark_thread();
                })
                .enable_all()
                .build()
                .map_err(failed)
        })?;
        Ok(Self {
            process,
            handle: runtime.handle().clone(),
            waiting: Mutex::default(),
            sender,
            queues: Mutex::default(),
            events: LogQueue::default(),
            closed: AtomicBool::new(false),
            threads: Mutex::new(Some(Threads {
                runtime,
                completer_ended,
            })),
        })
    }

    pub(super) fn is_current(&self) -> bool {
        self.process == Process::current()
    }

    /// Lets the code that follows start tasks and timers.
    pub(super) fn enter(&self) -> EnterGuard<'_> {
        self.handle.enter()
    }

    pub(super) fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.handle.spawn(task)
    }

    /// Remembers a future that an answer will come for.
    pub(super) fn register(
        &self,
        event_loop: &Bound<'_, PyAny>,
        future: &Bound<'_, PyAny>,
    ) -> PyResult<Completion> {
        Ok(Completion {
            ticket: self.remember(event_loop, future)?,
            queue: self.queue(event_loop),
            sender: self.sender.clone(),
        })
    }

    /// The queue of a loop: a new one, if it has none yet. There is none for a loop that cannot
    /// watch a socket.
    fn queue(&self, event_loop: &Bound<'_, PyAny>) -> Weak<CompletionQueue> {
        let id = event_loop.as_ptr() as usize;
        if let Some(queue) = self.queues().get(&id)
            && queue.strong_count() > 0
        {
            return Weak::clone(queue);
        }
        // This runs code of the loop's, which must not find the lock taken.
        let opened = CompletionQueue::open(event_loop, &self.sender);
        let queue = opened.map_or_else(|_| Weak::new(), |queue| Arc::downgrade(&queue));
        let mut queues = self.queues();
        queues.retain(|_, queue| queue.strong_count() > 0);
        queues.insert(id, Weak::clone(&queue));
        queue
    }

    /// Gives a future, or a task, a ticket.
    fn remember(&self, event_loop: &Bound<'_, PyAny>, future: &Bound<'_, PyAny>) -> PyResult<u64> {
        static COPY_CONTEXT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

        let py = event_loop.py();
        let context = cells::import(&COPY_CONTEXT, py, "contextvars", "copy_context")?;
        let waiter = Waiter {
            event_loop: event_loop.clone().unbind(),
            future: future.clone().unbind(),
            context: context.call0()?.unbind(),
        };
        let mut waiting = self.waiting();
        waiting.last_ticket += 1;
        let ticket = waiting.last_ticket;
        waiting.futures.insert(ticket, waiter);
        Ok(ticket)
    }

    /// Takes a future out, unless it was cancelled meanwhile.
    fn take_waiter(&self, ticket: u64) -> Option<Waiter> {
        self.waiting().futures.remove(&ticket)
    }

    /// Drops a future nobody waits for any more.
    pub(super) fn forget(&self, _attached: Python<'_>, ticket: u64) {
        drop(self.take_waiter(ticket));
    }

    /// Ends the threads.
    fn end(&self) {
        let threads = self.threads.lock();
        let threads = threads.unwrap_or_else(PoisonError::into_inner).take();
        let Some(Threads {
            runtime,
            completer_ended,
        }) = threads
        else {
            return;
        };
        // This first: a handler may wait for the answer to a call that it began before.
        self.events.stop();
        let _ = self.sender.send(CompleterMessage::Stop);
        let _ = completer_ended.recv_timeout(SHUTDOWN_LIMIT);
        runtime.shutdown_timeout(SHUTDOWN_LIMIT);
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<usize, Weak<CompletionQueue>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A task of an event loop that works for an operation, as long as it is pending.
pub(crate) struct CancelHandle {
    bridge: &'static Bridge,
    ticket: u64,
}

impl CancelHandle {
    /// Remembers a task, so that it can be cancelled from any thread.
    pub(crate) fn new(event_loop: &Bound<'_, PyAny>, task: &Bound<'_, PyAny>) -> PyResult<Self> {
        let bridge = BRIDGE.get(Process::current()).ok_or_else(shutting_down)?;
        let ticket = bridge.remember(event_loop, task)?;
        Ok(Self { bridge, ticket })
    }

    /// Has the loop cancel the task, unless it was forgotten.
    pub(crate) fn cancel(&self) {
        // In a child, the task and its loop are copies, and the operation is the parent's.
        if self.bridge.is_current() {
            let ticket = self.ticket;
            let _ = self.bridge.sender.send(CompleterMessage::Cancel { ticket });
        }
    }

    /// Forgets a task that is done.
    pub(crate) fn forget(&self, attached: Python<'_>) {
        if self.bridge.is_current() {
            self.bridge.forget(attached, self.ticket);
        }
    }
}

/// The event loop and the context of a future that is pending.
pub(super) fn loop_and_context(
    py: Python<'_>,
    ticket: u64,
) -> Option<(Bound<'_, PyAny>, Bound<'_, PyAny>)> {
    let waiting = BRIDGE.get(Process::current())?.waiting();
    let waiter = waiting.futures.get(&ticket)?;
    Some((
        waiter.event_loop.bind(py).clone(),
        waiter.context.bind(py).clone(),
    ))
}

/// Has an event logged, unless the interpreter is about to go.
pub(super) fn log(event: QueuedEvent) {
    if let Some(bridge) = BRIDGE.get(Process::current())
        && !bridge.closed.load(Ordering::Acquire)
    {
        bridge.events.push(event);
    }
}

/// Waits until every event of the background has been logged; see [`LogQueue::flush`].
pub(super) fn flush_events(limit: Duration) -> bool {
    BRIDGE
        .get(Process::current())
        .is_none_or(|bridge| bridge.events.flush(limit))
}

/// Has the completer drop an object.
pub(crate) fn release(object: Py<PyAny>) {
    let event = CompleterMessage::Release(object);
    let unsent = match BRIDGE.get(Process::current()) {
        Some(bridge) => bridge.sender.send(event).err().map(|unsent| unsent.0),
        None => Some(event),
    };
    // The interpreter is going down, and everything with it.
    std::mem::forget(unsent);
}

/// Takes out the future that an answer has come for, unless it was cancelled meanwhile.
pub(super) fn take_waiter(_attached: Python<'_>, ticket: u64) -> Option<Waiter> {
    BRIDGE.get(Process::current())?.take_waiter(ticket)
}

impl Completion {
    pub(super) fn ticket(&self) -> u64 {
        self.ticket
    }

    /// Who awaits the future.
    pub(super) fn caller(&self) -> Caller {
        Caller::Loop {
            ticket: self.ticket,
            events: self.sender.clone(),
        }
    }

    pub(super) fn send(
        self,
        convert: impl for<'py> FnOnce(Python<'py>) -> PyResult<Bound<'py, PyAny>> + Send + 'static,
    ) {
        let (ticket, convert) = (self.ticket, Box::new(convert));
        match self.queue.upgrade() {
            Some(queue) => queue.push(ticket, convert),
            // The completer is gone only when the interpreter is about to be.
            None => drop(
                self.sender
                    .send(CompleterMessage::Completed { ticket, convert }),
            ),
        }
    }
}

/// Ends all threads of this process; Python calls this when it is about to exit.
///
/// A thread that touches Python while the interpreter is torn down crashes it.
#[pyfunction]
pub(crate) fn shutdown(py: Python<'_>) {
    let process = Process::current();
    let bridge = BRIDGE.get(process);
    if let Some(bridge) = bridge {
        bridge.closed.store(true, Ordering::Release);
    }
    let gate = AttachGate::of(py, process);
    // Detached, because the others may have to attach once more before they can end.
    py.detach(move || {
        if let Some(bridge) = bridge {
            bridge.end();
        }
        gate.close();
    });
}
