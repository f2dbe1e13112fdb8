//! What is counted and logged of each operation.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Inner;
use crate::error::{Code, Error, Result};
use crate::events;
use crate::session::Login;
use crate::stats::Durations;

impl Inner {
    /// Records an operation that began at a time of the monotonic clock.
    pub(super) fn took(&self, durations: &Durations, begun: Duration) {
        durations.record(self.clock.monotonic().saturating_sub(begun));
    }

    pub(super) fn started(&self) {
        self.counters.started();
        events::login_started();
    }

    pub(super) fn completed(&self, outcome: Result<Login>) -> Result<Login> {
        match &outcome {
            Ok(login) => {
                self.counters.completed();
                events::login_completed(login.same_browser);
            }
            Err(error) => self.failed("complete", error),
        }
        outcome
    }

    pub(super) fn failed(&self, operation: &'static str, error: &Error) {
        self.counters.failed(error.code());
        events::login_ended(operation, error);
        if error.code() == Code::SessionUnknown && self.keeps_in_memory() {
            self.warn_of_memory_store();
        }
    }

    /// Warns once about the most likely cause of lost logins.
    fn warn_of_memory_store(&self) {
        if !self.warned_of_memory_store.load(Ordering::Relaxed) {
            let told = events::login_not_in_memory_store();
            self.warned_of_memory_store
                .fetch_or(told, Ordering::Relaxed);
        }
    }
}
