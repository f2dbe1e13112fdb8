//! What the calls of one turn of an event loop share.
//!
//! Waking the runtime is a system call. When many calls of one turn have to wait, the first one starts at once.
//! The others start together after the turn, so that they wake the runtime once.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use pyo3::prelude::*;

use crate::bridge::runtime::Bridge;
use crate::cells::intern;

/// How many calls of one turn are polled by the loop itself. With more of them, the loop would be blocked for long.
const MAX_POLLED: usize = 64;

/// After how many operations the runtime's thread lets the loop have its processor, about a millisecond of signatures.
/// More often would be too often: the kernel may count it as a whole time slice that was used.
const OPERATIONS_IN_A_ROW: u32 = 64;

thread_local! {
    /// How many operations have ended in this thread of the runtime.
    static ENDED: Cell<u32> = const { Cell::new(0) };
}

thread_local! {
    /// The turn of the loop that runs in this thread. Only the loop owns it.
    static CURRENT: RefCell<Weak<Turn>> = const { RefCell::new(Weak::new()) };
}

/// The work of a call.
type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A turn of an event loop in which a call has to wait.
struct Turn {
    bridge: &'static Bridge,
    /// The address of the loop, which lives as long as this turn is in its queue.
    event_loop: usize,
    calls: Mutex<Calls>,
}

#[derive(Default)]
struct Calls {
    /// How many have to wait.
    waiting: usize,
    /// Those that start after the turn.
    tasks: Vec<Task>,
    has_ended: bool,
}

/// Whether so many calls of this turn wait already that the next one should not be polled by the loop.
pub(super) fn is_crowded() -> bool {
    CURRENT.with_borrow(|turn| {
        turn.upgrade().is_some_and(|turn| {
            let calls = turn.calls();
            !calls.has_ended && calls.waiting >= MAX_POLLED
        })
    })
}

/// Moves the task of a call to the runtime: now if no other call is pending, or if it is the first in this turn of
/// the loop, otherwise after the turn. The call has its ticket.
pub(super) fn start(
    bridge: &'static Bridge,
    event_loop: &Bound<'_, PyAny>,
    task: impl Future<Output = ()> + Send + 'static,
) -> PyResult<()> {
    let task: Task = Box::pin(task);
    if bridge.tickets().is_single() {
        bridge.spawn(task);
        return Ok(());
    }
    let Some(task) = join_current(bridge, event_loop, task) else {
        return Ok(());
    };
    let turn = Arc::new(Turn {
        bridge,
        event_loop: event_loop.as_ptr() as usize,
        calls: Mutex::new(Calls {
            waiting: 1,
            ..Calls::default()
        }),
    });
    bridge.spawn(task);
    CURRENT.set(Arc::downgrade(&turn));
    event_loop.call_method1(intern!(event_loop.py(), "call_soon"), (EndTurn(turn),))?;
    Ok(())
}

/// Lets the loop have the processor once in a while, after the end of an operation in the runtime.
pub(super) fn give_way() {
    let ended = ENDED.get().wrapping_add(1);
    ENDED.set(ended);
    if ended.is_multiple_of(OPERATIONS_IN_A_ROW) {
        std::thread::yield_now();
    }
}

/// Adds a task to the current turn. Returns it if no call has to wait in this turn yet.
fn join_current(
    bridge: &'static Bridge,
    event_loop: &Bound<'_, PyAny>,
    task: Task,
) -> Option<Task> {
    let Some(turn) = CURRENT.with_borrow(Weak::upgrade) else {
        return Some(task);
    };
    // A child has a copy of its parent's turn, and another loop may run in this thread by now.
    if !ptr::eq(turn.bridge, bridge) || turn.event_loop != event_loop.as_ptr() as usize {
        return Some(task);
    }
    let mut calls = turn.calls();
    if calls.has_ended {
        return Some(task);
    }
    calls.waiting += 1;
    calls.tasks.push(task);
    None
}

impl Turn {
    /// Starts the calls that wait for it.
    fn end(&self) {
        let mut calls = self.calls();
        calls.has_ended = true;
        let tasks = mem::take(&mut calls.tasks);
        drop(calls);
        if self.bridge.is_current() {
            self.bridge.spawn_all(tasks);
        } else {
            // In a child, they belong to the parent.
            mem::forget(tasks);
        }
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn make_types(py: Python<'_>) {
    py.get_type::<EndTurn>();
}

/// Starts the calls that wait for the end of a turn; called by the loop, first of all in the next one.
#[pyclass(frozen)]
struct EndTurn(Arc<Turn>);

#[pymethods]
impl EndTurn {
    fn __call__(&self) {
        self.0.end();
    }
}

/// A loop that was closed has no next turn. Its futures are forgotten when their calls complete.
impl Drop for Turn {
    fn drop(&mut self) {
        self.end();
    }
}
