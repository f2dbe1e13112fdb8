//! What the calls of one turn of the event loop share.
//!
//! The first calls that have to wait are polled by the loop. The others start in the runtime after the turn, together,
//! because waking the runtime is a system call.

use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use portier_client::{BoxFuture, start_all, start_here};
use tokio::runtime::Handle;

/// How many calls of one turn are polled by the loop itself. With more of them, the loop would be blocked for long.
const MAX_POLLED: usize = 64;

/// The work of a call.
type Task = BoxFuture<'static, ()>;

/// The turn of an event loop. Only the loop's thread uses it.
#[derive(Default)]
pub(crate) struct Turn {
    /// How many calls of this turn have to wait.
    waiting: AtomicUsize,
    /// The others, which start after the turn.
    tasks: Mutex<Vec<Task>>,
}

impl Turn {
    /// Whether so many calls wait already that the next one should not be polled by the loop.
    pub(crate) fn is_crowded(&self) -> bool {
        self.waiting.load(Relaxed) >= MAX_POLLED
    }

    /// Starts a task that waits: here, or after the turn if so many wait already.
    pub(crate) fn start(&self, runtime: &Handle, task: Task) {
        if self.waiting.fetch_add(1, Relaxed) < MAX_POLLED {
            start_here(runtime, task);
        } else {
            self.tasks().push(task);
        }
    }

    /// Starts the calls that wait for the end of the turn.
    pub(crate) fn end(&self, runtime: &Handle) {
        self.waiting.store(0, Relaxed);
        start_all(runtime, mem::take(&mut *self.tasks()));
    }

    fn tasks(&self) -> MutexGuard<'_, Vec<Task>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
