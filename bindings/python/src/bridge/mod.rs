//! How an operation of the core becomes something that Python can wait for.
//!
//! An operation is one future. It is polled once where it is called, and is nearly always ready
//! then: the result is returned at once, without a task, a thread or a wake-up. A pending operation is
//! continued by the thread of the runtime that wakes it.
//!
//! Many calls may have to wait in one turn of an event loop, as after a start of the site. The loop polls the first 64 of
//! them. The others share one wake-up of the runtime, after the turn.
//!
//! An operation needs Python if its store is written in Python. Then it requests a host callback of
//! its caller. Callbacks run between two polls, never inside of one.
//!
//! # The states of a call that is awaited
//!
//! ```text
//! CALLED      the caller's thread polls the operation
//!   |    |
//!   |    +-- ready ------------------------------------------> RETURNED
//!   |    +-- pending, requests a host callback: the caller runs it, and polls again
//!   |
//!   | pending
//!   v
//! WAITING     the future has a ticket; threads of the runtime poll the operation when it is woken
//!   |    |
//!   |    +-- requests a host callback: the completer has the event loop run it; its result wakes the operation
//!   |    +-- the future is cancelled: `AbortOnCancel` takes the ticket, aborts the operation --> CANCELLED
//!   |
//!   | ready
//!   v
//! COMPLETED   the result and its ticket wait in the completion queue of the event loop, or in the
//!   |    |    channel of the completer if the loop cannot watch sockets
//!   |    |
//!   |    +-- the future is cancelled: its ticket is taken, the result is dropped ---------> CANCELLED
//!   |    +-- the loop is closed: the result is dropped -----------------------------------> DROPPED
//!   |
//!   | the loop's thread takes the ticket
//!   v
//! DELIVERED   the result is converted in the loop's thread, and the future is done
//! ```
//!
//! A call that blocks has the same states. Its thread waits for messages instead of a ticket, and runs host
//! callbacks itself.
//!
//! # The files, from the bottom
//!
//! `messages` and `tickets` know nothing of the others. `completion` takes results to futures,
//! `host_callback` takes callbacks to callers, `events` takes events to `logging`. `runtime` starts the
//! threads that they need. `calls`, `cancel_handle` and `shutdown` use the runtime.

mod attach_gate;
mod calls;
mod cancel_handle;
mod completion;
mod events;
mod host_callback;
mod messages;
mod panics;
mod runtime;
pub(crate) mod shutdown;
mod signals;
mod tickets;

use pyo3::prelude::*;

pub(crate) use self::attach_gate::without_gil;
pub(crate) use self::calls::{Call, PyNone, running_loop};
pub(crate) use self::cancel_handle::CancelHandle;
pub(crate) use self::events::flush_events;
pub(crate) use self::host_callback::request_callback;
pub(crate) use self::messages::CallSite;
pub(crate) use self::panics::catch_panic;

/// Creates the types that event loops call before they are needed: another thread may fork while a
/// type is being created.
pub(crate) fn make_types(py: Python<'_>) {
    calls::make_types(py);
    completion::make_types(py);
}
