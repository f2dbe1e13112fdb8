//! Keys that are being generated while the process ends.
//!
//! AWS-LC tidies up when the process exits, and aborts it if a thread asks for random numbers after
//! that. So who started a broker waits at its own end for the keys that were begun.

use std::process;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::thread::sleep;
use std::time::Duration;

/// What a key takes on a machine that is very busy.
const LIMIT: Duration = Duration::from_secs(5);
const INTERVAL: Duration = Duration::from_millis(1);

static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);
/// Whose they are: a forked child has none of its parent's threads.
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// Keys that are being generated, until this is dropped.
pub(super) struct Generation(());

impl Generation {
    /// Has this thread wait for them before it ends; for the main thread, that is when the process
    /// exits.
    pub(super) fn begin() -> Self {
        thread_local! {
            static END: End = const { End };
        }
        if PROCESS.swap(process::id(), SeqCst) != process::id() {
            UNDER_WAY.store(0, SeqCst);
        }
        UNDER_WAY.fetch_add(1, SeqCst);
        END.with(|End| ());
        Self(())
    }
}

impl Drop for Generation {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, SeqCst);
    }
}

struct End;

impl Drop for End {
    fn drop(&mut self) {
        let mut waited = Duration::ZERO;
        while PROCESS.load(SeqCst) == process::id() && UNDER_WAY.load(SeqCst) > 0 && waited < LIMIT
        {
            sleep(INTERVAL);
            waited += INTERVAL;
        }
    }
}
