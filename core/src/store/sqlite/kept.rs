//! The file of a store between two pieces of work.
//!
//! To open it takes longer than to write a login to it, so it stays open for a moment. Not for
//! longer: somebody may put another file in its place, and a process should not fork meanwhile.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak};
use std::thread;
use std::time::Duration;

use tokio::runtime::Handle;

use super::connection::Connection;
use super::presence;

/// How long a file stays open, counted from the first time that nothing was to be done with it.
const MOMENT: Duration = Duration::from_secs(1);
/// How long a fork waits for work to end.
const PATIENCE_OF_FORKS: Duration = Duration::from_millis(100);

/// All there are in this process, for forks.
static ALL: Mutex<Vec<Weak<Kept>>> = Mutex::new(Vec::new());

/// At most one open file.
#[derive(Default)]
pub(super) struct Kept(Mutex<Slot>);

#[derive(Default)]
struct Slot {
    connection: Option<Connection>,
    /// Goes up when a moment is over, so that who has the file then does not bring it back.
    moment: u64,
    /// Whether the moment is being waited for.
    ends: bool,
}

/// Which moment it was when a file was taken, or opened because there was none.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Moment(u64);

impl Kept {
    pub(super) fn new() -> Arc<Self> {
        let kept = Arc::<Self>::default();
        if let Some(mut all) = lock_soon(&ALL) {
            all.retain(|one| one.strong_count() > 0);
            all.push(Arc::downgrade(&kept));
        }
        kept
    }

    /// Hands out the file, if it is still open, and the moment in which it was kept.
    pub(super) fn take(&self) -> (Option<Connection>, Moment) {
        let mut slot = lock(&self.0);
        (slot.connection.take(), Moment(slot.moment))
    }

    /// Takes the file back, to keep it for what is left of its moment.
    pub(super) fn put(self: &Arc<Self>, connection: Connection, moment: Moment, runtime: &Handle) {
        let mut slot = lock(&self.0);
        if Moment(slot.moment) != moment {
            drop(slot);
            return;
        }
        slot.connection = Some(connection);
        if mem::replace(&mut slot.ends, true) {
            return;
        }
        drop(slot);
        let end = End(Arc::clone(self));
        // A runtime that is going away drops this at once.
        runtime.spawn(async move {
            tokio::time::sleep(MOMENT).await;
            // Files are not closed on the threads that all others wait for.
            let _ = Handle::current().spawn_blocking(move || drop(end)).await;
        });
    }

    /// Forgets a file that belongs to the process this one was forked from: to close it would
    /// touch that one's locks.
    pub(super) fn forget(&self) {
        let mut slot = lock(&self.0);
        mem::forget(mem::take(&mut *slot));
    }

    fn close(&self) {
        let connection = lock(&self.0).connection.take();
        drop(connection);
    }
}

/// Ends the moment when it is dropped: when its time is up, or when the runtime goes away.
struct End(Arc<Kept>);

impl Drop for End {
    fn drop(&mut self) {
        let mut slot = lock(&self.0.0);
        slot.moment += 1;
        slot.ends = false;
        let connection = slot.connection.take();
        drop(slot);
        drop(connection);
    }
}

/// Closes all files of this process with which nothing is being done, and waits a little for the
/// others.
pub(super) fn before_fork() {
    let pause = Duration::from_millis(1);
    let mut waited = Duration::ZERO;
    loop {
        let open: Vec<_> = lock_soon(&ALL).map_or_else(Vec::new, |all| {
            all.iter().filter_map(Weak::upgrade).collect()
        });
        for kept in &open {
            kept.close();
        }
        if presence::is_none() || waited >= PATIENCE_OF_FORKS {
            return;
        }
        thread::sleep(pause);
        waited += pause;
    }
}

/// For what others hold for microseconds. Whoever holds it for longer was a thread of the process
/// this one was forked from, and is not here to let go of it.
fn lock_soon<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    let pause = Duration::from_millis(1);
    let mut waited = Duration::ZERO;
    loop {
        match mutex.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(error)) => return Some(error.into_inner()),
            Err(TryLockError::WouldBlock) if waited >= PATIENCE_OF_FORKS => return None,
            Err(TryLockError::WouldBlock) => thread::sleep(pause),
        }
        waited += pause;
    }
}

/// Nothing in here panics half-way through a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn nst_20_a_lock_that_nobody_lets_go_of_is_given_up() {
        let lost = Mutex::new(());
        let held = lost.lock().unwrap();
        assert!(lock_soon(&lost).is_none());
        drop(held);
        assert!(lock_soon(&lost).is_some());
    }

    #[test]
    fn nst_20_a_lock_that_is_let_go_of_in_a_moment_is_waited_for() {
        let busy = Mutex::new(());
        let (locked, is_locked) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| {
                let _held = busy.lock().unwrap();
                locked.send(()).unwrap();
                thread::sleep(Duration::from_millis(5));
            });
            is_locked.recv().unwrap();
            assert!(lock_soon(&busy).is_some());
        });
    }
}
