//! Values that a store in JavaScript has thrown. The values stay in JavaScript, each under the id of the
//! store's call; the addon keeps the ids.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::ids::id_to_js;

/// The source of an error that a store has caused by throwing a value.
pub(crate) struct Thrown {
    id: u64,
    claimed: AtomicBool,
    unclaimed: Arc<UnclaimedIds>,
}

impl Thrown {
    pub(crate) fn new(id: u64, unclaimed: Arc<UnclaimedIds>) -> Self {
        let claimed = AtomicBool::new(false);
        Self {
            id,
            claimed,
            unclaimed,
        }
    }

    /// Gives the id to JavaScript, which then removes the value.
    pub(crate) fn claim(&self) -> f64 {
        self.claimed.store(true, Ordering::Relaxed);
        id_to_js(self.id)
    }
}

impl Drop for Thrown {
    fn drop(&mut self) {
        if !self.claimed.load(Ordering::Relaxed) {
            self.unclaimed.add(self.id);
        }
    }
}

impl fmt::Debug for Thrown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Thrown")
    }
}

impl fmt::Display for Thrown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value of JavaScript")
    }
}

impl std::error::Error for Thrown {}

/// The ids of thrown values whose errors were dropped before JavaScript saw them.
#[derive(Default)]
pub(crate) struct UnclaimedIds(Mutex<Vec<u64>>);

impl UnclaimedIds {
    fn add(&self, id: u64) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(id);
    }

    /// Takes the ids, for JavaScript to remove their values.
    pub(crate) fn take(&self) -> Vec<f64> {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *ids)
            .into_iter()
            .map(id_to_js)
            .collect()
    }
}
