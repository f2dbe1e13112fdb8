//! Pending logins in the memory of one process.

use std::sync::Arc;

use crate::clock::Clock;

/// Keeps pending logins in the memory of one process.
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
}
