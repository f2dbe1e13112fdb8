//! The client: starts logins and completes them.

mod code;
mod completion;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use crate::authorize::{self, authorization_url, check_response_mode};
use crate::browser::Browser;
use crate::clock::{Clock, Random};
use crate::config::{Config, Flow, ResponseMode};
use crate::discovery::Discovery;
use crate::documents::Documents;
use crate::email::TypedEmail;
use crate::error::{Code, Error, Result};
use crate::events;
use crate::http::Transport;
use crate::jwks::KeyInfo;
use crate::nonce::Nonce;
use crate::record::Record;
use crate::session::{
    AuthenticateOptions, CallbackParams, CompleteOptions, Grant, Login, WantedFlow,
};
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

struct Inner {
    config: Config,
    store: Arc<dyn Store>,
    transport: Arc<dyn Transport>,
    documents: Arc<Documents>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    counters: Counters,
    warned_of_memory_store: AtomicBool,
}

impl Client {
    pub(crate) fn new(
        config: Config,
        store: Arc<dyn Store>,
        transport: Arc<dyn Transport>,
        documents: Arc<Documents>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                config,
                store,
                transport,
                documents,
                clock,
                random,
                counters: Counters::default(),
                warned_of_memory_store: AtomicBool::new(false),
            }),
        }
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
        self.inner.store.is_local()
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
        let outcome = self.inner.authenticate(&options).await;
        match &outcome {
            Ok(_) => self.inner.started(),
            Err(error) => self.inner.failed("authenticate", error),
        }
        outcome
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
        let options = CompleteOptions::default();
        let outcome = self.inner.complete(id_token, None, options).await;
        self.inner.completed(outcome).map(|login| login.email)
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

    /// Completes a login as [`Client::complete`] does; with a confirmation of the person, also in another
    /// browser than the one where it was started.
    ///
    /// # Errors
    /// As [`Client::complete`].
    pub async fn complete_with(
        &self,
        params: CallbackParams,
        options: CompleteOptions<'_>,
    ) -> Result<Login> {
        let outcome = match params.into_grant() {
            Ok(Grant::Token { id_token, state }) => {
                self.inner.complete(&id_token, state, options).await
            }
            Ok(Grant::Code { code, state }) => {
                self.inner.complete_code(&code, &state, options).await
            }
            Err(error) => Err(error),
        };
        self.inner.completed(outcome)
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

    /// The browser with this secret, for the logins of this client.
    pub(crate) fn browser(&self, secret: &str) -> Option<Browser<'_>> {
        self.inner.browser(Some(secret))
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
        inner
            .counters
            .stats(inner.documents.stats(), inner.store.pending())
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
    async fn authenticate(&self, options: &AuthenticateOptions) -> Result<String> {
        options.check()?;
        let email = options
            .email
            .as_deref()
            .map(TypedEmail::parse)
            .transpose()?;
        let discovery = self.documents.discovery().await?;
        if self.flow(options, &discovery)? == Flow::Code {
            return self.authenticate_for_code(options, email, &discovery).await;
        }
        check_response_mode(&self.config, &discovery)?;

        let nonce = match self.store.nonces() {
            None => self.put(options, email).await?,
            Some(nonces) => {
                let nonce = nonces.create(options.only_email(email)?).await?;
                Nonce::made_by_store(nonce)?
            }
        };
        let request = authorize::Request {
            flow: Flow::Implicit,
            nonce: nonce.as_str(),
            login_hint: email.map(TypedEmail::as_str),
            state: options.state.as_deref(),
            code_challenge: None,
        };
        Ok(authorization_url(&self.config, &discovery, &request))
    }

    /// The flow of one login.
    fn flow(&self, options: &AuthenticateOptions, discovery: &Discovery) -> Result<Flow> {
        let can_do_codes = discovery.code_endpoint().is_some() && self.store.nonces().is_none();
        match options.flow.unwrap_or(WantedFlow::Always(self.config.flow)) {
            WantedFlow::CodeIfPossible | WantedFlow::Always(Flow::Code) if can_do_codes => {
                Ok(Flow::Code)
            }
            WantedFlow::CodeIfPossible | WantedFlow::Always(Flow::Implicit) => Ok(Flow::Implicit),
            WantedFlow::Always(Flow::Code) => Err(Error::new(
                Code::InvalidOption,
                "the broker does not offer the code flow: its discovery document lists no \
                 token_endpoint, or not the response type code and the response mode query",
            )),
        }
    }

    async fn put(
        &self,
        options: &AuthenticateOptions,
        email: Option<TypedEmail<'_>>,
    ) -> Result<Nonce> {
        let browser = self.browser(options.browser.as_deref());
        let nonce = Nonce::generate(&*self.random, browser.as_ref())?;
        let record = Record::new(options, email, self.clock.now()).to_text()?;
        let key = self.session_key(nonce.as_str());
        self.store
            .put(&key, record, self.config.session_ttl)
            .await?;
        Ok(nonce)
    }

    /// The browser with this secret; `None` if the text is too short to be secret.
    fn browser(&self, secret: Option<&str>) -> Option<Browser<'_>> {
        let secret = secret.filter(|secret| secret.len() >= MIN_SECRET_BYTES)?;
        Browser::new(secret, self.config.broker.as_str(), &self.config.client_id)
    }

    fn session_key(&self, nonce: &str) -> SessionKey {
        SessionKey::new(self.config.broker.as_str(), &self.config.client_id, nonce)
    }

    fn started(&self) {
        self.counters.started();
        events::login_started();
    }

    fn completed(&self, outcome: Result<Login>) -> Result<Login> {
        match &outcome {
            Ok(login) => {
                self.counters.completed();
                events::login_completed(login.same_browser);
            }
            Err(error) => self.failed("complete", error),
        }
        outcome
    }

    fn failed(&self, operation: &'static str, error: &Error) {
        self.counters.failed(error.code());
        events::login_ended(operation, error);
        if error.code() == Code::SessionUnknown && self.store.is_local() {
            self.warn_of_memory_store();
        }
    }

    /// Warns once about the most likely cause of lost logins.
    fn warn_of_memory_store(&self) {
        if !self.warned_of_memory_store.load(Ordering::Relaxed) {
            let told = events::login_not_in_memory_store();
            self.warned_of_memory_store
                .fetch_or(told, Ordering::Relaxed);
        }
    }
}
