//! The client: starts logins and completes them.

mod code;
mod completion;
mod outcome;
mod redeem;
mod requests;
mod sealed;
mod start;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::SystemTime;

pub(crate) use self::sealed::SealedLogins;
use crate::browser::Browser;
use crate::clock::{Clock, Random};
use crate::config::{Config, ResponseMode};
use crate::documents::Documents;
use crate::error::{Code, Error, Result};
use crate::events::spans;
use crate::health::{Health, HealthCheck, HealthChecks};
use crate::http::{SentRequests, Transport};
use crate::jwks::KeyInfo;
use crate::record::MAX_TEXT_BYTES;
use crate::session::{AuthenticateOptions, CallbackParams, CompleteOptions, Grant, Login};
use crate::session_key::SessionKey;
use crate::stats::{Counters, Stats};
use crate::store::Store;

/// The shortest text that can encode 128 bits, the minimum for a browser's secret.
const MIN_SECRET_BYTES: usize = 16;

/// The relying party's side of Portier: starts logins and completes them.
///
/// Cloning is cheap; clones share all state. All asynchronous methods need a Tokio runtime.
///
/// ```no_run
/// # async fn example() -> Result<(), portier_client::Error> {
/// use portier_client::Client;
///
/// let client = Client::builder("https://example.com/verify").build()?;
/// let url = client.authenticate("alice@example.com").await?;
/// // Redirect the browser to `url` with status 303; it comes back to /verify with a token.
/// # let id_token = "";
/// let email = client.verify(id_token).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Clone)]
struct Inner {
    config: Arc<Config>,
    /// Seals pending logins, so that they are in no store.
    sealed: Option<Arc<SealedLogins>>,
    store: Arc<dyn Store>,
    /// Whether the site has chosen the store.
    store_is_chosen: bool,
    transport: Arc<dyn Transport>,
    sent: Arc<SentRequests>,
    documents: Arc<Documents>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    counters: Arc<Counters>,
    warned_of_memory_store: Arc<AtomicBool>,
}

/// The parts of a client, which the builder puts together.
pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) sealed: Option<SealedLogins>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) store_is_chosen: bool,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) sent: Arc<SentRequests>,
    pub(crate) documents: Arc<Documents>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}

impl Client {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            inner: Arc::new(Inner {
                config: Arc::new(parts.config),
                sealed: parts.sealed.map(Arc::new),
                store: parts.store,
                store_is_chosen: parts.store_is_chosen,
                transport: parts.transport,
                sent: parts.sent,
                documents: parts.documents,
                clock: parts.clock,
                random: parts.random,
                counters: Arc::default(),
                warned_of_memory_store: Arc::default(),
            }),
        }
    }

    /// The client for a flow with secrets. It seals pending logins with them, unless the site has chosen a store or
    /// has given the client secrets. It shares everything else with this client.
    pub(crate) fn sealed_by_default(&self, secrets: &[Vec<u8>]) -> Result<Self> {
        let inner = &*self.inner;
        if inner.store_is_chosen || inner.sealed.is_some() {
            return Ok(self.clone());
        }
        let sealed = SealedLogins::new(secrets, &inner.config, &inner.clock)?;
        Ok(Self {
            inner: Arc::new(Inner {
                sealed: Some(Arc::new(sealed)),
                ..inner.clone()
            }),
        })
    }

    /// The redirect URI, in the normalized form of the URL parser.
    pub fn redirect_uri(&self) -> &str {
        &self.inner.config.redirect_uri
    }

    /// The origin of the redirect URI, which identifies this site to the broker.
    pub fn client_id(&self) -> &str {
        &self.inner.config.client_id
    }

    /// The broker's origin.
    pub fn broker(&self) -> &str {
        self.inner.config.broker.as_str()
    }

    /// Whether pending logins are kept in the memory of this process, so that no other process of the site
    /// can complete them.
    pub fn has_local_store(&self) -> bool {
        self.inner.keeps_in_memory()
    }

    /// Starts a login. Redirect the browser to the returned URL, with status 303.
    ///
    /// # Errors
    /// [`Code::InvalidEmail`], [`Code::InvalidOption`] if the broker does not support the configuration,
    /// and those of the classes [`BrokerUnavailable`](crate::Kind::BrokerUnavailable) and
    /// [`StoreError`](crate::Kind::StoreError).
    pub async fn authenticate(&self, email: &str) -> Result<String> {
        self.authenticate_with(AuthenticateOptions::for_email(email))
            .await
    }

    /// Starts a login with options, and with or without an address.
    ///
    /// # Errors
    /// As [`Client::authenticate`], and [`Code::InvalidOption`] if a text is too long.
    pub async fn authenticate_with(&self, options: AuthenticateOptions) -> Result<String> {
        let operation = async {
            let begun = self.inner.clock.monotonic();
            let outcome = self.inner.authenticate(&options).await;
            self.inner.took(&self.inner.counters.authenticate, begun);
            match &outcome {
                Ok(_) => self.inner.started(),
                Err(error) => self.inner.failed("authenticate", error),
            }
            outcome
        };
        spans::traced(spans::authenticate(), operation).await
    }

    /// Completes a login with the token that the broker sent. Returns the verified address in normalized
    /// form.
    ///
    /// A token completes a login once. If the token is invalid, or if its login is bound to a browser, the
    /// login stays pending.
    ///
    /// # Errors
    /// Those of the classes [`InvalidToken`](crate::Kind::InvalidToken),
    /// [`InvalidSession`](crate::Kind::InvalidSession),
    /// [`BrokerUnavailable`](crate::Kind::BrokerUnavailable) and
    /// [`StoreError`](crate::Kind::StoreError).
    pub async fn verify(&self, id_token: &str) -> Result<String> {
        let operation = async {
            let begun = self.inner.clock.monotonic();
            let options = &CompleteOptions {
                browser: None,
                confirmation: None,
            };
            let outcome = self.inner.complete(id_token, options, None).await;
            self.inner.took(&self.inner.counters.complete, begun);
            self.inner.completed(outcome).map(|login| login.email)
        };
        spans::traced(spans::complete(), operation).await
    }

    /// Completes a login with the parameters that the broker sent to the redirect URI. `browser` is the
    /// secret of this browser, if logins are bound to browsers. A login that is not bound to a browser is
    /// then refused, too.
    ///
    /// # Errors
    /// As [`Client::verify`], and those of the class [`BrokerError`](crate::Kind::BrokerError).
    /// [`Code::SessionBrowser`] means that the login was not started in this browser. It can still be
    /// completed in the browser where it was started.
    pub async fn complete(&self, params: CallbackParams, browser: Option<&str>) -> Result<Login> {
        let options = CompleteOptions {
            browser,
            ..CompleteOptions::default()
        };
        self.complete_with(params, options).await
    }

    /// Completes a login as [`Client::complete`] does. With a confirmation of the person, it also
    /// completes in another browser.
    ///
    /// # Errors
    /// As [`Client::complete`].
    pub async fn complete_with(
        &self,
        params: CallbackParams,
        options: CompleteOptions<'_>,
    ) -> Result<Login> {
        let browser = self.inner.browser(options.browser);
        self.complete_in(browser.as_ref(), &params, &options).await
    }

    /// Completes a login in a browser, whose secret is that of `options`.
    pub(crate) async fn complete_in(
        &self,
        browser: Option<&Browser<'_>>,
        params: &CallbackParams,
        options: &CompleteOptions<'_>,
    ) -> Result<Login> {
        let inner = &self.inner;
        let operation = async {
            let begun = inner.clock.monotonic();
            let outcome = match params.grant() {
                Ok(Grant::Token { id_token, state }) => {
                    let login = inner.complete(id_token, options, browser).await;
                    login.map(|login| Login {
                        state: state.map(str::to_owned),
                        ..login
                    })
                }
                Ok(Grant::Code { code, state }) => {
                    // In a box, because it is large, and waits for the broker in any case.
                    Box::pin(inner.complete_code(code, state, options, browser)).await
                }
                Err(error) => Err(error),
            };
            inner.took(&inner.counters.complete, begun);
            inner.completed(outcome)
        };
        spans::traced(spans::complete(), operation).await
    }

    /// The login that an answer of the broker is for, whether or not the answer is genuine.
    pub(crate) fn login_of(&self, params: &CallbackParams) -> Option<SessionKey> {
        self.inner.login_of(&params.grant().ok()?)
    }

    /// Returns the broker's discovery document, as JSON text, from the cache if it is fresh.
    ///
    /// # Errors
    /// Those of the class [`BrokerUnavailable`](crate::Kind::BrokerUnavailable).
    pub async fn discover(&self) -> Result<String> {
        Ok(self.inner.documents.discovery().await?.raw.clone())
    }

    /// Lists those of the broker's keys that this client can use, from the cache if they are fresh.
    ///
    /// # Errors
    /// Those of the class [`BrokerUnavailable`](crate::Kind::BrokerUnavailable).
    pub async fn keys(&self) -> Result<Vec<KeyInfo>> {
        Ok(self.inner.documents.keys().await?.infos())
    }

    /// Returns the broker's key set, as JSON text, from the cache if it is fresh. It may contain keys that
    /// this client does not use.
    ///
    /// # Errors
    /// Those of the class [`BrokerUnavailable`](crate::Kind::BrokerUnavailable).
    pub async fn key_set(&self) -> Result<String> {
        Ok(self.inner.documents.keys().await?.raw.clone())
    }

    /// Fetches the broker's documents ahead of the first login.
    ///
    /// # Errors
    /// Those of the class [`BrokerUnavailable`](crate::Kind::BrokerUnavailable).
    pub async fn warm(&self) -> Result<()> {
        self.inner.documents.discovery().await?;
        self.inner.documents.keys().await?;
        Ok(())
    }

    pub(crate) fn response_mode(&self) -> ResponseMode {
        self.inner.config.response_mode
    }

    /// Whether the store keeps only nonces and addresses, and therefore no binding to a browser.
    pub(crate) fn keeps_nonces_only(&self) -> bool {
        self.inner.store.nonces().is_some()
    }

    /// Whether a login with this text of the application is short enough for the store, or for a URL if it is sealed.
    pub(crate) fn can_keep(&self, session: &str) -> bool {
        self.inner.sealed.is_none() || session.len() <= MAX_TEXT_BYTES
    }

    /// Whether logins of the implicit flow need a binding to a browser.
    pub(crate) fn needs_browsers(&self) -> bool {
        self.inner.sealed.is_some() && self.inner.store.is_local()
    }

    /// The browser with this secret, for the logins of this client.
    pub(crate) fn browser<'a>(&'a self, secret: &'a str) -> Option<Browser<'a>> {
        self.inner.browser(Some(secret))
    }

    /// Whether the broker's discovery document can be fetched and offers the code flow.
    pub(crate) async fn offers_code_flow(&self) -> bool {
        let discovery = self.inner.documents.discovery().await;
        discovery.is_ok_and(|discovery| discovery.code_endpoint().is_some())
    }

    /// The transport to the broker.
    pub(crate) fn transport(&self) -> &dyn Transport {
        &*self.inner.transport
    }

    pub(crate) fn random(&self) -> &dyn Random {
        &*self.inner.random
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.inner.clock.now()
    }

    /// Counts and logs a failure that happened before the client was called.
    pub(crate) fn failed(&self, operation: &'static str, error: &Error) {
        self.inner.failed(operation, error);
    }

    /// Returns the statistics of this client.
    pub fn stats(&self) -> Stats {
        let inner = &self.inner;
        let counts = inner.sealed.is_none();
        let pending = counts.then(|| inner.store.pending()).flatten();
        inner.counters.stats(inner.documents.stats(), pending)
    }

    /// Returns whether logins work, as far as this process knows. It does not wait: documents whose fetch
    /// is due are fetched in the background, as rarely as for logins.
    pub fn health(&self) -> Health {
        let inner = &self.inner;
        let (discovery, keys) = inner.documents.check();
        let difference = inner.documents.clock_difference().unwrap_or_default();
        let is_off = difference.abs() > inner.config.leeway.as_secs_f64();
        Health::new(HealthChecks {
            discovery,
            keys,
            store: HealthCheck::warn(inner.counters.store_error()),
            clock: HealthCheck::warn(is_off.then_some(Code::TokenClock)),
        })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("redirect_uri", &self.redirect_uri())
            .field("broker", &self.broker())
            .finish_non_exhaustive()
    }
}

impl Inner {
    /// The browser with this secret; `None` if the text is too short to be secret.
    fn browser<'a>(&'a self, secret: Option<&'a str>) -> Option<Browser<'a>> {
        let secret = secret.filter(|secret| secret.len() >= MIN_SECRET_BYTES)?;
        Browser::new(secret, self.config.broker.as_str(), &self.config.client_id)
    }

    fn session_key(&self, nonce: &str) -> SessionKey {
        let (broker, client_id) = (self.config.broker.as_str(), &self.config.client_id);
        match self.sealed {
            None => SessionKey::new(broker, client_id, nonce),
            Some(_) => SessionKey::of_sealed(broker, client_id, nonce),
        }
    }

    /// Whether pending logins are in the memory of this process.
    fn keeps_in_memory(&self) -> bool {
        self.sealed.is_none() && self.store.is_local()
    }
}
