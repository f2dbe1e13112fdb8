//! Calls of stores that an operation makes while it is polled on the thread of the store's JavaScript.
//!
//! JavaScript never runs inside of a poll. So these calls are made after the poll, and then the operation
//! is polled again.

use std::cell::RefCell;
use std::sync::Arc;

use napi::Env;

use super::caller::Caller;
use super::pending_calls::StoreCall;

struct DeferredCalls {
    environment: usize,
    calls: Vec<(Arc<Caller>, StoreCall)>,
}

thread_local! {
    static DEFERRED: RefCell<Option<DeferredCalls>> = const { RefCell::new(None) };
}

/// Polls, and then makes the calls that were deferred meanwhile. Also returns whether there were any: then
/// the next poll may find their values.
pub(crate) fn poll_then_call<T>(env: Env, poll: impl FnOnce() -> T) -> (T, bool) {
    let outer = DEFERRED.replace(Some(DeferredCalls {
        environment: env.raw() as usize,
        calls: Vec::new(),
    }));
    let polled = poll();
    let calls = DEFERRED
        .replace(outer)
        .map(|deferred| deferred.calls)
        .unwrap_or_default();
    let has_called = !calls.is_empty();
    for (caller, call) in calls {
        caller.call_now(env, call);
    }
    (polled, has_called)
}

/// Defers a call until the poll is over. If the poll is not on the thread of the store, returns the call.
pub(super) fn defer(caller: &Arc<Caller>, call: StoreCall) -> Option<StoreCall> {
    DEFERRED.with_borrow_mut(|deferred| match deferred {
        Some(deferred) if deferred.environment == caller.environment() => {
            deferred.calls.push((Arc::clone(caller), call));
            None
        }
        _ => Some(call),
    })
}
