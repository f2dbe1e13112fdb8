//! Calls of stores in JavaScript, and the values that they return.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portier_client::{Code, Error, Result};
use tokio::sync::oneshot;

use crate::thrown::{Thrown, UnclaimedIds};

/// A call of a method, with its arguments.
pub(super) struct StoreCall {
    pub(super) id: u64,
    pub(super) method: &'static str,
    pub(super) first: String,
    pub(super) second: Option<String>,
    /// Milliseconds.
    pub(super) ttl: Option<f64>,
    /// The id of the client's call that needs the store.
    pub(super) client_call_id: Option<u64>,
}

/// The value that a method returned.
pub(super) enum ReturnValue {
    Null,
    Text(String),
    Boolean(bool),
}

/// The calls of one store that have not returned yet.
#[derive(Default)]
pub(super) struct PendingCalls {
    senders: Mutex<HashMap<u64, oneshot::Sender<Result<ReturnValue>>>>,
    unclaimed: Arc<UnclaimedIds>,
}

impl PendingCalls {
    /// Adds a call; dropping it removes it.
    pub(super) fn add(self: &Arc<Self>) -> PendingCall {
        // Unique in the process: JavaScript keeps thrown values of all stores of a thread under these ids.
        static NEXT: AtomicU64 = AtomicU64::new(0);

        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        self.senders().insert(id, sender);
        PendingCall {
            id,
            receiver,
            calls: Arc::clone(self),
        }
    }

    /// Ends a call with the value that it returned. Does nothing if nobody waits for it any more.
    pub(super) fn resolve(&self, id: u64, value: ReturnValue) {
        self.settle(id, Ok(value));
    }

    /// Ends a call with an error. `thrown` says that JavaScript keeps a thrown value under the id.
    pub(super) fn reject(&self, id: u64, code: Code, message: &str, thrown: bool) {
        let mut error = Error::new(code, message);
        if thrown {
            error = error.with_source(Thrown::new(id, Arc::clone(&self.unclaimed)));
        }
        self.settle(id, Err(error));
    }

    /// Takes the ids of thrown values that JavaScript need not keep any longer.
    pub(super) fn unclaimed(&self) -> Vec<f64> {
        self.unclaimed.take()
    }

    fn settle(&self, id: u64, result: Result<ReturnValue>) {
        // Not in one expression, which would hold the lock while the value is sent.
        let sender = self.senders().remove(&id);
        if let Some(sender) = sender {
            let _ = sender.send(result);
        }
    }

    fn senders(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Result<ReturnValue>>>> {
        self.senders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call whose value an operation waits for.
pub(super) struct PendingCall {
    pub(super) id: u64,
    pub(super) receiver: oneshot::Receiver<Result<ReturnValue>>,
    calls: Arc<PendingCalls>,
}

impl Drop for PendingCall {
    fn drop(&mut self) {
        self.calls.senders().remove(&self.id);
    }
}
