//! One request for a document, and what became of it.

use std::time::{Duration, SystemTime};

use ::http::HeaderMap;
use ::http::header::{ACCEPT, HeaderValue};
use url::Url;

use super::backoff::retry_after;
use super::cache::Cache;
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
    let mut headers = kept.as_ref().map(Freshness::conditions).unwrap_or_default();
    headers.insert(ACCEPT, ACCEPTED);
    let request = Request {
        url: url.clone(),
        headers,
    };
    let asked_at = clock.monotonic();
    let now = clock.now();
    cache.count_request();
    let response = transport.get(request).await.map_err(Failure::new)?;
    let (value, freshness) = match (response.status, kept) {
        (200, _) => {
            let value = parse(&response.body).map_err(Failure::new)?;
            (Some(value), Freshness::new(&response.headers))
        }
        (304, Some(kept)) if !kept.conditions().is_empty() => {
            (None, revalidated(&kept, &response.headers)?)
        }
        _ => return Err(unsuccessful(cache.name(), &response, clock.now())),
    };
    let lifetime = freshness.lifetime(now);
    let document = cache.name();
    let unchanged = value.is_none();
    tracing::debug!(target: "portier_client", document, unchanged, ?lifetime, "document fetched");
    Ok(Fetched {
        value,
        url: url.clone(),
        freshness,
        asked_at,
        lifetime,
    })
}

/// A document that may be used from now on.
pub(super) struct Fetched<T> {
    /// `None` if the one that is kept still holds.
    pub(super) value: Option<T>,
    pub(super) url: Url,
    pub(super) freshness: Freshness,
    /// When it was asked for, on the monotonic clock.
    pub(super) asked_at: Duration,
    /// For how long from then it is fresh.
    pub(super) lifetime: Duration,
}

/// Why there is none.
pub(super) struct Failure {
    pub(super) error: Error,
    status: Option<u16>,
    pub(super) retry_after: Option<Duration>,
    /// The failure is another document's, which remembers it and keeps the peace.
    pub(super) inherited: bool,
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
