//! The threads of a process: the runtime, and the completer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use portier_client::{BoxFuture, Code, Error, start_all, start_here};
use pyo3::prelude::*;
use tokio::runtime::{Builder, EnterGuard, Handle, Runtime};

use super::attach_gate::shutting_down;
use super::completion::{Completion, CompletionQueue, run_completer};
use super::events::LogQueue;
use super::messages::CompleterMessage;
use super::panics::catch_panic;
use super::signals;
use super::tickets::Tickets;
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

const NO_THREADS: &str = "the system gives the process no threads or file descriptors";

static BRIDGE: PerProcess<Bridge> = PerProcess::new();

/// The runtime, how its results get to Python, and the futures that wait for them.
///
/// Tasks of the runtime do not touch Python objects: they change no reference count, whatever happens to
/// them and in whichever thread. They own tickets, and objects in [`SendPy`](send_py::SendPy).
pub(super) struct Bridge {
    process: Process,
    handle: Handle,
    tickets: Arc<Tickets>,
    completer: Sender<CompleterMessage>,
    queues: Mutex<HashMap<usize, Weak<CompletionQueue>>>,
    events: &'static LogQueue,
    closed: AtomicBool,
    threads: Mutex<Option<Threads>>,
}

/// What a shutdown ends.
struct Threads {
    runtime: Runtime,
    completer_ended: Receiver<()>,
}

impl Bridge {
    /// The bridge of a process, which starts its threads if need be.
    pub(super) fn of(py: Python<'_>, process: Process) -> PyResult<&'static Self> {
        let bridge = BRIDGE
            .get_or_try_init(py, process, || Self::start(py, process))
            .map_err(|error| errors::to_python(py, &error))?;
        if bridge.closed.load(Ordering::Acquire) {
            return Err(shutting_down());
        }
        Ok(bridge)
    }

    /// The bridge of this process, if it was started.
    pub(super) fn current() -> Option<&'static Self> {
        BRIDGE.get(Process::current())
    }

    fn start(py: Python<'_>, process: Process) -> Result<Self, Error> {
        let failed = |cause| Error::new(Code::Internal, NO_THREADS).with_source(cause);
        let (completer, messages) = mpsc::channel();
        let (ended, completer_ended) = mpsc::channel();
        let tickets = Arc::new(Tickets::default());
        let of_completer = Arc::clone(&tickets);
        // This comes first: without a thread, the runtime would panic instead of returning an
        // error. Without a runtime, it ends with the sender.
        std::thread::Builder::new()
            .name("portier-completer".to_owned())
            .spawn(move || {
                signals::block();
                run_completer(&messages, &of_completer);
                drop(ended);
            })
            .map_err(failed)?;
        let runtime = catch_panic(|| start_runtime(&completer).map_err(failed))?;
        Ok(Self {
            process,
            handle: runtime.handle().clone(),
            tickets,
            completer,
            queues: Mutex::default(),
            events: LogQueue::of(py, process),
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

    /// Polls a task in this thread until it waits. Then the thread that wakes it, or the runtime, continues it.
    pub(super) fn start_here(&self, task: BoxFuture<'static, ()>) {
        start_here(&self.handle, task);
    }

    /// Starts tasks in the runtime.
    pub(super) fn start_all(&self, tasks: Vec<BoxFuture<'static, ()>>) {
        start_all(&self.handle, tasks);
    }

    pub(super) fn tickets(&self) -> &Tickets {
        &self.tickets
    }

    /// Sends a message to the completer, which ends only just before the interpreter does.
    pub(super) fn send(&self, message: CompleterMessage) {
        let _ = self.completer.send(message);
    }

    /// Gives a future a ticket, and the right to complete it to the caller.
    pub(super) fn register(
        &self,
        event_loop: &Bound<'_, PyAny>,
        future: &Bound<'_, PyAny>,
        context: &Bound<'_, PyAny>,
    ) -> Completion {
        Completion {
            ticket: self.tickets.issue(event_loop, future, context),
            queue: self.queue(event_loop),
            completer: self.completer.clone(),
        }
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
        // This runs code of the loop, so the lock must not be held.
        let opened = CompletionQueue::open(event_loop, &self.tickets, &self.completer);
        let queue = opened.map_or_else(|_| Weak::new(), |queue| Arc::downgrade(&queue));
        let mut queues = self.queues();
        queues.retain(|_, queue| queue.strong_count() > 0);
        queues.insert(id, Weak::clone(&queue));
        queue
    }

    /// Prevents new calls.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Ends the threads.
    pub(super) fn end(&self) {
        let threads = self.threads.lock();
        let threads = threads.unwrap_or_else(PoisonError::into_inner).take();
        let Some(Threads {
            runtime,
            completer_ended,
        }) = threads
        else {
            return;
        };
        // This comes first: a handler may wait for the result of a call that it began before.
        self.events.stop();
        self.send(CompleterMessage::Stop);
        let _ = completer_ended.recv_timeout(SHUTDOWN_LIMIT);
        runtime.shutdown_timeout(SHUTDOWN_LIMIT);
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<usize, Weak<CompletionQueue>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn start_runtime(completer: &Sender<CompleterMessage>) -> std::io::Result<Runtime> {
    let completer = completer.clone();
    Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .max_blocking_threads(MAX_BLOCKING_THREADS)
        .thread_name("portier-client")
        .on_thread_start(move || {
            signals::block();
            let completer = completer.clone();
            send_py::never_drop_here(move |object| {
                let unsent = completer.send(CompleterMessage::Release(object));
                // Without a completer, the interpreter is about to end, and nothing needs to be
                // done.
                std::mem::forget(unsent);
            });
        })
        .enable_all()
        .build()
}
