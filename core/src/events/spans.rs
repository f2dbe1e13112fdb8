//! Spans for the tracing of a site.
//!
//! The fields have the names of the conventions of OpenTelemetry; `otel.status_code` becomes the status of the span.

use std::fmt;
use std::future::Future;

use futures_util::TryFutureExt as _;
use tracing::field::Empty;
use tracing::{Instrument as _, Span, info_span};
use url::Url;

use super::TARGET;
use crate::error::{Code, Result};

pub(crate) fn authenticate() -> Span {
    info_span!(target: TARGET, "authenticate", "error.type" = Empty, "otel.status_code" = Empty)
}

pub(crate) fn complete() -> Span {
    info_span!(target: TARGET, "complete", "error.type" = Empty, "otel.status_code" = Empty)
}

/// A fetch serves several calls, and may outlive them. So it is in no trace of theirs, and has a link to the call that
/// started it.
pub(crate) fn fetch(document: &'static str) -> Span {
    let span = info_span!(
        target: TARGET, parent: None, "fetch document",
        document, "error.type" = Empty, "otel.status_code" = Empty
    );
    span.follows_from(Span::current());
    span
}

/// A request to the broker, in the span of what it is for.
pub(crate) fn request(method: &'static str, url: &Url) -> Span {
    info_span!(
        target: TARGET, "request",
        "otel.kind" = "client",
        "otel.name" = method,
        "http.request.method" = method,
        "url.full" = %WithoutQuery(url),
        "server.address" = url.host_str(),
        "server.port" = url.port_or_known_default(),
        "http.response.status_code" = Empty,
        "error.type" = Empty,
        "otel.status_code" = Empty
    )
}

/// The end of a request.
pub(crate) fn answered(span: &Span, status: Option<u16>, error_type: Option<&str>) {
    if let Some(status) = status {
        span.record("http.response.status_code", status);
    }
    if let Some(error_type) = error_type {
        span.record("error.type", error_type);
        span.record("otel.status_code", "ERROR");
    }
}

/// Runs an operation in a span. The span has failed only if the operator of the site has to act.
///
/// An `async fn` would keep the operation twice: as it was given, and as it runs.
pub(crate) fn traced<T>(
    span: Span,
    operation: impl Future<Output = Result<T>>,
) -> impl Future<Output = Result<T>> {
    let operation = operation.instrument(span.clone());
    operation.inspect_err(move |error| failed(&span, error.code()))
}

pub(crate) fn failed(span: &Span, code: Code) {
    span.record("error.type", code.as_str());
    if code.is_fault() {
        span.record("otel.status_code", "ERROR");
    }
}

/// A URL for traces: its query may contain a nonce.
pub(crate) struct WithoutQuery<'a>(pub(crate) &'a Url);

impl fmt::Display for WithoutQuery<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = self.0.origin().ascii_serialization();
        write!(formatter, "{origin}{}", self.0.path())
    }
}
