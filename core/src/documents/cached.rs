//! The document that a cache holds, and how long it may be used.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use url::Url;

use super::fetched::{Expiry, Fetched};
use crate::freshness::{FLOOR, Freshness};

/// How long after its expiry a document is used while no newer one can be fetched.
const STALE_IF_ERROR: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) struct CachedDocument<T> {
    pub(super) value: Arc<T>,
    pub(super) url: Url,
    /// `None` if the document must not be revalidated: a 304 confirms what the broker sent to this
    /// process, and nothing that came from a store.
    pub(super) freshness: Option<Freshness>,
    pub(super) body: Bytes,
    pub(super) refresh_from: Duration,
    pub(super) lifetime: Lifetime,
    pub(super) is_shared: bool,
}

/// How old a document is, and how long it may be used. All times are of the monotonic clock.
#[derive(Clone, Copy)]
pub(super) struct Lifetime {
    pub(super) since: Duration,
    /// How old the document was at that time.
    age: Duration,
    pub(super) expiry: Expiry,
}

impl Lifetime {
    pub(super) fn age_at(&self, now: Duration) -> Duration {
        now.saturating_sub(self.since).saturating_add(self.age)
    }

    pub(super) fn is_fresh(&self, now: Duration) -> bool {
        now < self.expiry.fresh_until
    }

    pub(super) fn is_usable(&self, now: Duration) -> bool {
        now < self.expiry.usable_until
    }
}

impl<T> CachedDocument<T> {
    /// `value` is the parsed body of `fetched`.
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
        if let Some(expiry) = fetched.expiry {
            // Not at once: otherwise every caller would fetch.
            let soonest = asked_at.saturating_add(FLOOR);
            fresh_until = fresh_until.min(expiry.fresh_until.max(soonest));
            usable_until = usable_until.min(expiry.usable_until.max(soonest));
        }
        Self {
            value,
            url: fetched.url,
            freshness: (!is_shared).then_some(fetched.freshness),
            body: fetched.body,
            refresh_from: after(lifetime / 5 * 4).min(fresh_until),
            lifetime: Lifetime {
                since: asked_at,
                age,
                expiry: Expiry {
                    fresh_until,
                    usable_until,
                },
            },
            is_shared,
        }
    }
}
