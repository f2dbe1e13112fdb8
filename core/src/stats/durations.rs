//! How long operations take.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use serde::Serialize;

/// The upper limits of the buckets, in seconds. An operation that does not wait takes less than a
/// millisecond, and a request to a broker that is down ends after some seconds.
pub(crate) const DURATION_LIMITS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// How long the operations of one kind took, whether they succeeded or failed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DurationStats {
    /// How many operations ended.
    pub count: u64,
    /// The sum of their durations.
    pub total_seconds: f64,
    /// How many of them were how fast, from the shortest limit to the longest.
    pub buckets: Vec<DurationBucket>,
}

/// How many operations took at most a certain time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DurationBucket {
    /// The time.
    pub limit_seconds: f64,
    /// How many took this time or less; it includes the shorter buckets.
    pub count: u64,
}

/// Counts durations by their length.
#[derive(Debug, Default)]
pub(crate) struct Durations {
    /// One for each limit, and one for what took longer.
    counts: [AtomicU64; DURATION_LIMITS.len() + 1],
    nanoseconds: AtomicU64,
}

impl Durations {
    pub(crate) fn record(&self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        let bucket = DURATION_LIMITS.partition_point(|limit| *limit < seconds);
        if let Some(count) = self.counts.get(bucket) {
            count.fetch_add(1, Relaxed);
        }
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Relaxed);
    }

    pub(crate) fn stats(&self) -> DurationStats {
        let mut so_far = 0;
        let mut counts = self.counts.iter().map(|count| {
            so_far += count.load(Relaxed);
            so_far
        });
        let buckets = DURATION_LIMITS.into_iter().zip(counts.by_ref());
        let buckets = buckets
            .map(|(limit_seconds, count)| DurationBucket {
                limit_seconds,
                count,
            })
            .collect();
        DurationStats {
            buckets,
            count: counts.last().unwrap_or_default(),
            total_seconds: Duration::from_nanos(self.nanoseconds.load(Relaxed)).as_secs_f64(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_has_what_took_its_limit_or_less() {
        let durations = Durations::default();
        for micros in [
            0, 500, 501, 1000, 9_999_000, 10_000_000, 10_000_001, 60_000_000,
        ] {
            durations.record(Duration::from_micros(micros));
        }
        let stats = durations.stats();
        let count = |limit: f64| {
            let mut buckets = stats.buckets.iter();
            buckets
                .find(|bucket| bucket.limit_seconds.to_bits() == limit.to_bits())
                .unwrap()
                .count
        };
        assert_eq!(
            [count(0.0005), count(0.001), count(5.0), count(10.0)],
            [2, 4, 4, 6]
        );
        assert_eq!(
            (stats.count, stats.buckets.len()),
            (8, DURATION_LIMITS.len())
        );
        assert!((stats.total_seconds - 90.001_002).abs() < 1e-9);
    }

    #[test]
    fn limits_grow() {
        assert!(DURATION_LIMITS.is_sorted());
    }
}
