//! What a cache tells about its document.

use std::time::Duration;

use super::{Cache, InFlight};
use crate::error::Result;
use crate::health::HealthCheck;
use crate::stats::DocumentStats;

impl<T: Send + Sync + 'static> Cache<T> {
    pub(in super::super) fn stats(&self, now: Duration) -> DocumentStats {
        let state = self.state();
        let lifetime = state.cached.as_ref().map(|cached| cached.lifetime);
        let until = |time: Duration| time.saturating_sub(now).as_secs_f64();
        DocumentStats {
            requests: state.requests,
            failures: state.failures,
            stale_serves: state.stale_serves,
            shared_loads: state.shared_loads,
            changes: state.changes,
            age_seconds: lifetime.map(|lifetime| lifetime.age_at(now).as_secs_f64()),
            fresh_for_seconds: lifetime.map(|lifetime| until(lifetime.expiry.fresh_until)),
            usable_for_seconds: lifetime.map(|lifetime| until(lifetime.expiry.usable_until)),
            retry_in_seconds: state
                .failing
                .as_ref()
                .map(|failing| until(failing.pause_until)),
        }
    }

    /// Starts a fetch if one is due, without waiting for it, and returns what is known about the document.
    pub(in super::super) fn check(
        &self,
        now: Duration,
        start: impl FnOnce() -> Result<InFlight<T>>,
    ) -> HealthCheck {
        let mut state = self.state();
        let cached = state.cached.as_ref();
        if cached.is_none_or(|cached| now >= cached.refresh_from) {
            drop(state.fetch(now, start));
        }
        match (&state.failing, &state.cached) {
            (None, _) => HealthCheck::PASS,
            (Some(failing), None) => HealthCheck::fail(failing.error.code()),
            (Some(failing), Some(_)) => HealthCheck::warn(Some(failing.error.code())),
        }
    }
}
