//! The transport: HTTP requests to the broker.

mod addresses;
mod failure;
mod options;
mod proxy;
mod recorded;
mod redirect;
mod ssrf_guard;
mod transport;
mod trust;

use std::fmt;

use ::http::HeaderMap;
use bytes::Bytes;
use url::Url;

pub(crate) use self::options::HttpOptions;
pub use self::recorded::SentRequest;
pub(crate) use self::recorded::{RecordedTransport, SentRequests};
pub(crate) use self::transport::HttpTransport;
use crate::error::Result;
use crate::future::BoxFuture;
use crate::origin::is_local;

/// A request to the broker: for one of its documents, or for a token.
#[derive(Clone)]
pub struct Request {
    /// The URL.
    pub url: Url,
    /// Validators and `Accept`; nothing else is ever sent.
    pub headers: HeaderMap,
    /// The fields of a URL-encoded form for a `POST`; `None` for a `GET`. A `POST` is sent once and does not
    /// follow redirects.
    pub form: Option<String>,
}

impl Request {
    /// A `GET`.
    pub(crate) fn get(url: Url, headers: HeaderMap) -> Self {
        Self {
            url,
            headers,
            form: None,
        }
    }
}

impl fmt::Debug for Request {
    /// Omits the form, which contains a code.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Request")
            .field("url", &self.url)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

/// The answer to a [`Request`], complete and within the limits.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, at most 256 KiB. It is used only if the status is 200, or 400 or 401 after a `POST`.
    pub body: Bytes,
}

/// The proxy for requests to a server that is not this machine, as host and port.
///
/// # Errors
/// [`BrokerUnreachable`](crate::Code::BrokerUnreachable) if a variable of the environment is invalid.
pub(crate) fn proxy_of(url: &Url) -> Result<Option<String>> {
    if is_local(url) {
        return Ok(None);
    }
    let proxy = proxy::Proxies::from_environment().proxy_for(url)?;
    Ok(proxy.map(|proxy| proxy.to_string()))
}

/// The variable with the hosts that are reached without a proxy, and the numbers of its entries that match no host, if
/// there are any.
pub(crate) fn misunderstood_exceptions() -> Option<(&'static str, Vec<usize>)> {
    let proxies = proxy::Proxies::from_environment();
    let (name, numbers) = proxies.misunderstood()?;
    Some((name, numbers.to_vec()))
}

/// The largest accepted document, in bytes. Real documents have a few kilobytes.
pub(crate) const MAX_DOCUMENT_BYTES: usize = 256 * 1024;

/// Sends requests to the broker.
pub trait Transport: Send + Sync + 'static {
    /// Sends the request and reads the whole answer. Any status is an answer.
    ///
    /// # Errors
    /// [`BrokerTimeout`](crate::Code::BrokerTimeout),
    /// [`BrokerUnreachable`](crate::Code::BrokerUnreachable) or, for an answer that breaks a
    /// limit, [`BrokerDocument`](crate::Code::BrokerDocument).
    fn send(&self, request: Request) -> BoxFuture<'static, Result<Response>>;

    /// Describes which servers this transport trusts, for example by its certificate authorities. Clients
    /// with the same store share the broker's documents only if their transports return the same text. With
    /// `None`, the default, documents are not shared.
    fn trust(&self) -> Option<String> {
        None
    }
}
