//! One document: whether it may be used, whether it must be fetched, and who waits for that.
//!
//! All times are of the monotonic clock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use url::Url;

use super::backoff;
use super::cached::{CachedDocument, Expiry};
use super::fetch::{Failure, Fetched};
use super::in_flight::InFlight;
use crate::clock::{Clock, Random};
use crate::error::{Code, Error, Result};
use crate::events;
use crate::freshness::Freshness;
use crate::stats::DocumentStats;

/// How much time lies between fetches for the sake of something that was missing.
const BETWEEN_FORCED: Duration = Duration::from_secs(5);
/// How old a document is at least before it is fetched for such a reason: what was not there a
/// moment ago is not there now, and who makes up a key's id must not double the requests.
const MIN_AGE_FOR_REFRESH: Duration = Duration::from_secs(1);
/// How much time lies between looks at what another process fetches.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
/// How old a document is that is not taken for what the broker still has, if there is a doubt.
const SUSPECT_AGE: Duration = Duration::from_secs(5 * 60);

pub(super) struct Cache<T> {
    name: &'static str,
    state: Mutex<State<T>>,
}

/// What a caller gets.
enum LookupResult<T> {
    /// This, at once.
    Now(Result<Arc<T>>),
    /// What this brings.
    Later(InFlight<T>),
}

struct State<T> {
    kept: Option<CachedDocument<T>>,
    in_flight: Option<InFlight<T>>,
    failure_state: Option<FailureState>,
    /// When a fetch may next be forced.
    force_from: Duration,
    requests: u64,
    failures: u64,
    stale_serves: u64,
    shared_loads: u64,
    changes: u64,
}

/// The failures since the last success.
struct FailureState {
    error: Error,
    failures: u32,
    pause_until: Duration,
}

impl<T: Send + Sync + 'static> Cache<T> {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            state: Mutex::new(State {
                kept: None,
                in_flight: None,
                failure_state: None,
                force_from: Duration::ZERO,
                requests: 0,
                failures: 0,
                stale_serves: 0,
                shared_loads: 0,
                changes: 0,
            }),
        }
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// The document. `start` is called, under the lock, if a fetch is due.
    pub(super) async fn get(
        &self,
        clock: &dyn Clock,
        start: impl FnOnce() -> Result<InFlight<T>>,
    ) -> Result<Arc<T>> {
        match self.lookup(clock.monotonic(), start) {
            LookupResult::Now(answer) => answer,
            LookupResult::Later(in_flight) => {
                self.or_older(in_flight.result().await, clock.monotonic())
            }
        }
    }

    /// The document for a caller who misses something in `seen`: another one if it is there
    /// already, else what a fetch brings, but not too often.
    pub(super) async fn get_newer_than(
        &self,
        seen: &Arc<T>,
        clock: &dyn Clock,
        start: impl Fn() -> Result<InFlight<T>>,
    ) -> Result<Arc<T>> {
        // A fetch that ran already may have left the document as it is, because another process
        // holds the lease. It was not for this caller, so the next one is.
        for _ in 0..2 {
            match self.lookup_newer(seen, clock.monotonic(), &start) {
                LookupResult::Now(answer) => return answer,
                LookupResult::Later(in_flight) => match in_flight.result().await {
                    Ok(value) if Arc::ptr_eq(seen, &value) => {}
                    result => return result,
                },
            }
        }
        Ok(Arc::clone(seen))
    }

    pub(super) fn may_have_changed(&self, seen: &Arc<T>, now: Duration) -> bool {
        let state = self.state();
        state.kept.as_ref().is_none_or(|kept| {
            !Arc::ptr_eq(seen, &kept.value) || now.saturating_sub(kept.since) >= SUSPECT_AGE
        })
    }

    /// Takes over what was fetched, all at once, and ends the fetch.
    pub(super) fn adopt(&self, mut fetched: Fetched<T>) -> Result<Arc<T>> {
        let mut state = self.state();
        state.in_flight = None;
        let before = state.kept.take();
        let changed = before
            .as_ref()
            .is_some_and(|kept| kept.body != fetched.body);
        let unchanged = fetched.value.is_none();
        let value = match (fetched.value.take(), before) {
            (Some(value), _) => Arc::new(value),
            (None, Some(kept)) => kept.value,
            (None, None) => {
                return Err(Error::new(Code::Internal, "nothing to revalidate"));
            }
        };
        state.changes += u64::from(changed);
        let failure_state = state.failure_state.take();
        let (is_shared, lifetime) = (fetched.is_shared, fetched.lifetime);
        state.kept = Some(CachedDocument::new(Arc::clone(&value), fetched));
        drop(state);
        if !is_shared {
            let failures = failure_state.map_or(0, |failure_state| failure_state.failures);
            events::document_fetched(self.name, unchanged, lifetime, failures);
        }
        if changed {
            events::document_changed(self.name);
        }
        Ok(value)
    }

    /// Remembers a failure for a while, and ends the fetch. What another process is fetching stays
    /// as it is meanwhile.
    pub(super) fn fail(
        &self,
        failure: Failure,
        now: Duration,
        random: &dyn Random,
    ) -> Result<Arc<T>> {
        let mut state = self.state();
        state.in_flight = None;
        let error = failure.error;
        if let Some(kept) = state.kept.as_mut().filter(|_| failure.deferred_to_peer) {
            kept.refresh_from = now.saturating_add(BETWEEN_LOOKS);
            return Ok(Arc::clone(&kept.value));
        }
        if failure.inherited {
            return Err(error);
        }
        state.failures += 1;
        if let Some(kept) = state.kept.as_mut().filter(|_| failure.wrong_version) {
            kept.freshness = None;
        }
        let failures = state
            .failure_state
            .as_ref()
            .map_or(0, |failure_state| failure_state.failures);
        let failures = failures.saturating_add(1);
        let has_document = state
            .kept
            .as_ref()
            .is_some_and(|kept| now < kept.usable_until);
        let pause = backoff::pause(failures, failure.retry_after, has_document, random);
        state.failure_state = Some(FailureState {
            error: error.clone(),
            failures,
            pause_until: now.saturating_add(pause),
        });
        drop(state);
        events::document_not_fetched(self.name, &error, failures, has_document, pause);
        Err(error)
    }

    /// What the document that is kept said about its reuse, and how it came, if that was from
    /// `url`.
    pub(super) fn kept_from(&self, url: &Url) -> Option<(Freshness, Bytes)> {
        let state = self.state();
        let kept = state.kept.as_ref().filter(|kept| kept.url == *url)?;
        Some((kept.freshness.clone()?, kept.body.clone()))
    }

    /// The end of a document that came from a store; none for what the broker sent. What is kept no
    /// more has come to its end.
    pub(super) fn end_of(&self, seen: &Arc<T>, now: Duration) -> Option<Expiry> {
        let state = self.state();
        match state.kept.as_ref() {
            Some(kept) if Arc::ptr_eq(seen, &kept.value) => kept.is_shared.then(|| kept.end()),
            _ => Some(Expiry::at(now)),
        }
    }

    /// Whether the document is fresh.
    pub(super) fn is_fresh(&self, now: Duration) -> bool {
        let state = self.state();
        state
            .kept
            .as_ref()
            .is_some_and(|kept| now < kept.fresh_until)
    }

    /// How old the document is, if it may be used.
    pub(super) fn age(&self, now: Duration) -> Option<Duration> {
        let state = self.state();
        let kept = state.kept.as_ref();
        kept.filter(|kept| now < kept.usable_until)
            .map(|kept| kept.age_at(now))
    }

    pub(super) fn count_shared_load(&self) {
        self.state().shared_loads += 1;
    }

    pub(super) fn count_request(&self) {
        self.state().requests += 1;
    }

    pub(super) fn stats(&self, now: Duration) -> DocumentStats {
        let state = self.state();
        let kept = state.kept.as_ref();
        DocumentStats {
            requests: state.requests,
            failures: state.failures,
            stale_serves: state.stale_serves,
            shared_loads: state.shared_loads,
            changes: state.changes,
            age_seconds: kept.map(|kept| kept.age_at(now).as_secs_f64()),
            fresh_for_seconds: kept.map(|kept| kept.fresh_until.saturating_sub(now).as_secs_f64()),
            retry_in_seconds: state
                .failure_state
                .as_ref()
                .map(|failure_state| failure_state.pause_until.saturating_sub(now).as_secs_f64()),
        }
    }

    /// Aborts the fetch that runs, if one does.
    pub(super) fn abandon(&self) {
        if let Some(in_flight) = self.state().in_flight.take() {
            in_flight.abort();
        }
    }

    fn lookup(
        &self,
        now: Duration,
        start: impl FnOnce() -> Result<InFlight<T>>,
    ) -> LookupResult<T> {
        let mut state = self.state();
        let Some(kept) = state.kept.as_ref().filter(|kept| now < kept.usable_until) else {
            return state.fetch(now, start);
        };
        let value = Arc::clone(&kept.value);
        let fresh = now < kept.fresh_until;
        if now < kept.refresh_from {
            let value = if fresh {
                value
            } else {
                self.stale(state, value)
            };
            return LookupResult::Now(Ok(value));
        }
        let failed_lately = state.failed_lately(now);
        match state.fetch(now, start) {
            _ if fresh => LookupResult::Now(Ok(value)),
            // The last attempt failed a moment ago. Another one runs, or will, but nobody has to
            // wait for it to fail again.
            LookupResult::Later(in_flight) if !failed_lately => LookupResult::Later(in_flight),
            _ => LookupResult::Now(Ok(self.stale(state, value))),
        }
    }

    fn lookup_newer(
        &self,
        seen: &Arc<T>,
        now: Duration,
        start: impl FnOnce() -> Result<InFlight<T>>,
    ) -> LookupResult<T> {
        let mut state = self.state();
        if let Some(kept) = state.kept.as_ref().filter(|kept| now < kept.usable_until) {
            let value = Arc::clone(&kept.value);
            let too_soon = now < state.force_from || kept.age_at(now) < MIN_AGE_FOR_REFRESH;
            let idle = state.running().is_none() && !state.pausing(now);
            if !Arc::ptr_eq(seen, &value) || (idle && too_soon) {
                return LookupResult::Now(Ok(value));
            }
            if idle {
                state.force_from = now.saturating_add(BETWEEN_FORCED);
            }
        }
        state.fetch(now, start)
    }

    /// What a caller who waited gets: what was fetched, or else an older document that may still
    /// serve.
    fn or_older(&self, result: Result<Arc<T>>, now: Duration) -> Result<Arc<T>> {
        let Err(error) = result else {
            return result;
        };
        let state = self.state();
        match state.kept.as_ref().filter(|kept| now < kept.usable_until) {
            Some(kept) => {
                let value = Arc::clone(&kept.value);
                Ok(self.stale(state, value))
            }
            None => Err(error),
        }
    }

    #[cfg(test)]
    #[cfg(feature = "testing")]
    pub(super) fn is_fetching(&self) -> bool {
        self.state().running().is_some()
    }

    fn stale(&self, mut state: MutexGuard<'_, State<T>>, value: Arc<T>) -> Arc<T> {
        state.stale_serves += 1;
        drop(state);
        events::stale_document_served(self.name);
        value
    }

    /// What the lock protects is consistent after every statement, so a panic elsewhere is no
    /// reason to give up.
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    /// Joins the fetch that runs, or repeats the last error, or starts a fetch.
    fn fetch(
        &mut self,
        now: Duration,
        start: impl FnOnce() -> Result<InFlight<T>>,
    ) -> LookupResult<T> {
        if let Some(in_flight) = self.running() {
            return LookupResult::Later(in_flight.clone());
        }
        if let Some(failure_state) = self
            .failure_state
            .as_ref()
            .filter(|failure_state| now < failure_state.pause_until)
        {
            return LookupResult::Now(Err(failure_state.error.clone()));
        }
        match start() {
            Ok(in_flight) => {
                self.in_flight = Some(in_flight.clone());
                LookupResult::Later(in_flight)
            }
            Err(error) => LookupResult::Now(Err(error)),
        }
    }

    fn running(&self) -> Option<&InFlight<T>> {
        self.in_flight
            .as_ref()
            .filter(|in_flight| !in_flight.is_over())
    }

    fn pausing(&self, now: Duration) -> bool {
        let failure_state = self.failure_state.as_ref();
        failure_state.is_some_and(|failure_state| now < failure_state.pause_until)
    }

    /// Whether a fetch failed so recently that the next one will probably fail too.
    fn failed_lately(&self, now: Duration) -> bool {
        let failure_state = self.failure_state.as_ref();
        failure_state.is_some_and(|failure_state| {
            now < failure_state.pause_until.saturating_add(backoff::LONGEST)
        })
    }
}
