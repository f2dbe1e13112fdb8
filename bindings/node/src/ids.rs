//! Ids by which the addon and JavaScript mean the same call.

use std::sync::atomic::{AtomicU64, Ordering};

/// Makes the id of a call and of its outcome. It is unique in the process, and never 0.
pub(crate) fn new_call_id() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);

    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// Exact for the first 2^53 ids of a process.
#[expect(clippy::cast_precision_loss, reason = "see above")]
pub(crate) fn id_to_js(id: u64) -> f64 {
    id as f64
}

/// Reads an id that [`id_to_js`] has made.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it comes back as it was given"
)]
pub(crate) fn id_from_js(id: f64) -> u64 {
    id as u64
}
