//! Keeps the file of a store open for a short time.
//!
//! Opening the file takes longer than writing a login, so it stays open for a second after it was used. It
//! is closed then, because the file may be replaced, and because the process may fork.

use std::mem;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use tokio::runtime::Handle;

use super::connection::Connection;
use crate::fork::{IdleFile, busy, close_before_forks, lock};

/// How long a file stays open, counted from the first time that it was idle.
const IDLE_TIME: Duration = Duration::from_secs(1);

/// At most one open file.
#[derive(Default)]
pub(super) struct IdleConnection(Mutex<Idle>);

#[derive(Default)]
struct Idle {
    connection: Option<Connection>,
    /// Incremented when the time is over, so that a file that is in use then is not kept afterwards.
    generation: u64,
    /// Whether the timer is running.
    ends: bool,
}

/// The generation in which a file was taken, or opened because none was kept.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Generation(u64);

impl IdleConnection {
    pub(super) fn new() -> Arc<Self> {
        let idle = Arc::<Self>::default();
        let file: Weak<Self> = Arc::downgrade(&idle);
        close_before_forks(file);
        idle
    }

    /// Takes the file, if one is open, and returns the current generation.
    pub(super) fn take(&self) -> (Option<Connection>, Generation) {
        let mut state = lock(&self.0);
        (state.connection.take(), Generation(state.generation))
    }

    /// Puts the file back, to keep it until the time is over.
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
        // A runtime that is shutting down drops this at once.
        runtime.spawn(async move {
            tokio::time::sleep(IDLE_TIME).await;
            // Closing a file may block, so it is done on a blocking thread.
            let _ = Handle::current().spawn_blocking(move || drop(end)).await;
        });
    }

    /// Leaks a file that belongs to the parent process: closing it would release the parent's locks.
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

/// Closes the file when it is dropped: when the time is over, or when the runtime shuts down.
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
