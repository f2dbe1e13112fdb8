//! HTTP as it is really spoken: with limits, deadlines and a short temper.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ::http::header::{CONTENT_ENCODING, HeaderMap, HeaderValue, RETRY_AFTER};
use bytes::{Bytes, BytesMut};
use reqwest::{Certificate, Client, ClientBuilder, retry};
use tokio::runtime::{self, Handle};
use tokio::sync::Mutex;
use url::Url;

use super::perimeter::{Inside, Lookup, Perimeter, SystemLookup};
use super::redirect;
use super::trust;
use super::{MAX_DOCUMENT_OCTETS as BODY_LIMIT, Request, Response, Transport};
use crate::error::{Code, Error, Result};
use crate::events;
use crate::origin::{Origin, is_local};
use crate::store::BoxFuture;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The two documents are fetched one right after the other, then nothing for an hour.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);
const DEFAULT_USER_AGENT: &str = concat!("portier-client/", env!("CARGO_PKG_VERSION"));

/// What can be set about [`HttpTransport`].
pub(crate) struct HttpOptions {
    /// For one request, from the first look-up to the last octet, the retry included.
    pub(crate) timeout: Duration,
    /// Whose documents are fetched. If it is `https`, plain `http` is refused, in redirects too.
    pub(crate) broker: Origin,
    /// PEM certificates to trust besides the system's.
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) user_agent: Option<String>,
}

/// The transport over the real network.
///
/// The HTTP client is made at the first request, since loading the system's trust store takes
/// milliseconds, and made anew when the caller's runtime is another one: connections belong to the
/// runtime that opened them.
pub(crate) struct HttpTransport(Arc<Shared>);

struct Shared {
    timeout: Duration,
    https_only: bool,
    perimeter: Perimeter,
    certificates: Vec<Certificate>,
    trust: String,
    user_agent: HeaderValue,
    clients: Mutex<Vec<Kept>>,
}

struct Kept {
    runtime: runtime::Id,
    /// Whether no proxy is used.
    direct: bool,
    client: Client,
}

impl HttpTransport {
    /// Checks the options. No connection is made, no trust store loaded.
    ///
    /// # Errors
    /// [`Code::InvalidOption`] for a CA file without usable certificates, or a user agent that is
    /// not a header value.
    pub(crate) fn new(options: HttpOptions) -> Result<Self> {
        Self::with_lookup(options, Box::new(SystemLookup))
    }

    fn with_lookup(options: HttpOptions, lookup: Box<dyn Lookup>) -> Result<Self> {
        let trust = trust::describe(&options);
        let HttpOptions {
            timeout,
            broker,
            ca_file,
            user_agent,
        } = options;
        let user_agent = user_agent.as_deref().unwrap_or(DEFAULT_USER_AGENT);
        let user_agent = HeaderValue::from_str(user_agent).map_err(|cause| {
            Error::new(Code::InvalidOption, "user_agent is not a header value").with_source(cause)
        })?;
        let certificates = match ca_file {
            Some(path) => read_certificates(&path)?,
            None => Vec::new(),
        };
        Ok(Self(Arc::new(Shared {
            timeout,
            https_only: broker.is_secure(),
            perimeter: Perimeter::new(&broker, lookup),
            certificates,
            trust,
            user_agent,
            clients: Mutex::new(Vec::new()),
        })))
    }
}

impl Transport for HttpTransport {
    fn trust(&self) -> Option<String> {
        Some(self.0.trust.clone())
    }

    fn get(&self, request: Request) -> BoxFuture<'static, Result<Response>> {
        let shared = Arc::clone(&self.0);
        Box::pin(async move {
            let timeout = shared.timeout;
            tokio::time::timeout(timeout, shared.get(request))
                .await
                .unwrap_or_else(|_| Err(timed_out(timeout)))
        })
    }
}

impl Shared {
    async fn get(self: Arc<Self>, request: Request) -> Result<Response> {
        let admitted = self.perimeter.admit(&request.url).await;
        admitted.map_err(|cause| named_inside(&request.url).with_source(cause))?;
        let client = self.client(&request.url).await?;
        let mut response = send(&client, &request).await;
        if deserves_another_try(&response) {
            events::request_repeated(request.url.host_str().unwrap_or_default());
            response = send(&client, &request).await;
        }
        let mut response = response.map_err(|cause| failed(cause, &request.url))?;
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let body = if status == 200 {
            require_identity(&headers)?;
            read_body(&mut response, &request.url).await?
        } else {
            Bytes::new()
        };
        Ok(Response {
            status,
            headers,
            body,
        })
    }

    async fn client(self: &Arc<Self>, url: &Url) -> Result<Client> {
        let runtime = Handle::current().id();
        // A broker on this machine is never behind a proxy, whatever the environment says.
        let direct = is_local(url);
        let mut clients = self.clients.lock().await;
        clients.retain(|kept| kept.runtime == runtime);
        if let Some(kept) = clients.iter().find(|kept| kept.direct == direct) {
            return Ok(kept.client.clone());
        }
        let shared = Arc::clone(self);
        let client = tokio::task::spawn_blocking(move || shared.build(direct))
            .await
            .map_err(|cause| {
                Error::new(Code::Internal, "the HTTP client was not made").with_source(cause)
            })??;
        clients.push(Kept {
            runtime,
            direct,
            client: client.clone(),
        });
        Ok(client)
    }

    fn build(&self, direct: bool) -> Result<Client> {
        let with_system = self
            .builder(direct)
            .tls_certs_merge(self.certificates.iter().cloned())
            .build();
        let client = match with_system {
            // A minimal container has no trust store; a broker over plain http needs none.
            Err(_) if !self.https_only => self
                .builder(direct)
                .tls_certs_only(self.certificates.iter().cloned())
                .build(),
            client => client,
        };
        client.map_err(|cause| {
            Error::new(
                Code::BrokerUnreachable,
                "TLS cannot be set up; is a trust store installed",
            )
            .with_source(cause.without_url())
        })
    }

    fn builder(&self, direct: bool) -> ClientBuilder {
        let builder = Client::builder()
            .user_agent(self.user_agent.clone())
            .https_only(self.https_only)
            .redirect(redirect::policy(self.https_only, self.perimeter.clone()))
            .dns_resolver(self.perimeter.clone())
            .referer(false)
            .retry(retry::never())
            .http1_only()
            .connect_timeout(CONNECT_TIMEOUT.min(self.timeout))
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(1);
        if direct { builder.no_proxy() } else { builder }
    }
}

fn read_certificates(path: &Path) -> Result<Vec<Certificate>> {
    let unusable = || {
        let path = path.display();
        Error::new(
            Code::InvalidOption,
            format_args!("ca_file has no usable PEM certificates path={path}"),
        )
    };
    let pem = std::fs::read(path).map_err(|cause| unusable().with_source(cause))?;
    let certificates =
        Certificate::from_pem_bundle(&pem).map_err(|cause| unusable().with_source(cause))?;
    if certificates.is_empty() {
        return Err(unusable());
    }
    // The parser of PEM looks no further; a client that trusts nothing else looks inside.
    Client::builder()
        .tls_certs_only(certificates.iter().cloned())
        .build()
        .map_err(|cause| unusable().with_source(cause))?;
    Ok(certificates)
}

async fn send(client: &Client, request: &Request) -> reqwest::Result<reqwest::Response> {
    client
        .get(request.url.clone())
        .headers(request.headers.clone())
        .send()
        .await
}

/// A refused connection, one that was closed before the answer, or a gateway in passing trouble.
/// Who says when to come back means it.
fn deserves_another_try(response: &reqwest::Result<reqwest::Response>) -> bool {
    match response {
        Ok(response) => {
            matches!(response.status().as_u16(), 502..=504)
                && !response.headers().contains_key(RETRY_AFTER)
        }
        Err(cause) if is_inside(cause) => false,
        Err(cause) => cause.is_connect() || (cause.is_request() && !cause.is_timeout()),
    }
}

/// Nothing was said to be accepted, so nothing may be encoded (RFC 9110, section 12.5.3).
fn require_identity(headers: &HeaderMap) -> Result<()> {
    let identity = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if headers.get_all(CONTENT_ENCODING).iter().all(identity) {
        return Ok(());
    }
    Err(Error::new(
        Code::BrokerDocument,
        "the broker's answer has a content encoding nobody asked for",
    ))
}

async fn read_body(response: &mut reqwest::Response, url: &Url) -> Result<Bytes> {
    let too_large = || {
        Error::new(
            Code::BrokerDocument,
            format_args!("the broker's answer is too large limit={BODY_LIMIT}"),
        )
    };
    if response.content_length() > Some(BODY_LIMIT as u64) {
        return Err(too_large());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|cause| {
        if cause.is_timeout() {
            return failed(cause, url);
        }
        Error::new(Code::BrokerDocument, "the broker's answer was cut off")
            .with_source(cause.without_url())
    })? {
        if body.len() + chunk.len() > BODY_LIMIT {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn timed_out(timeout: Duration) -> Error {
    Error::new(
        Code::BrokerTimeout,
        format_args!(
            "the broker did not answer in time timeout={}s",
            timeout.as_secs_f64()
        ),
    )
}

fn named_inside(url: &Url) -> Error {
    let host = url.host_str().unwrap_or_default();
    Error::new(
        Code::BrokerDocument,
        format_args!("the broker names a host in a private network host={host}"),
    )
}

fn is_inside(cause: &reqwest::Error) -> bool {
    let mut source = std::error::Error::source(cause);
    while let Some(cause) = source {
        if cause.is::<Inside>() {
            return true;
        }
        source = cause.source();
    }
    false
}

fn failed(cause: reqwest::Error, url: &Url) -> Error {
    if is_inside(&cause) {
        return named_inside(url).with_source(cause.without_url());
    }
    let host = url.host_str().unwrap_or_default();
    let (code, fact) = if cause.is_redirect() {
        (Code::BrokerDocument, "the broker's redirect is refused")
    } else if cause.is_timeout() {
        (Code::BrokerTimeout, "no connection to the broker in time")
    } else if cause.is_dns() {
        (
            Code::BrokerUnreachable,
            "the broker's name cannot be resolved",
        )
    } else if cause.is_connect() && proxied() && !is_local(url) {
        (
            Code::BrokerUnreachable,
            "no connection to the broker; the environment sets a proxy",
        )
    } else if cause.is_connect() {
        (Code::BrokerUnreachable, "no connection to the broker")
    } else {
        (Code::BrokerUnreachable, "the broker gave no proper answer")
    };
    Error::new(code, format_args!("{fact} host={host}")).with_source(cause.without_url())
}

fn proxied() -> bool {
    [
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
    ]
    .iter()
    .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

#[cfg(test)]
mod tests;
