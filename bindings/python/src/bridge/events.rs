//! How events reach Python's `logging`.
//!
//! A call looks up the logger's level once, so that an event below it costs only a comparison.
//! Events of a poll by an attached thread are logged by that thread, right after the poll. Events
//! of the runtime's threads, which do not touch Python, go to a thread that does nothing else: a
//! handler may be slow, or wait for a lock whose owner waits for a result.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::thread::LocalKey;
use std::time::Duration;

use portier_client::events::{self, Event, Level, Listener, Value};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

use super::attach_gate::without_gil;
use super::{host_callback, signals};
use crate::cells::{self, intern};
use crate::forks;
use crate::process::{PerProcess, Process};
use crate::send_py::SendPy;

/// How many events may wait to be logged. There are more only if the handlers are slower than the events.
const QUEUE_LIMIT: usize = 1_000;

/// How long the end of the interpreter waits for handlers, and then for the last of them. Python
/// would wait for a thread of its own without a limit. A thread of this module crashes the process
/// if it attaches to a finalized interpreter.
const HANDLER_LIMIT: Duration = Duration::from_secs(5);

/// The logger's level, in Python's numbers.
static LEVEL: AtomicI64 = AtomicI64::new(i64::MAX);

static LOG_QUEUE: PerProcess<LogQueue> = PerProcess::new();

thread_local! {
    static POLLING: Cell<bool> = const { Cell::new(false) };
    static LOGGING: Cell<bool> = const { Cell::new(false) };
    static POLL_EVENTS: RefCell<Vec<Event>> = const { RefCell::new(Vec::new()) };
}

/// Looks up the level. Filters, handlers and `logging.disable` decide when an event is logged.
pub(super) fn update_level(py: Python<'_>) -> PyResult<()> {
    static EFFECTIVE_LEVEL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static LISTEN: Once = Once::new();

    let effective_level = cells::fill(&EFFECTIVE_LEVEL, py, || {
        // The module has a `tracing` of its own, so there is no other subscriber.
        LISTEN.call_once(|| {
            let _ = tracing::subscriber::set_global_default(events::subscriber(Logging));
        });
        let logger = py.import("portier_client._events")?.getattr("LOGGER")?;
        Ok(logger.getattr("getEffectiveLevel")?.unbind())
    })?;
    let level = effective_level.call0()?.extract().unwrap_or(0);
    LEVEL.store(level, Ordering::Relaxed);
    Ok(())
}

/// Polls, and logs the events of the poll.
pub(super) fn logged<T>(py: Python<'_>, poll: impl FnOnce() -> T) -> PyResult<T> {
    let polled = {
        let _polling = FlagGuard::new(&POLLING);
        poll()
    };
    for event in POLL_EVENTS.take() {
        match log(py, event, None) {
            Err(error) if error.is_instance_of::<PyException>(py) => {
                error.write_unraisable(py, None);
            }
            logged => logged?,
        }
    }
    Ok(polled)
}

/// Whether this thread is in the middle of logging. Events of calls that a handler makes are not
/// logged: they would cause more events without end.
pub(super) fn is_logging() -> bool {
    LOGGING.get()
}

/// Waits until the handlers have returned from all background events. Returns `false` if they have not
/// within `limit`, and in a handler, which cannot wait for itself.
pub(crate) fn flush_events(py: Python<'_>, limit: Duration) -> bool {
    let queue = LOG_QUEUE.get(Process::current());
    !is_logging() && without_gil(py, || queue.is_none_or(|queue| queue.flush(limit)))
}

/// Sets a flag of this thread as long as it lives.
struct FlagGuard {
    flag: &'static LocalKey<Cell<bool>>,
    before: bool,
}

impl FlagGuard {
    fn new(flag: &'static LocalKey<Cell<bool>>) -> Self {
        let before = flag.replace(true);
        Self { flag, before }
    }
}

impl Drop for FlagGuard {
    fn drop(&mut self) {
        self.flag.set(self.before);
    }
}

/// Logs an event in this thread.
fn log(py: Python<'_>, event: Event, context: Option<&SendPy>) -> PyResult<()> {
    static EMIT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

    let _logging = FlagGuard::new(&LOGGING);
    // The call has looked up the level, and thereby imported the module.
    let emit = cells::import(&EMIT, py, "portier_client._events", "emit")?;
    let fields = PyDict::new(py);
    for (name, value) in event.fields {
        match value {
            Value::Flag(flag) => fields.set_item(name, flag),
            Value::Integer(integer) => fields.set_item(name, integer),
            Value::Number(number) => fields.set_item(name, number),
            Value::Text(text) => fields.set_item(name, text),
            other => fields.set_item(name, format!("{other:?}")),
        }?;
    }
    let arguments = (number(event.level), event.message, fields);
    match context.and_then(|context| context.bind(py)) {
        // In a copy: the caller may be running in the context itself.
        Some(context) => context.call_method0(intern!(py, "copy"))?.call_method1(
            intern!(py, "run"),
            (emit, arguments.0, arguments.1, arguments.2),
        )?,
        None => emit.call1(arguments)?,
    };
    Ok(())
}

fn number(level: Level) -> i64 {
    match level {
        Level::ERROR => 40,
        Level::WARN => 30,
        Level::INFO => 20,
        Level::DEBUG => 10,
        _ => 5,
    }
}

struct Logging;

impl Listener for Logging {
    fn wants(&self, level: Level) -> bool {
        number(level) >= LEVEL.load(Ordering::Relaxed)
    }

    fn hear(&self, event: Event) {
        if POLLING.get() {
            POLL_EVENTS.with_borrow_mut(|events| events.push(event));
        } else if let Some(queue) = LOG_QUEUE.get(Process::current()) {
            queue.push(QueuedEvent {
                event,
                context: host_callback::context(),
            });
        }
    }
}

/// The thread that logs, and the events that wait for it.
#[derive(Default)]
pub(super) struct LogQueue {
    /// Never locked while a thread attaches to the interpreter.
    phase: Mutex<Phase>,
    state: Arc<State>,
}

#[derive(Default)]
enum Phase {
    /// The first event starts the thread, or a later one if the system gives no threads.
    #[default]
    NotStarted,
    Running(LoggingThread),
    /// At last: the interpreter is about to end.
    Stopped,
}

/// A background event, with the `contextvars` context of the call that it belongs to.
pub(super) struct QueuedEvent {
    event: Event,
    context: Option<Arc<SendPy>>,
}

struct LoggingThread {
    sender: SyncSender<QueuedEvent>,
    ended: Receiver<()>,
}

#[derive(Default)]
struct State {
    dropped: AtomicU64,
    /// How many events are in the queue or being handled.
    waiting: Mutex<usize>,
    idle: Condvar,
    /// No more events are accepted.
    ending: AtomicBool,
    /// The events that still wait are not logged any more.
    closed: AtomicBool,
}

impl LogQueue {
    pub(super) fn of(py: Python<'_>, process: Process) -> &'static Self {
        let made = LOG_QUEUE.get_or_try_init(py, process, || Ok::<_, Infallible>(Self::default()));
        let Ok(queue) = made;
        queue
    }

    /// Queues an event to be logged, if there is room and the interpreter is not about to end.
    fn push(&self, event: QueuedEvent) {
        if self.state.ending.load(Ordering::Acquire) {
            return;
        }
        let mut phase = self.phase();
        if matches!(*phase, Phase::NotStarted)
            && let Ok(thread) = start(&self.state)
        {
            *phase = Phase::Running(thread);
        }
        let taken = match &*phase {
            Phase::Running(thread) => {
                *self.state.waiting() += 1;
                let taken = thread.sender.try_send(event).is_ok();
                if !taken {
                    self.state.logged();
                }
                taken
            }
            Phase::NotStarted | Phase::Stopped => false,
        };
        if !taken {
            self.state.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until the handlers have returned from all events. Returns `false` if they have not
    /// within `limit`. The caller must not be attached.
    fn flush(&self, limit: Duration) -> bool {
        let waiting = self.state.waiting();
        let waited = self
            .state
            .idle
            .wait_timeout_while(waiting, limit, |waiting| *waiting > 0);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Ends the thread, once it has logged the events that wait. The caller must not be attached: a
    /// handler may be running.
    pub(super) fn stop(&self) {
        self.state.ending.store(true, Ordering::Release);
        let before = std::mem::replace(&mut *self.phase(), Phase::Stopped);
        let Phase::Running(LoggingThread { sender, ended }) = before else {
            return;
        };
        // The thread ends when it has received all events that were sent.
        drop(sender);
        if ended.recv_timeout(HANDLER_LIMIT) == Err(RecvTimeoutError::Timeout) {
            self.state.closed.store(true, Ordering::Release);
            let _ = ended.recv_timeout(HANDLER_LIMIT);
        }
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn waiting(&self) -> MutexGuard<'_, usize> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an event that waits no longer.
    fn logged(&self) {
        let mut waiting = self.waiting();
        *waiting -= 1;
        if *waiting == 0 {
            self.idle.notify_all();
        }
    }
}

fn start(state: &Arc<State>) -> std::io::Result<LoggingThread> {
    let (sender, waiting) = sync_channel(QUEUE_LIMIT);
    let (end, ended) = channel();
    let state = Arc::clone(state);
    std::thread::Builder::new()
        .name("portier-logger".to_owned())
        .spawn(move || {
            signals::block();
            log_all(&waiting, &state);
            drop(end);
        })?;
    Ok(LoggingThread { sender, ended })
}

/// Logs until no more events can come, or until the interpreter is gone.
fn log_all(waiting: &Receiver<QueuedEvent>, state: &State) {
    while let Ok(first) = waiting.recv() {
        if state.closed.load(Ordering::Acquire) {
            return;
        }
        let go_on = forks::attach(|py| {
            for event in std::iter::once(first).chain(waiting.try_iter()) {
                if state.closed.load(Ordering::Acquire) {
                    return false;
                }
                log_or_report(py, event.event, event.context.as_deref(), state);
                let dropped = state.dropped.swap(0, Ordering::Relaxed);
                if dropped > 0 {
                    log_or_report(py, events::dropped(dropped), None, state);
                }
                state.logged();
            }
            true
        });
        if go_on != Some(true) {
            return;
        }
    }
}

/// Logs in a thread without a caller that could receive an exception.
fn log_or_report(py: Python<'_>, event: Event, context: Option<&SendPy>, state: &State) {
    if let Err(error) = log(py, event, context) {
        // A handler that uses a client gets an error at the end of the interpreter, which is not reported.
        if !state.ending.load(Ordering::Acquire) {
            error.write_unraisable(py, None);
        }
    }
}
