//! What the calls of one turn of the event loop share.
//!
//! Waking the runtime is a system call. When many calls of one turn have to wait, the first one starts at once.
//! The others start together after the turn, so that they wake the runtime once.

use std::cell::Cell;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;

/// How many calls of one turn are polled by the loop itself. With more of them, the loop would be blocked for long.
const MAX_POLLED: usize = 64;

/// After how many operations the runtime's thread lets the loop have its processor, about a millisecond of signatures.
/// More often would be too often: the kernel may count it as a whole time slice that was used.
const OPERATIONS_IN_A_ROW: u32 = 64;

thread_local! {
    /// How many operations have ended in this thread of the runtime.
    static ENDED: Cell<u32> = const { Cell::new(0) };
}

/// The work of a call.
type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The turn of an event loop. Only the loop's thread uses it.
#[derive(Default)]
pub(crate) struct Turn {
    /// How many calls of this turn have to wait.
    waiting: AtomicUsize,
    /// Those that start after the turn.
    tasks: Mutex<Vec<Task>>,
}

impl Turn {
    /// Whether so many calls wait already that the next one should not be polled by the loop.
    pub(crate) fn is_crowded(&self) -> bool {
        self.waiting.load(Relaxed) >= MAX_POLLED
    }

    /// Moves a task to the runtime: now if it is the first in this turn, otherwise after the turn.
    pub(crate) fn start(&self, runtime: &Handle, task: Task) {
        if self.waiting.fetch_add(1, Relaxed) == 0 {
            runtime.spawn(task);
        } else {
            self.tasks().push(task);
        }
    }

    /// Starts the calls that wait for the end of the turn.
    pub(crate) fn end(&self, runtime: &Handle) {
        self.waiting.store(0, Relaxed);
        let tasks = mem::take(&mut *self.tasks());
        if tasks.is_empty() {
            return;
        }
        let start: Task = Box::pin(async move {
            for task in tasks {
                drop(tokio::spawn(task));
            }
        });
        runtime.spawn(start);
    }

    fn tasks(&self) -> MutexGuard<'_, Vec<Task>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets the loop have the processor once in a while, after the end of an operation in the runtime.
pub(crate) fn give_way() {
    let ended = ENDED.get().wrapping_add(1);
    ENDED.set(ended);
    if ended.is_multiple_of(OPERATIONS_IN_A_ROW) {
        std::thread::yield_now();
    }
}
