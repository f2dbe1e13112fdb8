//! The document that a cache keeps, and for how long.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use url::Url;

use super::fetch::Fetched;
use crate::freshness::{FLOOR, Freshness};

/// How long past its end a document serves while there is no newer one to be had.
const STALE_IF_ERROR: Duration = Duration::from_secs(24 * 60 * 60);

/// A document; all times are of the monotonic clock.
pub(super) struct CachedDocument<T> {
    pub(super) value: Arc<T>,
    pub(super) url: Url,
    /// `None` if the document must not be revalidated: a 304 confirms what the broker sent to this
    /// process, and nothing that came from a store.
    pub(super) freshness: Option<Freshness>,
    pub(super) body: Bytes,
    pub(super) since: Duration,
    /// How old it was at that time.
    age: Duration,
    pub(super) refresh_from: Duration,
    pub(super) fresh_until: Duration,
    pub(super) usable_until: Duration,
    pub(super) is_shared: bool,
}

/// When a document comes to its end.
#[derive(Clone, Copy)]
pub(super) struct Expiry {
    fresh_until: Duration,
    usable_until: Duration,
}

impl Expiry {
    pub(super) fn at(time: Duration) -> Self {
        Self {
            fresh_until: time,
            usable_until: time,
        }
    }
}

impl<T> CachedDocument<T> {
    /// Keeps what was fetched; `value` is what its body says.
    pub(super) fn new(value: Arc<T>, fetched: Fetched<T>) -> Self {
        let Fetched {
            asked_at,
            age,
            lifetime,
            is_shared,
            ..
        } = fetched;
        let after = |lifetime: Duration| asked_at.saturating_add(lifetime.saturating_sub(age));
        let mut fresh_until = after(lifetime);
        let mut usable_until = fresh_until.saturating_add(STALE_IF_ERROR);
        if let Some(end) = fetched.end {
            // Not at once, or every caller would fetch.
            let soonest = asked_at.saturating_add(FLOOR);
            fresh_until = fresh_until.min(end.fresh_until.max(soonest));
            usable_until = usable_until.min(end.usable_until.max(soonest));
        }
        Self {
            value,
            url: fetched.url,
            freshness: (!is_shared).then_some(fetched.freshness),
            body: fetched.body,
            since: asked_at,
            age,
            refresh_from: after(lifetime / 5 * 4).min(fresh_until),
            fresh_until,
            usable_until,
            is_shared,
        }
    }

    pub(super) fn age_at(&self, now: Duration) -> Duration {
        now.saturating_sub(self.since).saturating_add(self.age)
    }

    pub(super) fn end(&self) -> Expiry {
        Expiry {
            fresh_until: self.fresh_until,
            usable_until: self.usable_until,
        }
    }
}
