//! What stores in JavaScript are asked, and what they answer.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::Env;
use portier_client::{Code, Error, Result};
use tokio::sync::oneshot;

use super::custom::Caller;
use crate::completions::id_to_js;

/// A call of a method, with its arguments.
pub(super) struct StoreCall {
    pub(super) id: u64,
    pub(super) method: &'static str,
    pub(super) first: String,
    pub(super) second: Option<String>,
    pub(super) ttl: Option<f64>,
    /// That of the call which asks.
    pub(super) client_call_id: Option<u64>,
}

/// What a method returned.
pub(super) enum ReturnValue {
    Null,
    Text(String),
    Boolean(bool),
}

/// The calls to one store that are not answered yet.
#[derive(Default)]
pub(super) struct PendingCalls {
    open: Mutex<HashMap<u64, oneshot::Sender<Result<ReturnValue>>>>,
    /// Of what was thrown, what nobody will ask for any more.
    forgotten: Mutex<Vec<u64>>,
}

impl PendingCalls {
    /// Opens a call; dropping it closes it.
    pub(super) fn open(self: &Arc<Self>) -> PendingCall {
        // JavaScript keeps what was thrown under these, for all stores of a thread together.
        static NEXT: AtomicU64 = AtomicU64::new(0);

        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        locked(&self.open).insert(id, sender);
        PendingCall {
            id,
            receiver,
            calls: Arc::clone(self),
        }
    }

    /// Answers a call, unless nobody waits for the answer any more.
    pub(super) fn resolve(&self, id: u64, value: ReturnValue) {
        self.settle(id, Ok(value));
    }

    /// Answers a call with an error. `thrown` says that JavaScript keeps what was thrown.
    pub(super) fn reject(self: &Arc<Self>, id: u64, code: Code, message: &str, thrown: bool) {
        let mut error = Error::new(code, message);
        if thrown {
            error = error.with_source(Thrown {
                id,
                wanted: AtomicBool::new(false),
                calls: Arc::clone(self),
            });
        }
        self.settle(id, Err(error));
    }

    /// What JavaScript need not keep any longer.
    pub(super) fn forgotten(&self) -> Vec<f64> {
        let forgotten = std::mem::take(&mut *locked(&self.forgotten));
        forgotten.into_iter().map(id_to_js).collect()
    }

    fn settle(&self, id: u64, answer: Result<ReturnValue>) {
        // Not in one expression: dropping what nobody waits for locks as well.
        let sender = locked(&self.open).remove(&id);
        if let Some(sender) = sender {
            let _ = sender.send(answer);
        }
    }
}

/// A call that somebody waits on.
pub(super) struct PendingCall {
    pub(super) id: u64,
    pub(super) receiver: oneshot::Receiver<Result<ReturnValue>>,
    calls: Arc<PendingCalls>,
}

impl Drop for PendingCall {
    fn drop(&mut self) {
        locked(&self.calls.open).remove(&self.id);
    }
}

/// A value that a store has thrown. The value itself stays in JavaScript.
pub(crate) struct Thrown {
    id: u64,
    wanted: AtomicBool,
    calls: Arc<PendingCalls>,
}

impl Thrown {
    /// The id under which JavaScript takes it out, which it then has to do.
    pub(crate) fn claim(&self) -> f64 {
        self.wanted.store(true, Ordering::Relaxed);
        id_to_js(self.id)
    }
}

impl Drop for Thrown {
    fn drop(&mut self) {
        if !self.wanted.load(Ordering::Relaxed) {
            locked(&self.calls.forgotten).push(self.id);
        }
    }
}

impl fmt::Debug for Thrown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Thrown")
    }
}

impl fmt::Display for Thrown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value of JavaScript")
    }
}

impl std::error::Error for Thrown {}

/// Calls made while an operation is polled on the thread of its JavaScript.
struct DeferredCalls {
    environment: usize,
    calls: Vec<(Arc<Caller>, StoreCall)>,
}

thread_local! {
    static DEFERRED: RefCell<Option<DeferredCalls>> = const { RefCell::new(None) };
}

/// Polls, and then asks what was put meanwhile: JavaScript never runs inside a poll. Says whether
/// anything was asked, so that the answer may be there already.
pub(crate) fn polled<T>(env: Env, poll: impl FnOnce() -> T) -> (T, bool) {
    let collection = DeferredCalls {
        environment: env.raw() as usize,
        calls: Vec::new(),
    };
    let outer = DEFERRED.replace(Some(collection));
    let polled = poll();
    let calls = DEFERRED
        .replace(outer)
        .map(|collection| collection.calls)
        .unwrap_or_default();
    let asked = !calls.is_empty();
    for (caller, call) in calls {
        caller.call_now(env, call);
    }
    (polled, asked)
}

/// Keeps a call until the poll is over, if it is polled where the store is; else returns it.
pub(super) fn defer(caller: &Arc<Caller>, call: StoreCall) -> Option<StoreCall> {
    DEFERRED.with_borrow_mut(|collection| match collection {
        Some(collection) if collection.environment == caller.environment() => {
            collection.calls.push((Arc::clone(caller), call));
            None
        }
        _ => Some(call),
    })
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
