//! What a client has done so far.

mod durations;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use serde::Serialize;

pub(crate) use self::durations::{DURATION_LIMITS, Durations};
pub use self::durations::{DurationBucket, DurationStats};
use crate::error::{Code, Kind};

/// What a client has done so far, and the state of its broker's documents.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// The broker's discovery document.
    pub discovery: DocumentStats,
    /// The broker's keys.
    pub keys: DocumentStats,
    /// How many logins were started.
    pub logins_started: u64,
    /// How many logins were completed.
    pub logins_completed: u64,
    /// How many logins failed to start or to complete, by the code of the error. Codes that never occurred
    /// are omitted. A callback that could not be parsed is not counted.
    pub failures: BTreeMap<&'static str, u64>,
    /// How many logins are pending, if the store can tell.
    pub pending: Option<usize>,
    /// How far the broker's clock is ahead of this machine's, in seconds with the precision of an HTTP
    /// date; unknown before the first answer. If it is larger than the leeway, valid tokens are refused.
    pub clock_difference: Option<f64>,
    /// How long the starts of logins (`authenticate`), their completions (`complete`), and the requests for the
    /// broker's documents (`discovery`, `keys`) took.
    pub durations: BTreeMap<&'static str, DurationStats>,
}

/// The state of one of the broker's documents.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DocumentStats {
    /// How many requests were sent; a retry within the transport is not counted.
    pub requests: u64,
    /// How many fetches failed.
    pub failures: u64,
    /// How often an expired document was used because no newer one could be fetched.
    pub stale_serves: u64,
    /// How often a document that another process had fetched was loaded from the store.
    pub shared_loads: u64,
    /// How often a different document replaced the cached one. For the keys, this is a rotation.
    pub changes: u64,
    /// How long ago the document was fetched or revalidated; absent if there is none.
    pub age_seconds: Option<f64>,
    /// How long the document is still fresh, zero if it has expired; absent if there is none.
    pub fresh_for_seconds: Option<f64>,
    /// How long the document is still used if no newer one can be fetched, zero if that time is over; absent
    /// if there is none.
    pub usable_for_seconds: Option<f64>,
    /// How long no request is sent because the last fetch failed, zero if the pause is over; absent if the
    /// last fetch did not fail.
    pub retry_in_seconds: Option<f64>,
}

/// The figures of both documents.
#[derive(Debug, Default)]
pub(crate) struct DocumentsStats {
    pub(crate) discovery: DocumentStats,
    pub(crate) keys: DocumentStats,
    /// In seconds; see [`Stats::clock_difference`].
    pub(crate) clock_difference: Option<f64>,
    /// How long the requests for each of them took.
    pub(crate) durations: Vec<(&'static str, DurationStats)>,
}

/// Counts and times logins.
#[derive(Debug)]
pub(crate) struct Counters {
    /// How long it takes to start a login.
    pub(crate) authenticate: Durations,
    /// How long it takes to complete one.
    pub(crate) complete: Durations,
    started: AtomicU64,
    completed: AtomicU64,
    failures: [AtomicU64; Code::ALL.len()],
    /// The code of the store's error in the last login, as an index of [`Code::ALL`]; [`NO_ERROR`] if there was none.
    store_error: AtomicUsize,
}

const NO_ERROR: usize = usize::MAX;

impl Default for Counters {
    fn default() -> Self {
        Self {
            authenticate: Durations::default(),
            complete: Durations::default(),
            started: AtomicU64::default(),
            completed: AtomicU64::default(),
            failures: [const { AtomicU64::new(0) }; Code::ALL.len()],
            store_error: AtomicUsize::new(NO_ERROR),
        }
    }
}

impl Counters {
    pub(crate) fn started(&self) {
        self.started.fetch_add(1, Relaxed);
        self.store_works();
    }

    pub(crate) fn completed(&self) {
        self.completed.fetch_add(1, Relaxed);
        self.store_works();
    }

    pub(crate) fn failed(&self, code: Code) {
        if let Some(failures) = self.failures.get(code as usize) {
            failures.fetch_add(1, Relaxed);
        }
        if code.kind() == Kind::StoreError {
            self.store_error.store(code as usize, Relaxed);
        }
    }

    /// The error of the store in the last login that used it.
    pub(crate) fn store_error(&self) -> Option<Code> {
        Code::ALL.get(self.store_error.load(Relaxed)).copied()
    }

    /// Writes only after an error, because all threads share this value.
    fn store_works(&self) {
        if self.store_error.load(Relaxed) != NO_ERROR {
            self.store_error.store(NO_ERROR, Relaxed);
        }
    }

    /// Makes the statistics.
    pub(crate) fn stats(&self, documents: DocumentsStats, pending: Option<usize>) -> Stats {
        let mut failures = BTreeMap::new();
        for (code, count) in Code::ALL.iter().zip(&self.failures) {
            let count = count.load(Relaxed);
            if count > 0 {
                failures.insert(code.as_str(), count);
            }
        }
        let mut durations = BTreeMap::new();
        durations.insert("authenticate", self.authenticate.stats());
        durations.insert("complete", self.complete.stats());
        durations.extend(documents.durations);
        Stats {
            discovery: documents.discovery,
            keys: documents.keys,
            logins_started: self.started.load(Relaxed),
            logins_completed: self.completed.load(Relaxed),
            failures,
            pending,
            clock_difference: documents.clock_difference,
            durations,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_counted_under_its_own_name() {
        let counters = Counters::default();
        counters.started();
        counters.completed();
        for (count, code) in Code::ALL.iter().enumerate() {
            for _ in 0..count {
                counters.failed(*code);
            }
        }
        let stats = counters.stats(DocumentsStats::default(), Some(3));
        assert_eq!((stats.logins_started, stats.logins_completed), (1, 1));
        for (count, code) in Code::ALL.iter().enumerate().skip(1) {
            assert_eq!(stats.failures[code.as_str()], count as u64);
        }
        assert!(!stats.failures.contains_key(Code::ALL[0].as_str()));
    }

    #[test]
    fn only_errors_of_the_store_are_kept_and_only_until_a_login_works() {
        for works in [Counters::started, Counters::completed] {
            let counters = Counters::default();
            counters.failed(Code::BrokerTimeout);
            assert_eq!(counters.store_error(), None);
            for code in [Code::StoreFull, Code::StoreUnavailable] {
                counters.failed(code);
                counters.failed(Code::TokenExpired);
                assert_eq!(counters.store_error(), Some(code));
            }
            works(&counters);
            assert_eq!(counters.store_error(), None);
        }
    }

    #[test]
    fn stats_serialize_under_the_names_of_their_fields() {
        let mut documents = DocumentsStats {
            clock_difference: Some(-1.0),
            ..DocumentsStats::default()
        };
        documents.keys.requests = 2;
        let stats = Counters::default().stats(documents, None);
        let value = serde_json::to_value(stats).unwrap();
        assert_eq!(value["keys"]["requests"], 2);
        assert_eq!(value["discovery"]["age_seconds"], serde_json::Value::Null);
        assert_eq!(value["clock_difference"], -1.0);
        assert_eq!(value["failures"], serde_json::json!({}));
    }
}
