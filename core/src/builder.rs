//! Builds a client: checks the settings, and puts the parts together.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::algorithm::Algorithm;
use crate::authorize::client_params;
use crate::base64url;
use crate::client::{Client, Parts, SealedLogins};
use crate::clock::{Clock, Random, SystemRandom};
use crate::config::{Config, Flow, ResponseMode};
use crate::documents::Documents;
use crate::error::{Code, Error, Result};
use crate::http::{HttpOptions, HttpTransport, RecordedTransport, SentRequests, Transport};
use crate::origin::{Origin, parse_url};
use crate::store::{self, Store, Timed};
#[cfg(feature = "testing")]
use crate::testing::clock_of;
use crate::tls::Listed;

/// The public broker.
const DEFAULT_BROKER: &str = "https://broker.portier.io";

const DEFAULT_STORE: &str = "memory:";

/// A store that the caller made, or the URL of one to open when the client is built.
#[derive(Clone)]
enum ChosenStore {
    Made(Arc<dyn Store>),
    Url(String),
}

/// Builds a [`Client`]. The redirect URI is required. The defaults of all other settings suit a site that
/// uses the public broker and runs in one process.
#[derive(Clone)]
#[must_use]
pub struct Builder {
    redirect_uri: String,
    broker: String,
    flow: Flow,
    response_mode: ResponseMode,
    leeway: Duration,
    session_ttl: Duration,
    timeout: Duration,
    algorithms: Vec<Algorithm>,
    idp: bool,
    danger_allow_http: bool,
    ca_file: Option<PathBuf>,
    listed: Option<Listed>,
    user_agent: Option<String>,
    store: Option<ChosenStore>,
    default_store: Option<Arc<dyn Store>>,
    store_timeout: Duration,
    secrets: Option<Vec<Vec<u8>>>,
    clock: Option<Arc<dyn Clock>>,
    random: Option<Arc<dyn Random>>,
    transport: Option<Arc<dyn Transport>>,
}

impl Client {
    /// Starts to build a client. The broker sends browsers back to `redirect_uri`; its origin is
    /// the client's id.
    pub fn builder(redirect_uri: impl Into<String>) -> Builder {
        Builder::new(redirect_uri.into())
    }
}

impl Builder {
    fn new(redirect_uri: String) -> Self {
        Self {
            redirect_uri,
            broker: DEFAULT_BROKER.to_owned(),
            flow: Flow::default(),
            response_mode: ResponseMode::default(),
            leeway: Duration::from_secs(180),
            session_ttl: Duration::from_secs(30 * 60),
            timeout: Duration::from_secs(10),
            algorithms: vec![Algorithm::Rs256, Algorithm::EdDsa],
            idp: false,
            danger_allow_http: false,
            ca_file: None,
            listed: None,
            user_agent: None,
            store: None,
            default_store: None,
            store_timeout: Duration::from_secs(5),
            secrets: None,
            clock: None,
            random: None,
            transport: None,
        }
    }

    /// The broker's origin; `https://broker.portier.io` by default.
    pub fn broker(mut self, origin: impl Into<String>) -> Self {
        self.broker = origin.into();
        self
    }

    /// The flow of logins; the implicit flow by default, which [`Client::verify`] needs.
    pub fn flow(mut self, flow: Flow) -> Self {
        self.flow = flow;
        self
    }

    /// How the broker sends its answer in the implicit flow; as a form by default.
    pub fn response_mode(mut self, mode: ResponseMode) -> Self {
        self.response_mode = mode;
        self
    }

    /// The accepted difference of the broker's clock; 180 seconds by default, at most 300.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// How long a login stays pending; 30 minutes by default, from one second to a day.
    pub fn session_ttl(mut self, ttl: Duration) -> Self {
        self.session_ttl = ttl;
        self
    }

    /// How long fetching one of the broker's documents may take; 10 seconds by default, at most 60.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The accepted signature algorithms, the preferred one first; both by default. If `EdDSA` is first,
    /// the client asks the broker for it, provided that the broker supports this.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// For a broker that uses an untrusted identity provider: an address that differs from the requested
    /// one is an error.
    pub fn idp(mut self, idp: bool) -> Self {
        self.idp = idp;
        self
    }

    /// Allows a broker with plain `http`. Anyone on the network can then log in as any user, so this is for
    /// tests only.
    pub fn danger_allow_http(mut self, allow: bool) -> Self {
        self.danger_allow_http = allow;
        self
    }

    /// A file of PEM certificates to trust in addition to those of the system.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(path.into());
        self
    }

    /// The certificates of `ca_file`, if that was read before.
    pub(crate) fn listed(mut self, listed: Listed) -> Self {
        self.listed = Some(listed);
        self
    }

    /// The `User-Agent` of requests to the broker; the name and version of this library by default.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = Some(user_agent.into());
        self
    }

    /// The store of pending logins; the memory of this process by default. See also [`Builder::secret`].
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(ChosenStore::Made(store));
        self
    }

    /// The store of pending logins if the site chooses none, in place of a new one in the memory of this process. A
    /// flow with secrets does not use it; see [`FlowOptions::session`](crate::web::FlowOptions::session).
    pub fn default_store(mut self, store: Arc<dyn Store>) -> Self {
        self.default_store = Some(store);
        self
    }

    /// The URL of the store of pending logins; `memory:` by default.
    pub fn store_url(mut self, url: impl Into<String>) -> Self {
        self.store = Some(ChosenStore::Url(url.into()));
        self
    }

    /// The time limit of each call of a custom store; 5 seconds by default, at most 60. After that, the
    /// future is dropped. The stores of this crate have their own time limits.
    pub fn store_timeout(mut self, timeout: Duration) -> Self {
        self.store_timeout = timeout;
        self
    }

    /// Seals pending logins with a secret of 32 random bytes or more. They are then in no store: everything that
    /// completes a login travels through the browser, which can neither read nor change it. All processes of a
    /// site need the same secret.
    ///
    /// In the code flow, a login completes once, because the broker redeems a code once; a store has no effect on
    /// it. In the implicit flow, completed logins are written to the store that was given. Without one, or with a
    /// memory store, a login must be bound to the browser that completes it, and that browser could complete it
    /// again in another process, as long as the token is valid.
    pub fn secret(self, secret: impl Into<Vec<u8>>) -> Self {
        self.secrets([secret])
    }

    /// As [`Builder::secret`], with several secrets. The first one seals, all of them open. To rotate them, put a
    /// new one first, and remove the old one after `session_ttl`.
    pub fn secrets(mut self, secrets: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Self {
        self.secrets = Some(secrets.into_iter().map(Into::into).collect());
        self
    }

    /// The source of the time; the operating system by default.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// The source of randomness; the generator of the operating system by default.
    pub fn random(mut self, random: Arc<dyn Random>) -> Self {
        self.random = Some(random);
        self
    }

    /// How documents are fetched; over HTTP by default. `timeout`, `ca_file` and `user_agent` are
    /// settings of the default transport and do not affect another one.
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Checks all settings and makes the client. Nothing is fetched yet.
    ///
    /// # Errors
    /// [`Code::InvalidRedirectUri`], [`Code::InvalidBroker`], [`Code::InsecureUrl`] or
    /// [`Code::InvalidOption`].
    pub fn build(self) -> Result<Client> {
        #[cfg(feature = "trace")]
        crate::testing::trace_if_asked();
        let config = self.check()?;
        base64url::prepare();
        let clock = self.clock.unwrap_or_else(|| clock_of(&config.broker));
        let random = self.random.unwrap_or_else(|| Arc::new(SystemRandom));
        let store_is_chosen = self.store.is_some();
        let store = match (self.store, self.default_store) {
            (Some(ChosenStore::Made(store)), _) | (None, Some(store)) => store,
            (Some(ChosenStore::Url(url)), _) => store::open(&url, &clock)?,
            (None, None) => store::open(DEFAULT_STORE, &clock)?,
        };
        let sealed = self
            .secrets
            .map(|secrets| SealedLogins::new(&secrets, &config, &clock))
            .transpose()?;
        if sealed.is_some() && store.nonces().is_some() {
            let problem = "the store makes nonces itself, and sealed logins make their own: give the \
                           client either a secret or this store";
            return Err(Error::new(Code::InvalidOption, problem));
        }
        if config.flow == Flow::Code && store.nonces().is_some() {
            let problem = "the store keeps only nonces, and the code flow needs more";
            return Err(Error::new(Code::InvalidOption, problem));
        }
        let store = Timed::wrap(store, self.store_timeout);
        let transport = match self.transport {
            Some(transport) => transport,
            None => Arc::new(HttpTransport::new(HttpOptions {
                timeout: self.timeout,
                broker: config.broker.clone(),
                danger_allow_http: self.danger_allow_http,
                listed: match self.listed {
                    Some(listed) => listed,
                    None => Listed::of_option(self.ca_file.as_deref())?,
                },
                user_agent: self.user_agent,
            })?),
        };
        let sent = Arc::<SentRequests>::default();
        let transport: Arc<dyn Transport> = Arc::new(RecordedTransport {
            transport,
            clock: Arc::clone(&clock),
            sent: Arc::clone(&sent),
        });
        let documents = Documents::new(
            config.broker.clone(),
            Arc::clone(&transport),
            Arc::clone(&clock),
            Arc::clone(&random),
            &store,
        );
        Ok(Client::new(Parts {
            config,
            sealed,
            store,
            store_is_chosen,
            transport,
            sent,
            documents,
            clock,
            random,
        }))
    }

    fn check(&self) -> Result<Config> {
        let redirect_uri = parse_url(&self.redirect_uri).ok_or_else(|| {
            Error::new(
                Code::InvalidRedirectUri,
                "redirect_uri is not an absolute http or https URL, such as https://example.com/verify, without user information, fragment, white space and backslashes",
            )
        })?;
        between(
            "leeway",
            self.leeway,
            Duration::ZERO,
            Duration::from_secs(300),
        )?;
        between(
            "session_ttl",
            self.session_ttl,
            Duration::from_secs(1),
            Duration::from_secs(24 * 60 * 60),
        )?;
        for (name, timeout) in [
            ("timeout", self.timeout),
            ("store_timeout", self.store_timeout),
        ] {
            between(
                name,
                timeout,
                Duration::from_millis(1),
                Duration::from_secs(60),
            )?;
        }
        let mut algorithms = Vec::new();
        for algorithm in &self.algorithms {
            if !algorithms.contains(algorithm) {
                algorithms.push(*algorithm);
            }
        }
        if algorithms.is_empty() {
            return Err(Error::new(Code::InvalidOption, "algorithms is empty"));
        }
        let client_id = redirect_uri.origin().ascii_serialization();
        // Brokers refuse a URL that is not in the normalized form of the URL parser.
        let redirect_uri = String::from(redirect_uri);
        Ok(Config {
            client_params: client_params(&client_id, &redirect_uri),
            redirect_uri,
            client_id,
            broker: Origin::parse(&self.broker, self.danger_allow_http)?,
            flow: self.flow,
            response_mode: self.response_mode,
            leeway: self.leeway,
            session_ttl: self.session_ttl,
            algorithms,
            idp: self.idp,
        })
    }
}

/// Without the feature for tests, nothing moves the time of a client.
#[cfg(not(feature = "testing"))]
fn clock_of(_: &Origin) -> Arc<dyn Clock> {
    Arc::new(crate::clock::SystemClock::new())
}

fn between(name: &str, value: Duration, least: Duration, most: Duration) -> Result<()> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Error::new(
        Code::InvalidOption,
        format_args!(
            "{name} is out of range least={}s most={}s given={}s",
            least.as_secs_f64(),
            most.as_secs_f64(),
            value.as_secs_f64()
        ),
    ))
}
