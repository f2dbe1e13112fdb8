//! The outcome of a fetch: a document, or why there is none.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use url::Url;

use crate::error::{Code, Error};
use crate::freshness::Freshness;

/// A document that may be used from now on.
pub(super) struct Fetched<T> {
    /// `None` if the cached document is still valid.
    pub(super) value: Option<T>,
    pub(super) url: Url,
    pub(super) freshness: Freshness,
    /// The body as received.
    pub(super) body: Bytes,
    /// When it was requested, on the monotonic clock.
    pub(super) asked_at: Duration,
    /// The same on the wall clock. If another process fetched the document, the time of its request.
    pub(super) asked_on: SystemTime,
    /// How old the document was at that time; zero unless another process fetched it.
    pub(super) age: Duration,
    /// How long the document is fresh, counted from when the broker was asked.
    pub(super) lifetime: Duration,
    /// Whether another process fetched it.
    pub(super) is_shared: bool,
    /// When it expires at the latest, if that depends on another document.
    pub(super) expiry: Option<Expiry>,
}

/// When a document expires, on the monotonic clock.
#[derive(Clone, Copy)]
pub(super) struct Expiry {
    pub(super) fresh_until: Duration,
    /// Until then, the document is used if no newer one can be fetched.
    pub(super) usable_until: Duration,
}

impl Expiry {
    pub(super) fn at(time: Duration) -> Self {
        Self {
            fresh_until: time,
            usable_until: time,
        }
    }
}

/// Why there is no document.
pub(super) struct Failure {
    pub(super) error: Error,
    pub(super) status: Option<u16>,
    pub(super) retry_after: Option<Duration>,
    /// Another document failed, and its cache has recorded the failure already.
    pub(super) inherited: bool,
    /// Another process is fetching the document.
    pub(super) deferred_to_peer: bool,
    /// A 304 came for another version than the cached one, so the same conditional request must not
    /// be sent again.
    pub(super) wrong_version: bool,
}

impl Failure {
    pub(super) fn new(error: Error) -> Self {
        Self {
            error,
            status: None,
            retry_after: None,
            inherited: false,
            deferred_to_peer: false,
            wrong_version: false,
        }
    }

    /// The failure of another document, which this one depends on.
    pub(super) fn inherited(error: Error) -> Self {
        Self {
            inherited: true,
            ..Self::new(error)
        }
    }

    /// Not an error: another process fetches the document.
    pub(super) fn deferred_to_peer() -> Self {
        let message = "another process is fetching the document";
        Self {
            deferred_to_peer: true,
            ..Self::inherited(Error::new(Code::BrokerTimeout, message))
        }
    }

    /// Whether the document is no longer at that URL.
    pub(super) fn is_gone(&self) -> bool {
        matches!(self.status, Some(404 | 410))
    }
}
