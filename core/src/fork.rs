//! Forks of the process, and the work that they must not interrupt.
//!
//! A forked child gets a copy of every lock, but not the threads that hold them. SQLite also keeps a list of
//! the file locks of the process, which a child must not inherit ("How To Corrupt An SQLite Database File",
//! section 2.6). So this module counts work under locks and transactions, and a fork waits until there is
//! none.

#[cfg(any(feature = "sqlite", feature = "testing"))]
mod locked;

use std::cell::Cell;
use std::marker::PhantomData;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
#[cfg(feature = "sqlite")]
use std::sync::{Mutex, Weak};
use std::thread;
use std::time::Duration;

#[cfg(any(feature = "sqlite", feature = "testing"))]
pub(crate) use self::locked::Locked;
#[cfg(any(feature = "sqlite", feature = "testing"))]
pub(crate) use self::locked::lock;

/// How long a fork waits for work to end. Work takes longer only if the disk does not respond.
const LIMIT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(1);

/// The counters of the process that wrote them last. They are not protected by a lock, because another
/// thread could hold it when the process is forked without [`before_fork`].
static COUNTERS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// The nesting depth of this thread's work.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Prepares this process for a fork without `exec`: waits until no store of this library is in a
/// transaction, and closes the files of all SQLite stores. Other threads wait before such work until the
/// guard is dropped, in the parent and in the child.
///
/// The wait takes as long as one transaction. After ten seconds it ends anyway, for example if the disk does
/// not respond; SQLite stores cannot be used in the child then
/// ([`StoreUnavailable`](crate::Code::StoreUnavailable)).
///
/// A child has only the thread that forked. Clients and runtimes that were used before the fork belong to
/// the parent; build new ones in the child.
#[must_use = "stores can be used again when the guard is dropped, after the fork"]
pub fn before_fork() -> ForkGuard {
    update(|counters| counters.forks = counters.forks.saturating_add(1));
    let own = u64::from(DEPTH.get() > 0);
    let mut waited = Duration::ZERO;
    while counters().busy > own && waited < LIMIT {
        thread::sleep(PAUSE);
        waited += PAUSE;
    }
    #[cfg(feature = "sqlite")]
    close_idle_files();
    ForkGuard {
        process: process::id(),
        _not_send: PhantomData,
    }
}

/// The time around a fork; see [`before_fork`].
#[derive(Debug)]
pub struct ForkGuard {
    process: u32,
    _not_send: PhantomData<*const ()>,
}

impl Drop for ForkGuard {
    fn drop(&mut self) {
        if self.process == process::id() {
            update(|counters| counters.forks = counters.forks.saturating_sub(1));
        } else {
            // The counted threads belong to the parent.
            COUNTERS.store(0, SeqCst);
            DEPTH.set(0);
        }
    }
}

/// The owner of a file that may be open while it is not used.
#[cfg(feature = "sqlite")]
pub(crate) trait IdleFile: Send + Sync {
    /// Closes the file before a fork. It must not wait for a lock.
    fn close(&self);
}

/// All owners in this process.
#[cfg(feature = "sqlite")]
static IDLE_FILES: Mutex<Vec<Weak<dyn IdleFile>>> = Mutex::new(Vec::new());

/// Registers an owner, so that its file is closed before each fork.
#[cfg(feature = "sqlite")]
pub(crate) fn close_before_forks(file: Weak<dyn IdleFile>) {
    let mut all = lock(&IDLE_FILES);
    all.retain(|one| one.strong_count() > 0);
    all.push(file);
}

/// All work should have ended; if a lock is still held, its file stays open.
#[cfg(feature = "sqlite")]
fn close_idle_files() {
    if let Ok(all) = IDLE_FILES.try_lock() {
        all.iter()
            .filter_map(Weak::upgrade)
            .for_each(|file| file.close());
    }
}

/// Work that a fork must not interrupt. Begin it before the first lock is taken.
pub(crate) struct Busy(PhantomData<*const ()>);

/// Begins such work; waits first if a fork is under way. The work must be short, and must not wait for other
/// threads, except those that do such work, too.
pub(crate) fn busy() -> Busy {
    if DEPTH.get() == 0 {
        enter();
    }
    DEPTH.set(DEPTH.get() + 1);
    Busy(PhantomData)
}

impl Drop for Busy {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get().saturating_sub(1));
        if DEPTH.get() == 0 {
            leave();
        }
    }
}

/// Whether a fork waits for this process's work to end.
#[cfg(any(feature = "sqlite", test))]
pub(crate) fn is_waiting() -> bool {
    counters().forks > 0
}

/// Lets a fork happen during this thread's work, which must not hold a lock or a file.
#[cfg(any(feature = "sqlite", test))]
pub(crate) fn give_way() {
    if DEPTH.get() == 1 {
        leave();
        enter();
    }
}

fn enter() {
    let mut waited = Duration::ZERO;
    // The forking thread gives up earlier than this.
    while !update_if(
        |counters| counters.forks == 0 || waited > LIMIT,
        |counters| counters.busy += 1,
    ) {
        thread::sleep(PAUSE);
        waited += PAUSE;
    }
}

fn leave() {
    update(|counters| counters.busy = counters.busy.saturating_sub(1));
}

/// The activities of one process. Packed into a number, the process id takes 32 bits, the forks 8, the work
/// 24.
#[derive(Clone, Copy)]
struct Counters {
    process: u64,
    /// Threads that are about to fork.
    forks: u64,
    /// Threads whose work a fork waits for.
    busy: u64,
}

impl Counters {
    /// Unpacks the counters. If another process wrote them, they are zero.
    fn of(process: u32, bits: u64) -> Self {
        let process = u64::from(process);
        let is_own = bits >> 32 == process;
        Self {
            process,
            forks: if is_own { bits >> 24 & 0xff } else { 0 },
            busy: if is_own { bits & 0xff_ffff } else { 0 },
        }
    }

    fn bits(self) -> u64 {
        self.process << 32 | self.forks.min(0xff) << 24 | self.busy.min(0xff_ffff)
    }
}

fn counters() -> Counters {
    Counters::of(process::id(), COUNTERS.load(SeqCst))
}

fn update(change: impl Fn(&mut Counters)) {
    update_if(|_| true, change);
}

fn update_if(condition: impl Fn(&Counters) -> bool, change: impl Fn(&mut Counters)) -> bool {
    let process = process::id();
    let updated = COUNTERS.fetch_update(SeqCst, SeqCst, |bits| {
        let mut counters = Counters::of(process, bits);
        condition(&counters).then(|| {
            change(&mut counters);
            counters.bits()
        })
    });
    updated.is_ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::atomic::AtomicBool;
    use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};

    use super::*;

    /// Held by tests that fork, because all tests share the counters.
    static FORKING: Mutex<()> = Mutex::new(());

    /// Whether no work is under way, as during a fork.
    #[cfg(feature = "sqlite")]
    pub(crate) fn is_quiet() -> bool {
        counters().busy == 0
    }

    pub(crate) fn alone() -> MutexGuard<'static, ()> {
        FORKING.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[test]
    fn counters_of_another_process_are_ignored() {
        let mut counters = Counters::of(7, 0);
        counters.forks = 2;
        counters.busy = 0x00ab_cdef;
        let same = Counters::of(7, counters.bits());
        assert_eq!((same.forks, same.busy), (2, 0x00ab_cdef));
        let child = Counters::of(8, counters.bits());
        assert_eq!((child.process, child.forks, child.busy), (8, 0, 0));
    }

    #[test]
    fn a_fork_waits_for_the_work_of_other_threads_and_they_wait_for_the_fork() {
        let _alone = alone();
        let ended = AtomicBool::new(false);
        let forked = AtomicBool::new(false);
        let (start, started) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| {
                let work = busy();
                start.send(()).unwrap();
                while !is_waiting() {
                    thread::yield_now();
                }
                // Nested work does not wait.
                drop(busy());
                ended.store(true, SeqCst);
                drop(work);
                let _next = busy();
                assert!(forked.load(SeqCst));
            });
            started.recv().unwrap();
            let guard = before_fork();
            assert!(ended.load(SeqCst));
            forked.store(true, SeqCst);
            drop(guard);
        });
    }

    #[test]
    fn work_can_give_way_to_a_fork() {
        let _alone = alone();
        let forked = AtomicBool::new(false);
        let (start, started) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| {
                let _work = busy();
                start.send(()).unwrap();
                while !is_waiting() {
                    thread::yield_now();
                }
                give_way();
                assert!(forked.load(SeqCst));
            });
            started.recv().unwrap();
            let guard = before_fork();
            forked.store(true, SeqCst);
            drop(guard);
        });
    }

    #[test]
    fn a_thread_does_not_wait_for_its_own_work() {
        let _alone = alone();
        let _work = busy();
        drop(before_fork());
    }
}
