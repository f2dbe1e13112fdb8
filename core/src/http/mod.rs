//! The network, which comes in from outside.

mod addresses;
mod failure;
mod perimeter;
mod proxy;
mod redirect;
mod transport;
mod trust;

use ::http::HeaderMap;
use bytes::Bytes;
use url::Url;

pub(crate) use self::transport::{HttpOptions, HttpTransport};
use crate::error::Result;
use crate::store::BoxFuture;

/// A request for one of the broker's documents; always a `GET`.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where the document is.
    pub url: Url,
    /// Validators and `Accept`; nothing else is ever sent.
    pub headers: HeaderMap,
}

/// The answer to a [`Request`], complete and within the limits.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, at most 256 KiB; of no interest unless the status is 200.
    pub body: Bytes,
}

/// The largest document, in octets: one is a few kilobytes.
pub(crate) const MAX_DOCUMENT_OCTETS: usize = 256 * 1024;

/// Fetches documents.
pub trait Transport: Send + Sync + 'static {
    /// Sends the request and reads the whole answer. Any status is an answer.
    ///
    /// # Errors
    /// [`BrokerTimeout`](crate::Code::BrokerTimeout),
    /// [`BrokerUnreachable`](crate::Code::BrokerUnreachable) or, for an answer that breaks a
    /// limit, [`BrokerDocument`](crate::Code::BrokerDocument).
    fn get(&self, request: Request) -> BoxFuture<'static, Result<Response>>;

    /// A text that describes all that decides which servers this transport believes, such as its
    /// certificate authorities. Clients with one store share the broker's documents only if their
    /// transports give the same text; with `None`, the default, they are not shared.
    fn trust(&self) -> Option<String> {
        None
    }
}
