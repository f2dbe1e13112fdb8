//! One request for a document, and what became of it.

use std::time::{Duration, SystemTime};

use ::http::HeaderMap;
use ::http::header::{ACCEPT, HeaderValue};
use bytes::Bytes;
use url::Url;

use super::backoff::retry_after;
use super::cache::Cache;
use super::cached::Expiry;
use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::freshness::Freshness;
use crate::http::{Request, Response, Transport};

const ACCEPTED: HeaderValue =
    HeaderValue::from_static("application/json, application/jwk-set+json");

/// Asks for the document at `url`, on the condition that it is not the one `cache` keeps.
pub(super) async fn fetch<T: Send + Sync + 'static>(
    transport: &dyn Transport,
    clock: &dyn Clock,
    cache: &Cache<T>,
    url: &Url,
    parse: impl FnOnce(&[u8]) -> Result<T>,
) -> Result<Fetched<T>, Failure> {
    let kept = cache.kept_from(url);
    let mut headers = match &kept {
        Some((freshness, _)) => freshness.conditions(),
        None => HeaderMap::new(),
    };
    headers.insert(ACCEPT, ACCEPTED);
    let request = Request::get(url.clone(), headers);
    let asked_at = clock.monotonic();
    let now = clock.now();
    cache.count_request();
    let response = transport.send(request).await.map_err(Failure::new)?;
    let (value, freshness, body) = match (response.status, kept) {
        (200, _) => {
            let value = parse(&response.body).map_err(Failure::new)?;
            (
                Some(value),
                Freshness::new(&response.headers),
                response.body,
            )
        }
        (304, Some((kept, body))) if !kept.conditions().is_empty() => {
            (None, revalidated(&kept, &response.headers)?, body)
        }
        _ => return Err(unsuccessful(cache.name(), &response, clock.now())),
    };
    let lifetime = freshness.lifetime(now);
    Ok(Fetched {
        value,
        url: url.clone(),
        freshness,
        body,
        asked_at,
        asked_on: now,
        age: Duration::ZERO,
        lifetime,
        is_shared: false,
        end: None,
    })
}

/// A document that may be used from now on.
pub(super) struct Fetched<T> {
    /// `None` if the one that is kept still holds.
    pub(super) value: Option<T>,
    pub(super) url: Url,
    pub(super) freshness: Freshness,
    /// As it came.
    pub(super) body: Bytes,
    /// When it was asked for, on the monotonic clock.
    pub(super) asked_at: Duration,
    /// The same on the wall clock; for a document of another process, when that one asked.
    pub(super) asked_on: SystemTime,
    /// How old it was then, by way of another process.
    pub(super) age: Duration,
    /// For how long it is fresh, from its beginning.
    pub(super) lifetime: Duration,
    /// Whether another process fetched it.
    pub(super) is_shared: bool,
    /// When it ends at the latest, if that depends on another document.
    pub(super) end: Option<Expiry>,
}

/// Why there is none.
pub(super) struct Failure {
    pub(super) error: Error,
    status: Option<u16>,
    pub(super) retry_after: Option<Duration>,
    /// The failure is another document's, which remembers it and keeps the peace.
    pub(super) inherited: bool,
    /// Another process is fetching the document at this moment.
    pub(super) deferred_to_peer: bool,
    /// The answer was about another version than the one that is kept, so asking again under the
    /// same condition makes no sense.
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

    /// The failure of a document that was needed first.
    pub(super) fn inherited(error: Error) -> Self {
        Self {
            inherited: true,
            ..Self::new(error)
        }
    }

    /// No failure, really: it is for another process to fetch the document.
    pub(super) fn deferred_to_peer() -> Self {
        let message = "another process is fetching the document";
        Self {
            deferred_to_peer: true,
            ..Self::inherited(Error::new(Code::BrokerTimeout, message))
        }
    }

    /// Whether there is nothing any more at that URL.
    pub(super) fn is_gone(&self) -> bool {
        matches!(self.status, Some(404 | 410))
    }
}

fn revalidated(kept: &Freshness, headers: &HeaderMap) -> Result<Freshness, Failure> {
    if kept.is_same_version(headers) {
        return Ok(kept.revalidated(headers));
    }
    let error = Error::new(
        Code::BrokerDocument,
        "the broker says that another version than ours has not changed",
    );
    Err(Failure {
        wrong_version: true,
        ..Failure::new(error)
    })
}

fn unsuccessful(document: &str, response: &Response, now: SystemTime) -> Failure {
    let status = response.status;
    let error = Error::new(
        Code::BrokerStatus,
        format_args!(
            "the broker does not hand out its document document={document} status={status}"
        ),
    );
    Failure {
        status: Some(status),
        retry_after: retry_after(&response.headers, now),
        ..Failure::new(error)
    }
}
