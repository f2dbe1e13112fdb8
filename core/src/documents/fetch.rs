//! One request for a document.

use std::time::{Duration, SystemTime};

use ::http::HeaderMap;
use ::http::header::{ACCEPT, CACHE_CONTROL, HeaderValue};
use bytes::Bytes;
use url::Url;

use super::backoff::retry_after;
use super::fetched::{Failure, Fetched};
use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::freshness::Freshness;
use crate::http::{Request, Response, Transport};

const ACCEPTED: HeaderValue =
    HeaderValue::from_static("application/json, application/jwk-set+json");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");

/// The cached document, for a conditional request.
pub(super) struct Validators {
    pub(super) freshness: Freshness,
    pub(super) body: Bytes,
}

/// Requests the document at `url`; with validators, only if it has changed. If something is `missing` in the
/// known document, caches on the way must not answer (RFC 9111, section 5.2.1.4).
pub(super) async fn fetch<T>(
    transport: &dyn Transport,
    clock: &dyn Clock,
    document: &str,
    url: &Url,
    validators: Option<Validators>,
    missing: bool,
    parse: impl FnOnce(&[u8]) -> Result<T>,
) -> Result<Fetched<T>, Failure> {
    let mut headers = match &validators {
        Some(validators) => validators.freshness.conditions(),
        None => HeaderMap::new(),
    };
    headers.insert(ACCEPT, ACCEPTED);
    if missing {
        headers.insert(CACHE_CONTROL, NO_CACHE);
    }
    let request = Request::get(url.clone(), headers);
    let asked_at = clock.monotonic();
    let asked_on = clock.now();
    let response = transport.send(request).await.map_err(Failure::new)?;
    let (value, freshness, body) = match (response.status, validators) {
        (200, _) => {
            let value = parse(&response.body).map_err(Failure::new)?;
            let freshness = Freshness::new(&response.headers);
            (Some(value), freshness, response.body)
        }
        (304, Some(Validators { freshness, body })) if !freshness.conditions().is_empty() => {
            (None, revalidated(&freshness, &response.headers)?, body)
        }
        _ => return Err(unsuccessful(document, &response, clock.now())),
    };
    let lifetime = freshness.lifetime(asked_on);
    Ok(Fetched {
        value,
        url: url.clone(),
        freshness,
        body,
        asked_at,
        asked_on,
        age: Duration::ZERO,
        lifetime,
        is_shared: false,
        expiry: None,
    })
}

fn revalidated(cached: &Freshness, headers: &HeaderMap) -> Result<Freshness, Failure> {
    if cached.is_same_version(headers) {
        return Ok(cached.revalidated(headers));
    }
    let error = Error::new(
        Code::BrokerDocument,
        "the broker answered 304 with a different ETag",
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
            "unexpected HTTP status of the broker's document document={document} status={status}"
        ),
    )
    .with_status(status);
    Failure {
        status: Some(status),
        retry_after: retry_after(&response.headers, now),
        ..Failure::new(error)
    }
}
