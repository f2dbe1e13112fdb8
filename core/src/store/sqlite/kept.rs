//! The file of a store between two pieces of work.
//!
//! To open it takes longer than to write a login to it, so it stays open for a moment. Not for
//! longer: somebody may put another file in its place, and a process should not fork meanwhile.

use std::mem;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use tokio::runtime::Handle;

use super::connection::Connection;
use crate::fork::{busy, lock};

/// How long a file stays open, counted from the first time that nothing was to be done with it.
const MOMENT: Duration = Duration::from_secs(1);

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
        let mut all = lock(&ALL);
        all.retain(|one| one.strong_count() > 0);
        all.push(Arc::downgrade(&kept));
        drop(all);
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
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _busy = busy();
        drop(lock(&self.0).connection.take());
    }
}

/// Ends the moment when it is dropped: when its time is up, or when the runtime goes away.
struct End(Arc<Kept>);

impl Drop for End {
    fn drop(&mut self) {
        let _busy = busy();
        let mut slot = lock(&self.0.0);
        slot.moment += 1;
        slot.ends = false;
        let connection = slot.connection.take();
        drop(slot);
        drop(connection);
    }
}

/// Closes all files of this process with which nothing is being done. Whoever calls this is about to fork,
/// and has waited for all work to end; a lock that is held even so is not waited for.
pub(crate) fn close_idle_files() {
    let Ok(all) = ALL.try_lock() else {
        return;
    };
    for kept in all.iter().filter_map(Weak::upgrade) {
        if let Ok(mut slot) = kept.0.try_lock() {
            drop(slot.connection.take());
        }
    }
}
