//! How events reach Python's `logging`.
//!
//! A call looks up the logger's level once, so that what nobody wants costs a comparison. Events of
//! a poll by an attached thread are logged by that thread, right after the poll. Events of the runtime's
//! threads, which never touch Python, go to a thread that does nothing else: a handler may take its time,
//! or wait for a lock whose owner waits for an answer.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, Once, OnceLock, PoisonError};
use std::time::Duration;

use portier_client::events::{self, Event, Level, Listener, Value};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

use super::runtime;

/// How many events may wait to be logged. More come only if a handler is slower than they are.
const QUEUE_LIMIT: usize = 1_000;

/// How long the end of the interpreter waits for a handler. It would wait for ever for one in a thread
/// of Python's own; ours would crash the interpreter if it came back to one that is gone.
const HANDLER_LIMIT: Duration = Duration::from_secs(5);

/// The logger's level, in Python's numbers.
static LEVEL: AtomicI64 = AtomicI64::new(i64::MAX);

thread_local! {
    static POLLING: Cell<bool> = const { Cell::new(false) };
    static LOGGING: Cell<bool> = const { Cell::new(false) };
    static OF_POLL: RefCell<Vec<Event>> = const { RefCell::new(Vec::new()) };
}

/// Looks up the level. What a filter, a handler or `logging.disable` thinks is seen when an event is
/// logged.
pub(super) fn follow_level(py: Python<'_>) -> PyResult<()> {
    static EFFECTIVE_LEVEL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static LISTEN: Once = Once::new();

    let effective_level = EFFECTIVE_LEVEL.get_or_try_init(py, || {
        // The module has a `tracing` of its own: there is no other subscriber to be in the way of.
        LISTEN.call_once(|| {
            let _ = tracing::subscriber::set_global_default(events::subscriber(Logging));
        });
        let logger = py.import("portier_client._events")?.getattr("LOGGER")?;
        Ok::<_, PyErr>(logger.getattr("getEffectiveLevel")?.unbind())
    })?;
    let level = effective_level.bind(py).call0()?.extract().unwrap_or(0);
    LEVEL.store(level, Ordering::Relaxed);
    Ok(())
}

/// Polls, and logs what happened.
pub(super) fn logged<T>(py: Python<'_>, poll: impl FnOnce() -> T) -> PyResult<T> {
    POLLING.set(true);
    // It does not panic: operations are guarded.
    let polled = poll();
    POLLING.set(false);
    for event in OF_POLL.take() {
        log(py, event)?;
    }
    Ok(polled)
}

/// Whether this thread is in the middle of logging. Nobody is told what a handler does with a client,
/// or that would never come to an end.
pub(super) fn is_logging() -> bool {
    LOGGING.get()
}

/// Logs an event in this thread. An exception that is none of a program's business is returned.
fn log(py: Python<'_>, event: Event) -> PyResult<()> {
    static EMIT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

    LOGGING.set(true);
    let logged = EMIT
        .import(py, "portier_client._events", "emit")
        .and_then(|emit| {
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
            emit.call1((number(event.level), event.message, fields))
        });
    LOGGING.set(false);
    match logged {
        Ok(_) => Ok(()),
        Err(error) if error.is_instance_of::<PyException>(py) => {
            error.write_unraisable(py, None);
            Ok(())
        }
        Err(error) => Err(error),
    }
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
            OF_POLL.with_borrow_mut(|events| events.push(event));
        } else {
            runtime::log(event);
        }
    }
}

/// The thread that logs, and what waits for it. It starts with the first event.
#[derive(Default)]
pub(super) struct Queue {
    thread: OnceLock<Option<Thread>>,
    state: Arc<State>,
}

struct Thread {
    sender: SyncSender<Message>,
    ended: Mutex<Receiver<()>>,
}

#[derive(Default)]
struct State {
    dropped: AtomicU64,
    closed: AtomicBool,
}

enum Message {
    Log(Event),
    Stop,
}

impl Queue {
    /// Has an event logged, if there is room for one more.
    pub(super) fn push(&self, event: Event) {
        let thread = self.thread.get_or_init(|| start(&self.state).ok());
        let taken = thread
            .as_ref()
            .is_some_and(|thread| thread.sender.try_send(Message::Log(event)).is_ok());
        if !taken {
            self.state.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Ends the thread, once it has logged what waits. The caller must not be attached: a handler may
    /// be running.
    pub(super) fn stop(&self) {
        let Some(Some(thread)) = self.thread.get() else {
            return;
        };
        let close = || self.state.closed.store(true, Ordering::Release);
        if thread.sender.try_send(Message::Stop).is_err() {
            close();
        }
        let ended = thread.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if ended.recv_timeout(HANDLER_LIMIT) == Err(RecvTimeoutError::Timeout) {
            close();
        }
    }
}

fn start(state: &Arc<State>) -> std::io::Result<Thread> {
    let (sender, messages) = sync_channel(QUEUE_LIMIT);
    let (end, ended) = channel();
    let state = Arc::clone(state);
    std::thread::Builder::new()
        .name("portier-logger".to_owned())
        .spawn(move || {
            log_all(&messages, &state);
            drop(end);
        })?;
    Ok(Thread {
        sender,
        ended: Mutex::new(ended),
    })
}

/// Logs until it is told to stop, or until Python is gone.
fn log_all(messages: &Receiver<Message>, state: &State) {
    while let Ok(Message::Log(first)) = messages.recv() {
        let go_on = Python::try_attach(|py| {
            let mut next = Some(Message::Log(first));
            while let Some(Message::Log(event)) = next {
                if state.closed.load(Ordering::Acquire) {
                    return false;
                }
                log_here(py, event);
                let dropped = state.dropped.swap(0, Ordering::Relaxed);
                if dropped > 0 {
                    log_here(py, events::dropped(dropped));
                }
                next = messages.try_recv().ok();
            }
            // Nothing more for now, or nothing more at all.
            next.is_none()
        });
        if go_on != Some(true) {
            return;
        }
    }
}

/// Logs in a thread where nobody called who could be told of an exception.
fn log_here(py: Python<'_>, event: Event) {
    if let Err(error) = log(py, event) {
        error.write_unraisable(py, None);
    }
}
