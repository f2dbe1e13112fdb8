//! What the calls of one turn of an event loop share.
//!
//! The first calls that have to wait are polled by the loop. The others start in the runtime after the turn, together,
//! because waking the runtime is a system call.

use std::cell::RefCell;
use std::mem;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use portier_client::BoxFuture;
use pyo3::prelude::*;

use crate::bridge::runtime::Bridge;
use crate::cells::intern;

/// How many calls of one turn are polled by the loop itself. With more of them, the loop would be blocked for long.
const MAX_POLLED: usize = 64;

thread_local! {
    /// The turn of the loop that runs in this thread. Only the loop owns it.
    static CURRENT: RefCell<Weak<Turn>> = const { RefCell::new(Weak::new()) };
}

/// The work of a call.
type Task = BoxFuture<'static, ()>;

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
    /// The others, which start after the turn.
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

/// Starts the task of a call that has to wait: here, or after the turn if so many wait already. The call has its ticket.
pub(super) fn start(
    bridge: &'static Bridge,
    event_loop: &Bound<'_, PyAny>,
    task: Task,
) -> PyResult<()> {
    if bridge.tickets().is_single() {
        bridge.start_here(task);
        return Ok(());
    }
    let turn = match current(bridge, event_loop) {
        Some(turn) => turn,
        None => begin(bridge, event_loop)?,
    };
    let mut calls = turn.calls();
    calls.waiting += 1;
    if calls.waiting > MAX_POLLED {
        calls.tasks.push(task);
    } else {
        drop(calls);
        bridge.start_here(task);
    }
    Ok(())
}

/// The turn of the loop, if another call has to wait in it.
fn current(bridge: &'static Bridge, event_loop: &Bound<'_, PyAny>) -> Option<Arc<Turn>> {
    let turn = CURRENT.with_borrow(Weak::upgrade)?;
    // A child has a copy of its parent's turn, and another loop may run in this thread by now.
    let is_current = ptr::eq(turn.bridge, bridge)
        && turn.event_loop == event_loop.as_ptr() as usize
        && !turn.calls().has_ended;
    is_current.then_some(turn)
}

fn begin(bridge: &'static Bridge, event_loop: &Bound<'_, PyAny>) -> PyResult<Arc<Turn>> {
    let turn = Arc::new(Turn {
        bridge,
        event_loop: event_loop.as_ptr() as usize,
        calls: Mutex::default(),
    });
    CURRENT.set(Arc::downgrade(&turn));
    let end = EndTurn(Arc::clone(&turn));
    event_loop.call_method1(intern!(event_loop.py(), "call_soon"), (end,))?;
    Ok(turn)
}

impl Turn {
    /// Starts the calls that wait for it.
    fn end(&self) {
        let mut calls = self.calls();
        calls.has_ended = true;
        let tasks = mem::take(&mut calls.tasks);
        drop(calls);
        if self.bridge.is_current() {
            self.bridge.start_all(tasks);
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
