//! A transport that answers from memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::http::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;
use tokio::sync::watch;

use crate::error::{Code, Error, Result};
use crate::future::BoxFuture;
use crate::http::{Request, Response, Transport};

/// A [`Transport`] that answers from a table, which a test can change at any time. A URL that is not in the
/// table is answered with 404.
#[derive(Debug)]
pub struct MockTransport {
    table: Arc<Mutex<Table>>,
    held: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Table {
    answers: HashMap<String, Result<Response>>,
    requests: HashMap<String, Vec<Request>>,
}

impl MockTransport {
    /// Makes a transport with an empty table.
    pub fn new() -> Self {
        Self {
            table: Arc::default(),
            held: watch::Sender::new(false),
        }
    }

    /// Sets the answer to requests for `url`.
    ///
    /// # Errors
    /// [`Code::InvalidOption`] if a header is invalid.
    pub fn respond(
        &self,
        url: &str,
        status: u16,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<()> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                HeaderName::try_from(*name).map_err(not_a_header)?,
                HeaderValue::try_from(*value).map_err(not_a_header)?,
            );
        }
        let response = Response {
            status,
            headers: map,
            body: body.into(),
        };
        self.table().answers.insert(url.to_owned(), Ok(response));
        Ok(())
    }

    /// Sets the error of requests for `url`.
    pub fn fail(&self, url: &str, error: Error) {
        self.table().answers.insert(url.to_owned(), Err(error));
    }

    /// How often `url` was requested.
    pub fn requests(&self, url: &str) -> usize {
        self.table().requests.get(url).map_or(0, Vec::len)
    }

    /// The last request for `url`.
    pub fn last_request(&self, url: &str) -> Option<Request> {
        self.table().requests.get(url)?.last().cloned()
    }

    /// Holds requests from now on. They are counted when they arrive.
    pub fn hold(&self) {
        self.held.send_replace(true);
    }

    /// Answers the held requests from the current table.
    pub fn release(&self) {
        self.held.send_replace(false);
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        lock(&self.table)
    }
}

impl Default for MockTransport {
    fn default() -> Self {
        Self::new()
    }
}

impl Transport for MockTransport {
    /// All mock transports count as one network.
    fn trust(&self) -> Option<String> {
        Some("mock".to_owned())
    }

    fn send(&self, request: Request) -> BoxFuture<'static, Result<Response>> {
        let url = request.url.to_string();
        self.table()
            .requests
            .entry(url.clone())
            .or_default()
            .push(request);
        let table = Arc::clone(&self.table);
        let mut held = self.held.subscribe();
        Box::pin(async move {
            // An error means that the transport was dropped, so that nothing releases the request.
            let _ = held.wait_for(|held| !held).await;
            let answer = lock(&table).answers.get(&url).cloned();
            answer.unwrap_or_else(|| {
                Ok(Response {
                    status: 404,
                    headers: HeaderMap::new(),
                    body: Bytes::new(),
                })
            })
        })
    }
}

fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

fn not_a_header(cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Code::InvalidOption, "not a header").with_source(cause)
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    const URL: &str = "https://broker.example/keys.json";

    fn request() -> Request {
        Request::get(URL.parse().unwrap(), HeaderMap::new())
    }

    fn poll(future: &mut Pin<Box<impl Future + ?Sized>>) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        matches!(future.as_mut().poll(&mut context), Poll::Ready(_))
    }

    #[tokio::test]
    async fn answers_from_the_table_and_counts() {
        let transport = MockTransport::new();
        assert_eq!(transport.send(request()).await.unwrap().status, 404);
        transport
            .respond(URL, 200, &[("expires", "0")], "{}")
            .unwrap();
        let response = transport.send(request()).await.unwrap();
        assert_eq!((response.status, &response.body[..]), (200, &b"{}"[..]));
        assert_eq!(response.headers["expires"], "0");
        transport.fail(URL, Error::new(Code::BrokerTimeout, "slow"));
        let error = transport.send(request()).await.unwrap_err();
        assert_eq!(error.code(), Code::BrokerTimeout);
        assert_eq!(transport.requests(URL), 3);
    }

    #[tokio::test]
    async fn held_requests_wait_for_their_release() {
        let transport = MockTransport::new();
        transport.hold();
        let mut waiting = transport.send(request());
        assert!(!poll(&mut waiting));
        assert_eq!(transport.requests(URL), 1);
        transport.respond(URL, 200, &[], "").unwrap();
        transport.release();
        assert_eq!(waiting.await.unwrap().status, 200);
    }
}
