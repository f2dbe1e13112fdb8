//! The file of a store between two pieces of work.
//!
//! To open it takes longer than to write a login to it, so it stays open for a moment. Not for
//! longer: somebody may put another file in its place, and a process should not fork meanwhile.

use std::mem;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use tokio::runtime::Handle;

use super::connection::Connection;
use crate::fork::{IdleFile, busy, close_before_forks, lock};

/// How long a file stays open, counted from the first time that nothing was to be done with it.
const IDLE_TIME: Duration = Duration::from_secs(1);

/// At most one open file.
#[derive(Default)]
pub(super) struct IdleConnection(Mutex<Idle>);

#[derive(Default)]
struct Idle {
    connection: Option<Connection>,
    /// Goes up when a moment is over, so that who has the file then does not bring it back.
    generation: u64,
    /// Whether the moment is being waited for.
    ends: bool,
}

/// Which moment it was when a file was taken, or opened because there was none.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Generation(u64);

impl IdleConnection {
    pub(super) fn new() -> Arc<Self> {
        let idle = Arc::<Self>::default();
        let file: Weak<Self> = Arc::downgrade(&idle);
        close_before_forks(file);
        idle
    }

    /// Hands out the file, if it is still open, and the moment in which it was kept.
    pub(super) fn take(&self) -> (Option<Connection>, Generation) {
        let mut state = lock(&self.0);
        (state.connection.take(), Generation(state.generation))
    }

    /// Takes the file back, to keep it for what is left of its moment.
    pub(super) fn put(
        self: &Arc<Self>,
        connection: Connection,
        generation: Generation,
        runtime: &Handle,
    ) {
        let mut state = lock(&self.0);
        if Generation(state.generation) != generation {
            drop(state);
            return;
        }
        state.connection = Some(connection);
        if mem::replace(&mut state.ends, true) {
            return;
        }
        drop(state);
        let end = End(Arc::clone(self));
        // A runtime that is going away drops this at once.
        runtime.spawn(async move {
            tokio::time::sleep(IDLE_TIME).await;
            // Files are not closed on the threads that all others wait for.
            let _ = Handle::current().spawn_blocking(move || drop(end)).await;
        });
    }

    /// Forgets a file that belongs to the process this one was forked from: to close it would
    /// touch that one's locks.
    pub(super) fn forget(&self) {
        let mut state = lock(&self.0);
        mem::forget(mem::take(&mut *state));
    }
}

impl IdleFile for IdleConnection {
    fn close(&self) {
        if let Ok(mut state) = self.0.try_lock() {
            drop(state.connection.take());
        }
    }
}

impl Drop for IdleConnection {
    fn drop(&mut self) {
        let _busy = busy();
        drop(lock(&self.0).connection.take());
    }
}

/// Ends the moment when it is dropped: when its time is up, or when the runtime goes away.
struct End(Arc<IdleConnection>);

impl Drop for End {
    fn drop(&mut self) {
        let _busy = busy();
        let mut state = lock(&self.0.0);
        state.generation += 1;
        state.ends = false;
        let connection = state.connection.take();
        drop(state);
        drop(connection);
    }
}
