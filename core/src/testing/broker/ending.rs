//! Keys that are being generated while the process ends.
//!
//! AWS-LC cleans up when the process exits, and aborts the process if a thread asks for random
//! numbers after that. So the thread that started a broker waits at its own end for the generation
//! of keys.

use std::cell::RefCell;
use std::process;
use std::sync::{Arc, Weak};
use std::thread::sleep;
use std::time::Duration;

/// The time to generate keys on a very busy machine.
const LIMIT: Duration = Duration::from_secs(5);
const INTERVAL: Duration = Duration::from_millis(1);

thread_local! {
    static BEGUN: Begun = const { Begun(RefCell::new(Vec::new())) };
}

/// Keys that are being generated, until this is dropped.
pub(super) struct Generation {
    _under_way: Arc<()>,
}

impl Generation {
    /// Makes this thread wait for them before it ends; the main thread waits when the process
    /// exits.
    pub(super) fn begin() -> Self {
        let under_way = Arc::new(());
        BEGUN.with(|begun| {
            let mut begun = begun.0.borrow_mut();
            begun.retain(|(_, keys)| keys.strong_count() > 0);
            begun.push((process::id(), Arc::downgrade(&under_way)));
        });
        Self {
            _under_way: under_way,
        }
    }
}

/// The keys that a thread has started to generate, and its process: a forked child does not
/// continue.
struct Begun(RefCell<Vec<(u32, Weak<()>)>>);

impl Drop for Begun {
    fn drop(&mut self) {
        let begun = self.0.get_mut();
        begun.retain(|(process, _)| *process == process::id());
        let mut waited = Duration::ZERO;
        while waited < LIMIT && begun.iter().any(|(_, keys)| keys.strong_count() > 0) {
            sleep(INTERVAL);
            waited += INTERVAL;
        }
    }
}
