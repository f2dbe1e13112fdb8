//! The cache of one document: decides whether the document may be used, and when it is fetched.
//!
//! All times are of the monotonic clock.

mod report;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use url::Url;

use super::backoff::{self, FailureState};
use super::cached::{CachedDocument, Lifetime};
use super::fetch::Validators;
use super::fetched::{Expiry, Failure, Fetched};
use super::in_flight::InFlight;
use crate::clock::{Clock, Random};
use crate::error::{Code, Error, Result};
use crate::events;
use crate::stats::Durations;

/// The minimum time between fetches because of a missing key or URL.
const BETWEEN_FORCED: Duration = Duration::from_secs(5);
/// The minimum age of a document before such a fetch: a newly fetched document would not differ, and
/// invented key ids must not double the requests.
const MIN_AGE_FOR_REFRESH: Duration = Duration::from_secs(1);
/// The time between checks for a document that another process is fetching.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
/// The age from which the keys may have changed at the broker, if a signature is invalid.
const SUSPECT_AGE: Duration = Duration::from_secs(5 * 60);

pub(super) struct Cache<T> {
    name: &'static str,
    state: Mutex<State<T>>,
    durations: Durations,
}

/// The result of a look-up.
enum LookupResult<T> {
    /// The document, or an error, at once.
    Now(Result<Arc<T>>),
    /// A fetch to wait for.
    Later(InFlight<T>),
}

struct State<T> {
    cached: Option<CachedDocument<T>>,
    in_flight: Option<InFlight<T>>,
    failing: Option<FailureState>,
    /// The earliest time of the next fetch because of a missing key or URL.
    force_from: Duration,
    requests: u64,
    failures: u64,
    stale_serves: u64,
    shared_loads: u64,
    changes: u64,
}

impl<T: Send + Sync + 'static> Cache<T> {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            state: Mutex::new(State {
                cached: None,
                in_flight: None,
                failing: None,
                force_from: Duration::ZERO,
                requests: 0,
                failures: 0,
                stale_serves: 0,
                shared_loads: 0,
                changes: 0,
            }),
            durations: Durations::default(),
        }
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// How long the requests for this document took.
    pub(super) fn durations(&self) -> &Durations {
        &self.durations
    }

    /// The document. `start` starts a fetch; it is called under the lock, if a fetch is due.
    pub(super) async fn get(
        &self,
        clock: &dyn Clock,
        start: impl FnOnce() -> Result<InFlight<T>>,
    ) -> Result<Arc<T>> {
        match self.lookup(clock.monotonic(), start) {
            LookupResult::Now(answer) => answer,
            LookupResult::Later(in_flight) => {
                // In a box: nearly all callers find the document in the cache.
                let result = Box::pin(in_flight.result()).await;
                self.or_older(result, clock.monotonic())
            }
        }
    }

    /// The document for a caller that found something missing in `seen`: the cached document if it is
    /// another one, else the result of a fetch, which is limited in frequency.
    pub(super) async fn get_newer_than(
        &self,
        seen: &Arc<T>,
        clock: &dyn Clock,
        start: impl Fn() -> Result<InFlight<T>>,
    ) -> Result<Arc<T>> {
        // A fetch that was running already may leave the document unchanged, because another process
        // holds the lease. Then a second fetch is started for this caller.
        for _ in 0..2 {
            match self.lookup_newer(seen, clock.monotonic(), &start) {
                LookupResult::Now(answer) => return answer,
                LookupResult::Later(in_flight) => match Box::pin(in_flight.result()).await {
                    Ok(value) if Arc::ptr_eq(seen, &value) => {}
                    result => return result,
                },
            }
        }
        Ok(Arc::clone(seen))
    }

    pub(super) fn may_have_changed(&self, seen: &Arc<T>, now: Duration) -> bool {
        let state = self.state();
        state.cached.as_ref().is_none_or(|cached| {
            !Arc::ptr_eq(seen, &cached.value)
                || now.saturating_sub(cached.lifetime.since) >= SUSPECT_AGE
        })
    }

    /// Stores a fetched document, and ends the fetch.
    pub(super) fn adopt(&self, mut fetched: Fetched<T>) -> Result<Arc<T>> {
        let mut state = self.state();
        state.in_flight = None;
        let before = state.cached.take();
        let changed = before
            .as_ref()
            .is_some_and(|cached| cached.body != fetched.body);
        let unchanged = fetched.value.is_none();
        let value = match (fetched.value.take(), before) {
            (Some(value), _) => Arc::new(value),
            (None, Some(cached)) => cached.value,
            (None, None) => {
                return Err(Error::new(Code::Internal, "nothing to revalidate"));
            }
        };
        state.changes += u64::from(changed);
        let failing = state.failing.take();
        let (is_shared, lifetime) = (fetched.is_shared, fetched.lifetime);
        state.shared_loads += u64::from(is_shared);
        state.cached = Some(CachedDocument::new(Arc::clone(&value), fetched));
        drop(state);
        if is_shared {
            events::document_shared(self.name);
        } else {
            let failures = failing.map_or(0, |failing| failing.failures);
            events::document_fetched(self.name, unchanged, lifetime, failures);
        }
        if changed {
            events::document_changed(self.name);
        }
        Ok(value)
    }

    /// Records a failure, and ends the fetch. If another process is fetching the document, the cached one
    /// stays in use.
    pub(super) fn fail(
        &self,
        failure: Failure,
        now: Duration,
        random: &dyn Random,
    ) -> Result<Arc<T>> {
        let mut state = self.state();
        state.in_flight = None;
        let error = failure.error;
        if let Some(cached) = state.cached.as_mut().filter(|_| failure.deferred_to_peer) {
            cached.refresh_from = now.saturating_add(BETWEEN_LOOKS);
            return Ok(Arc::clone(&cached.value));
        }
        if failure.inherited {
            return Err(error);
        }
        state.failures += 1;
        if let Some(cached) = state.cached.as_mut().filter(|_| failure.wrong_version) {
            cached.freshness = None;
        }
        let failures = state.failing.as_ref().map_or(0, |failing| failing.failures);
        let failures = failures.saturating_add(1);
        let has_document = state
            .cached
            .as_ref()
            .is_some_and(|cached| cached.lifetime.is_usable(now));
        let pause = backoff::pause(failures, failure.retry_after, has_document, random);
        let error = error.with_retry_after(pause);
        state.failing = Some(FailureState {
            error: error.clone(),
            failures,
            pause_until: now.saturating_add(pause),
        });
        drop(state);
        events::document_not_fetched(self.name, &error, failures, has_document, pause);
        Err(error)
    }

    /// The lifetime of the cached document, and, if it came from `url`, what a conditional request
    /// needs.
    pub(super) fn snapshot(&self, url: &Url) -> (Option<Lifetime>, Option<Validators>) {
        let state = self.state();
        let Some(cached) = &state.cached else {
            return (None, None);
        };
        let freshness = cached.freshness.as_ref().filter(|_| cached.url == *url);
        let validators = freshness.map(|freshness| Validators {
            freshness: freshness.clone(),
            body: cached.body.clone(),
        });
        (Some(cached.lifetime), validators)
    }

    /// The expiry of a document that came from a store; `None` if the broker sent it. A document that is no
    /// longer cached has expired.
    pub(super) fn expiry_of(&self, seen: &Arc<T>, now: Duration) -> Option<Expiry> {
        let state = self.state();
        match state.cached.as_ref() {
            Some(cached) if Arc::ptr_eq(seen, &cached.value) => {
                cached.is_shared.then_some(cached.lifetime.expiry)
            }
            _ => Some(Expiry::at(now)),
        }
    }

    pub(super) fn count_request(&self) {
        self.state().requests += 1;
    }

    /// Aborts a running fetch.
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
        let Some(cached) = state
            .cached
            .as_ref()
            .filter(|cached| cached.lifetime.is_usable(now))
        else {
            return state.fetch(now, start);
        };
        let value = Arc::clone(&cached.value);
        let fresh = cached.lifetime.is_fresh(now);
        if now < cached.refresh_from {
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
            // The last fetch failed a moment ago, and the next one will probably fail, too. Callers do
            // not wait for it.
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
        if let Some(cached) = state
            .cached
            .as_ref()
            .filter(|cached| cached.lifetime.is_usable(now))
        {
            let value = Arc::clone(&cached.value);
            let too_soon =
                now < state.force_from || cached.lifetime.age_at(now) < MIN_AGE_FOR_REFRESH;
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

    /// The fetched document, or else the cached one if it is still usable.
    fn or_older(&self, result: Result<Arc<T>>, now: Duration) -> Result<Arc<T>> {
        let Err(error) = result else {
            return result;
        };
        let state = self.state();
        match state
            .cached
            .as_ref()
            .filter(|cached| cached.lifetime.is_usable(now))
        {
            Some(cached) => {
                let value = Arc::clone(&cached.value);
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

    /// The state is consistent after every statement, so a poisoned lock is not an error.
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
        if let Some(failing) = self.failing.as_ref().filter(|failing| failing.pauses(now)) {
            let pause = failing.pause_until.saturating_sub(now);
            return LookupResult::Now(Err(failing.error.clone().with_retry_after(pause)));
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
        let failing = self.failing.as_ref();
        failing.is_some_and(|failing| failing.pauses(now))
    }

    fn failed_lately(&self, now: Duration) -> bool {
        let failing = self.failing.as_ref();
        failing.is_some_and(|failing| failing.failed_lately(now))
    }
}
