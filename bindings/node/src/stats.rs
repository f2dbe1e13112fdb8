//! The counters of a client, in the types of JavaScript. Durations are in milliseconds.

use std::collections::HashMap;

use napi_derive::napi;

/// The counters of a client.
#[napi(object, object_from_js = false, use_nullable = true)]
pub struct Stats {
    /// The discovery document.
    pub discovery: DocumentStats,
    /// The keys.
    pub keys: DocumentStats,
    /// Logins started.
    pub logins_started: i64,
    /// Logins completed.
    pub logins_completed: i64,
    /// Failed calls by code.
    pub failures: HashMap<String, i64>,
    /// Pending logins, if the store can tell.
    pub pending: Option<i64>,
    /// How far the broker's clock is ahead of ours.
    pub clock_difference_ms: Option<f64>,
    /// How long operations took.
    pub durations: HashMap<String, DurationStats>,
}

/// How long the operations of one kind took.
#[napi(object, object_from_js = false)]
pub struct DurationStats {
    /// Operations that ended.
    pub count: i64,
    /// The sum of their durations.
    pub total_ms: f64,
    /// How many were how fast.
    pub buckets: Vec<DurationBucket>,
}

/// How many operations took at most a certain time.
#[napi(object, object_from_js = false)]
pub struct DurationBucket {
    /// The time.
    pub limit_ms: f64,
    /// Operations that took at most this time.
    pub count: i64,
}

/// The state of one document.
#[napi(object, object_from_js = false, use_nullable = true)]
pub struct DocumentStats {
    /// Requests sent.
    pub requests: i64,
    /// Fetches that failed.
    pub failures: i64,
    /// How often it was used after it had expired.
    pub stale_serves: i64,
    /// Documents that another process had fetched.
    pub shared_loads: i64,
    /// Documents that replaced another one.
    pub changes: i64,
    /// How long ago it was fetched.
    pub age_ms: Option<f64>,
    /// How long it may still be used.
    pub fresh_for_ms: Option<f64>,
    /// How long it is used if no newer one can be fetched.
    pub usable_for_ms: Option<f64>,
    /// How long until it may be fetched again after a failure.
    pub retry_in_ms: Option<f64>,
}

impl From<portier_client::Stats> for Stats {
    fn from(stats: portier_client::Stats) -> Self {
        Self {
            discovery: stats.discovery.into(),
            keys: stats.keys.into(),
            logins_started: number(stats.logins_started),
            logins_completed: number(stats.logins_completed),
            failures: stats
                .failures
                .into_iter()
                .map(|(code, count)| (code.to_owned(), number(count)))
                .collect(),
            pending: stats.pending.map(|pending| number(pending as u64)),
            clock_difference_ms: stats.clock_difference.map(milliseconds),
            durations: stats
                .durations
                .into_iter()
                .map(|(operation, durations)| (operation.to_owned(), durations.into()))
                .collect(),
        }
    }
}

impl From<portier_client::DurationStats> for DurationStats {
    fn from(stats: portier_client::DurationStats) -> Self {
        let buckets = stats.buckets.into_iter();
        Self {
            count: number(stats.count),
            total_ms: milliseconds(stats.total_seconds),
            buckets: buckets
                .map(|bucket| DurationBucket {
                    limit_ms: milliseconds(bucket.limit_seconds),
                    count: number(bucket.count),
                })
                .collect(),
        }
    }
}

impl From<portier_client::DocumentStats> for DocumentStats {
    fn from(stats: portier_client::DocumentStats) -> Self {
        Self {
            requests: number(stats.requests),
            failures: number(stats.failures),
            stale_serves: number(stats.stale_serves),
            shared_loads: number(stats.shared_loads),
            changes: number(stats.changes),
            age_ms: stats.age_seconds.map(milliseconds),
            fresh_for_ms: stats.fresh_for_seconds.map(milliseconds),
            usable_for_ms: stats.usable_for_seconds.map(milliseconds),
            retry_in_ms: stats.retry_in_seconds.map(milliseconds),
        }
    }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn milliseconds(seconds: f64) -> f64 {
    seconds * 1000.0
}
