//! A record of the requests to the broker, for the tracing of a site.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tracing::Instrument as _;

use super::{Request, Response, Transport};
use crate::clock::Clock;
use crate::error::Result;
use crate::events::spans;
use crate::future::BoxFuture;

/// How many requests are kept until they are taken. A client sends a few in an hour, and one for each login of the
/// code flow.
const LIMIT: usize = 1_000;

/// A request that a client has sent to its broker. The names are those of OpenTelemetry's conventions for HTTP.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SentRequest {
    /// The method: `GET` for a document, `POST` for a token.
    pub method: &'static str,
    /// The URL, without query and user information.
    pub url: String,
    /// The host of the URL.
    pub server_address: String,
    /// The port of the URL.
    pub server_port: u16,
    /// The status of the response; absent without a response.
    pub status: Option<u16>,
    /// Why the request failed: the status from 400 on, or the [code](crate::Code) of the error; absent otherwise.
    pub error_type: Option<String>,
    /// How long ago it was sent.
    pub started_ago_seconds: f64,
    /// How long it took, with redirects and the retry.
    pub duration_seconds: f64,
}

/// The requests that were not taken yet, the oldest one first. Nothing is kept before the first were taken.
#[derive(Default)]
pub(crate) struct SentRequests {
    is_wanted: AtomicBool,
    sent: Mutex<VecDeque<Ended>>,
}

struct Ended {
    request: SentRequest,
    started_at: Duration,
}

impl SentRequests {
    pub(crate) fn take(&self, clock: &dyn Clock) -> Vec<SentRequest> {
        self.is_wanted.store(true, Relaxed);
        let sent = std::mem::take(&mut *self.sent.lock().unwrap_or_else(PoisonError::into_inner));
        if sent.is_empty() {
            return Vec::new();
        }
        let now = clock.monotonic();
        let aged = sent.into_iter().map(
            |Ended {
                 request,
                 started_at,
             }| SentRequest {
                started_ago_seconds: now.saturating_sub(started_at).as_secs_f64(),
                ..request
            },
        );
        aged.collect()
    }

    fn add(&self, ended: Ended) {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        if sent.len() >= LIMIT {
            sent.pop_front();
        }
        sent.push_back(ended);
    }
}

/// Records the requests of another transport.
pub(crate) struct RecordedTransport {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sent: Arc<SentRequests>,
}

impl Transport for RecordedTransport {
    fn send(&self, request: Request) -> BoxFuture<'static, Result<Response>> {
        let method = if request.form.is_some() {
            "POST"
        } else {
            "GET"
        };
        let span = spans::request(method, &request.url);
        let is_wanted = self.sent.is_wanted.load(Relaxed);
        if span.is_disabled() && !is_wanted {
            return self.transport.send(request);
        }
        let (clock, sent) = (Arc::clone(&self.clock), Arc::clone(&self.sent));
        let url = request.url.clone();
        let answer = self.transport.send(request).instrument(span.clone());
        Box::pin(async move {
            let started_at = clock.monotonic();
            let outcome = answer.await;
            let status = outcome.as_ref().ok().map(|response| response.status);
            let error_type = match &outcome {
                Ok(response) if response.status >= 400 => Some(response.status.to_string()),
                Ok(_) => None,
                Err(error) => Some(error.code().as_str().to_owned()),
            };
            spans::answered(&span, status, error_type.as_deref());
            if is_wanted {
                let duration = clock.monotonic().saturating_sub(started_at);
                sent.add(Ended {
                    started_at,
                    request: SentRequest {
                        method,
                        url: spans::WithoutQuery(&url).to_string(),
                        server_address: url.host_str().unwrap_or_default().to_owned(),
                        server_port: url.port_or_known_default().unwrap_or_default(),
                        status,
                        error_type,
                        started_ago_seconds: 0.0,
                        duration_seconds: duration.as_secs_f64(),
                    },
                });
            }
            outcome
        })
    }

    fn trust(&self) -> Option<String> {
        self.transport.trust()
    }
}
