//! The transport over the network, with limits and deadlines.

use std::sync::Arc;
use std::time::Duration;

use ::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use bytes::{Bytes, BytesMut};
use reqwest::redirect::Policy;
use reqwest::{Client, retry};
use rustls::ClientConfig;
use tokio::runtime::{self, Handle};
use tokio::sync::Mutex;
use url::Url;

use super::failure::{self, failed, is_refusal, named_insecure, refused, timed_out};
use super::options::HttpOptions;
use super::proxy::{Proxies, Proxy};
use super::redirect;
use super::ssrf_guard::{Lookup, SsrfGuard, SystemLookup};
use super::trust;
use super::{MAX_DOCUMENT_BYTES as BODY_LIMIT, Request, Response, Transport};
use crate::discovery::DISCOVERY_PATH;
use crate::error::{Code, Error, Result};
use crate::events;
use crate::fork;
use crate::future::BoxFuture;
use crate::origin::is_local;
use crate::tls::trusting_nobody;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The two documents are fetched one after the other, then nothing for about an hour. In the code flow, each
/// login redeems its code.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);
/// How many connections wait for the next request. To open one takes several times as long as a request.
const MAX_IDLE: usize = 16;
/// The largest page of a site, in bytes.
const PAGE_LIMIT: usize = 8 * 1024 * 1024;
const DEFAULT_USER_AGENT: &str = concat!("portier-client/", env!("CARGO_PKG_VERSION"));

/// The transport over the network.
///
/// The HTTP client is created by the first request, because loading the system's trust store takes
/// milliseconds. Each runtime gets its own client, because connections belong to the runtime that opened
/// them.
pub(crate) struct HttpTransport(Arc<TransportState>);

struct TransportState {
    options: HttpOptions,
    https_only: bool,
    guard: SsrfGuard,
    proxies: Proxies,
    user_agent: HeaderValue,
    clients: Mutex<Vec<CachedClient>>,
}

struct CachedClient {
    runtime: runtime::Id,
    proxy: Option<Proxy>,
    client: Client,
}

impl HttpTransport {
    /// Checks the options. It opens no connection and loads no trust store.
    ///
    /// # Errors
    /// [`Code::InvalidOption`] for a user agent that is not a header value.
    pub(crate) fn new(options: HttpOptions) -> Result<Self> {
        Self::with_lookup(options, Box::new(SystemLookup))
    }

    fn with_lookup(options: HttpOptions, lookup: Box<dyn Lookup>) -> Result<Self> {
        let user_agent = options.user_agent.as_deref().unwrap_or(DEFAULT_USER_AGENT);
        let user_agent = HeaderValue::from_str(user_agent).map_err(|cause| {
            Error::new(Code::InvalidOption, "user_agent is not a header value").with_source(cause)
        })?;
        let https_only = options.broker.is_secure();
        let local_is_loopback = !https_only && !options.danger_allow_http;
        Ok(Self(Arc::new(TransportState {
            guard: SsrfGuard::new(&options.broker, local_is_loopback, lookup),
            options,
            https_only,
            proxies: Proxies::from_environment(),
            user_agent,
            clients: Mutex::new(Vec::new()),
        })))
    }
}

impl HttpTransport {
    /// Requests a page of a site. It may be larger than a document, and no redirect is followed.
    pub(crate) async fn page(&self, request: Request) -> Result<Response> {
        let shared = Arc::clone(&self.0);
        let timeout = shared.options.timeout;
        let answer = async {
            let mut response = shared.ask(&request.url, &request, &mut 1).await?;
            let status = response.status().as_u16();
            let headers = std::mem::take(response.headers_mut());
            let body = read_body(&mut response, &request.url, PAGE_LIMIT).await?;
            Ok(Response {
                status,
                headers,
                body,
            })
        };
        tokio::time::timeout(timeout, answer)
            .await
            .unwrap_or_else(|_| Err(timed_out(timeout, None)))
    }
}

impl Transport for HttpTransport {
    fn trust(&self) -> Option<String> {
        Some(trust::describe(&self.0.options))
    }

    fn send(&self, request: Request) -> BoxFuture<'static, Result<Response>> {
        let shared = Arc::clone(&self.0);
        Box::pin(async move {
            let (timeout, asked) = (shared.options.timeout, request.url.clone());
            tokio::time::timeout(timeout, shared.answer(request))
                .await
                .unwrap_or_else(|_| {
                    let proxy = shared.proxy(&asked).ok().flatten();
                    Err(timed_out(timeout, proxy.as_ref()))
                })
        })
    }
}

impl TransportState {
    async fn answer(self: &Arc<Self>, request: Request) -> Result<Response> {
        let is_post = request.form.is_some();
        let (mut response, url) = if is_post {
            // The broker may have received it even if no answer comes, so it is not sent again.
            (self.ask(&request.url, &request, &mut 1).await?, request.url)
        } else {
            self.follow(request).await?
        };
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let body = if status == 200 || (is_post && matches!(status, 400 | 401)) {
            require_identity(&headers)?;
            read_body(&mut response, &url, BODY_LIMIT).await?
        } else {
            Bytes::new()
        };
        Ok(Response {
            status,
            headers,
            body,
        })
    }

    /// Sends the request and follows redirects. Returns the answer and its URL.
    async fn follow(self: &Arc<Self>, request: Request) -> Result<(reqwest::Response, Url)> {
        let mut tries = 2;
        let mut previous = Vec::new();
        let mut url = request.url.clone();
        loop {
            let response = self.ask(&url, &request, &mut tries).await?;
            let Some(next) = redirect::target(&response, &url) else {
                return Ok((response, url));
            };
            previous.push(url);
            if let Some(reason) = redirect::refusal(&previous, &next, self.https_only) {
                return Err(failure::redirected(&next, reason));
            }
            url = next;
        }
    }

    /// Sends the request to one host.
    async fn ask(
        self: &Arc<Self>,
        url: &Url,
        request: &Request,
        tries: &mut u32,
    ) -> Result<reqwest::Response> {
        let outcome = self.send(url, request, tries).await;
        let is_refused = outcome.as_ref().is_err_and(|error| is_refusal(error));
        if !is_refused || !self.guard.is_undecided() {
            return outcome;
        }
        // The document that names this host came from the store, and the broker was not contacted yet. Its
        // answer shows whether it has a private address. A DNS look-up alone proves nothing.
        let broker = self.options.broker.join(DISCOVERY_PATH);
        let discovery = Request::get(broker.clone(), HeaderMap::new());
        if self.send(&broker, &discovery, tries).await.is_err() {
            return outcome;
        }
        // The refused request was not sent.
        self.send(url, request, tries).await
    }

    async fn send(
        self: &Arc<Self>,
        url: &Url,
        request: &Request,
        tries: &mut u32,
    ) -> Result<reqwest::Response> {
        let may_be_plain = !self.https_only && (self.options.danger_allow_http || is_local(url));
        if url.scheme() != "https" && !may_be_plain {
            return Err(named_insecure(url));
        }
        let checked = self.guard.check(url);
        checked.map_err(|refusal| refused(refusal, url).with_source(refusal))?;
        let proxy = self.proxy(url)?;
        let client = self.client(proxy.clone()).await?;
        let ask = || {
            let builder = match &request.form {
                None => client.get(url.clone()),
                Some(form) => client
                    .post(url.clone())
                    .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(form.clone()),
            };
            builder.headers(request.headers.clone()).send()
        };
        let mut response = ask().await;
        if *tries > 1 && deserves_another_try(&response) {
            *tries -= 1;
            events::request_repeated(url.host_str().unwrap_or_default());
            response = ask().await;
        }
        let response = response.map_err(|cause| failed(cause, url, proxy.as_ref()))?;
        match &proxy {
            Some(proxy) if response.status() == 407 => {
                return Err(failure::proxy_wants_credentials(proxy, url));
            }
            Some(_) => {}
            None => self.guard.answered(url, response.remote_addr()),
        }
        Ok(response)
    }

    /// The proxy for a URL. A broker on this machine is reached directly, whatever the environment says.
    fn proxy(&self, url: &Url) -> Result<Option<Proxy>> {
        if is_local(url) {
            return Ok(None);
        }
        self.proxies.proxy_for(url)
    }

    async fn client(self: &Arc<Self>, proxy: Option<Proxy>) -> Result<Client> {
        let runtime = Handle::current().id();
        let mut clients = self.clients.lock().await;
        clients.retain(|cached| cached.runtime == runtime);
        if let Some(cached) = clients.iter().find(|cached| cached.proxy == proxy) {
            return Ok(cached.client.clone());
        }
        let (shared, chosen) = (Arc::clone(self), proxy.clone());
        let client = tokio::task::spawn_blocking(move || shared.build(chosen.as_ref()))
            .await
            .map_err(|cause| {
                Error::new(Code::Internal, "the HTTP client was not made").with_source(cause)
            })??;
        clients.push(CachedClient {
            runtime,
            proxy,
            client: client.clone(),
        });
        Ok(client)
    }

    fn build(&self, proxy: Option<&Proxy>) -> Result<Client> {
        // The TLS library initializes itself once per process.
        let _busy = fork::busy();
        let tls = self.tls()?;
        let builder = Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(self.user_agent.clone())
            .https_only(self.https_only)
            .redirect(Policy::none())
            .dns_resolver(self.guard.resolver(proxy.map(Proxy::host)))
            .referer(false)
            .retry(retry::never())
            .http1_only()
            .connect_timeout(CONNECT_TIMEOUT.min(self.options.timeout))
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(MAX_IDLE)
            // Otherwise reqwest would read the environment itself.
            .no_proxy();
        let client = match proxy {
            None => builder.build(),
            Some(proxy) => proxy
                .to_reqwest()
                .and_then(|proxy| builder.proxy(proxy).build()),
        };
        client.map_err(|cause| {
            Error::new(Code::BrokerUnreachable, "the HTTP client cannot be set up")
                .with_source(cause.without_url())
        })
    }

    fn tls(&self) -> Result<ClientConfig> {
        let builder = match self.options.listed.trusted_with_system() {
            Ok(builder) => Ok(builder),
            // A minimal container may have no trust store; plain http needs none.
            Err(_) if !self.https_only => trusting_nobody(),
            Err(cause) => {
                let text = format!("TLS cannot be set up: {cause}");
                return Err(Error::new(Code::BrokerUnreachable, text).with_source(cause));
            }
        };
        let builder = builder.map_err(|cause| {
            Error::new(Code::Internal, "TLS cannot be set up").with_source(cause)
        })?;
        Ok(builder.with_no_client_auth())
    }
}

/// Whether to retry once: after a refused connection, a connection that was closed before the answer, or a
/// temporary gateway error without `Retry-After`.
fn deserves_another_try(response: &reqwest::Result<reqwest::Response>) -> bool {
    match response {
        Ok(response) => {
            matches!(response.status().as_u16(), 502..=504)
                && !response.headers().contains_key(RETRY_AFTER)
        }
        Err(cause) if is_refusal(cause) => false,
        Err(cause) => cause.is_connect() || (cause.is_request() && !cause.is_timeout()),
    }
}

/// The request accepts no content encoding, so the answer must have none (RFC 9110, section 12.5.3).
fn require_identity(headers: &HeaderMap) -> Result<()> {
    let identity = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if headers.get_all(CONTENT_ENCODING).iter().all(identity) {
        return Ok(());
    }
    Err(Error::new(
        Code::BrokerDocument,
        "the broker's answer has a content encoding that was not requested",
    ))
}

async fn read_body(response: &mut reqwest::Response, url: &Url, limit: usize) -> Result<Bytes> {
    let too_large = || {
        Error::new(
            Code::BrokerDocument,
            format_args!("the broker's answer is too large limit={limit}"),
        )
    };
    if response.content_length() > Some(limit as u64) {
        return Err(too_large());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|cause| {
        if cause.is_timeout() {
            return failed(cause, url, None);
        }
        Error::new(Code::BrokerDocument, "the broker's answer was cut off")
            .with_source(cause.without_url())
    })? {
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

#[cfg(test)]
mod tests;
