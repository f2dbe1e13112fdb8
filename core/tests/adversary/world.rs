//! The broker, the network, and the facts that the properties are checked against.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use portier_client::testing::{DevBroker, DevBrokerOptions, KeyChoice, ManualClock, MintOptions};
use portier_client::{
    Algorithm, BoxFuture, Client, Clock, Code, Error, Request, Response, Result, Transport,
};
use serde_json::{Value, json};

pub(crate) const ORIGIN: &str = "https://broker.example";
const DISCOVERY_URL: &str = "https://broker.example/.well-known/openid-configuration";
const KEYS_URL: &str = "https://broker.example/keys.json";
pub(crate) const DISCOVERY: &str = r#"{"issuer":"https://broker.example","authorization_endpoint":"https://broker.example/auth","jwks_uri":"https://broker.example/keys.json","response_modes_supported":["form_post"]}"#;
/// 2026-09-21, in seconds since 1970.
pub(crate) const START: u64 = 1_790_000_000;

/// The owners of keys: the broker, which has one valid key at a time; a server that only one client
/// trusts; the attacker.
pub(crate) const HONEST: [usize; 2] = [0, 1];
pub(crate) const STAGING: usize = 2;
pub(crate) const FORGED: usize = 3;
/// The process that trusts another authority.
pub(crate) const STAGING_PROCESS: usize = 2;
pub(crate) const OWNERS: usize = 4;

/// The signing keys. They are made once, because this is slow.
pub(crate) struct Signers(Vec<Signer>);

struct Signer {
    broker: DevBroker,
    key_set: String,
    key: String,
}

impl Signers {
    pub(crate) fn all() -> &'static Self {
        static SIGNERS: OnceLock<Signers> = OnceLock::new();
        SIGNERS.get_or_init(|| Self((0..OWNERS).map(|_| Signer::new()).collect()))
    }

    pub(crate) fn key_set(&self, owner: usize) -> &str {
        &self.0[owner].key_set
    }

    /// The owners of the keys in a text.
    pub(crate) fn owners_in(&self, text: &str) -> Vec<usize> {
        let owners = 0..OWNERS;
        owners
            .filter(|owner| text.contains(&self.0[*owner].key))
            .collect()
    }

    /// A token for the login of a URL, with the key of an owner.
    pub(crate) fn token(&self, owner: usize, url: &str, now: u64) -> String {
        let mut mint = MintOptions::for_url(url).unwrap();
        mint.algorithm = Algorithm::EdDsa;
        let claims = json!({ "iss": ORIGIN, "iat": now, "exp": now + 600 });
        mint.claims.clone_from(claims.as_object().unwrap());
        self.0[owner].broker.mint(&mint).unwrap()
    }
}

impl Signer {
    fn new() -> Self {
        let broker = DevBroker::spawn(DevBrokerOptions::default()).unwrap();
        // Brokers of one process start with the same keys.
        broker.forget_keys().unwrap();
        let client = Client::builder("https://example.com/verify").broker(broker.origin());
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        let all = runtime.block_on(async { client.build().unwrap().key_set().await });
        let all: Value = serde_json::from_str(&all.unwrap()).unwrap();
        let id = broker
            .key_id(KeyChoice::default(), Algorithm::EdDsa)
            .unwrap();
        let mut keys = all["keys"].as_array().unwrap().clone();
        keys.retain(|key| key["kid"] == id.as_str());
        Self {
            broker,
            key: keys[0]["x"].as_str().unwrap().to_owned(),
            key_set: json!({ "keys": keys }).to_string(),
        }
    }
}

pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Which of the broker's keys is valid.
    current: usize,
    is_down: bool,
    failed_at: Option<Duration>,
    /// When a process was last allowed to accept an owner's keys.
    seen: HashMap<(usize, usize), Duration>,
    /// Whether a store has named another host.
    is_evil_named: bool,
    /// A forbidden request.
    astray: Option<String>,
}

impl World {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            clock: Arc::new(ManualClock::at(START)),
            state: Mutex::default(),
        })
    }

    pub(crate) fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    pub(crate) fn seconds(&self) -> u64 {
        START + self.now().as_secs()
    }

    pub(crate) fn current(&self) -> usize {
        HONEST[self.state().current]
    }

    pub(crate) fn rotate(&self) {
        let mut state = self.state();
        state.current = 1 - state.current;
    }

    pub(crate) fn set_down(&self, is_down: bool) {
        self.state().is_down = is_down;
    }

    /// The broker could not be reached just now.
    pub(crate) fn fail(&self) {
        self.state().failed_at = Some(self.now());
    }

    /// Whether the broker could not be reached in the last minutes.
    pub(crate) fn is_troubled(&self) -> bool {
        let now = self.now();
        let state = self.state();
        let recent = |at| now.saturating_sub(at) < Duration::from_secs(5 * 60);
        state.is_down || state.failed_at.is_some_and(recent)
    }

    pub(crate) fn see(&self, process: usize, owner: usize, at: Duration) {
        let mut state = self.state();
        let seen = state.seen.entry((process, owner)).or_default();
        *seen = at.max(*seen);
    }

    pub(crate) fn seen(&self, process: usize, owner: usize) -> Option<Duration> {
        self.state().seen.get(&(process, owner)).copied()
    }

    pub(crate) fn name_evil(&self) {
        self.state().is_evil_named = true;
    }

    /// A request to a host that no document names.
    pub(crate) fn astray(&self) -> Option<String> {
        self.state().astray.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

/// The network, as one process sees it.
pub(crate) struct Network {
    pub(crate) world: Arc<World>,
    pub(crate) process: usize,
    /// Whether it trusts an authority that production does not.
    pub(crate) is_staging: bool,
}

impl Network {
    fn answer(&self, request: &Request) -> Result<Response> {
        let url = request.url.as_str();
        if url == "https://evil.example/keys.json" && self.world.state().is_evil_named {
            let keys = Signers::all().key_set(FORGED);
            return Ok(response(200, "\"evil\"", "max-age=31536000", keys));
        }
        if ![DISCOVERY_URL, KEYS_URL].contains(&url) {
            // A panic here would be caught by the fetch.
            self.world.state().astray = Some(url.to_owned());
        }
        let down = self.world.state().is_down;
        if down {
            self.world.fail();
            return Err(Error::new(Code::BrokerUnreachable, "down"));
        }
        if url == DISCOVERY_URL {
            return Ok(response(200, "\"discovery\"", "max-age=86400", DISCOVERY));
        }
        let owner = if self.is_staging {
            STAGING
        } else {
            self.world.current()
        };
        self.world.see(self.process, owner, self.world.now());
        let etag = etag(owner);
        let condition = request.headers.get("if-none-match");
        let is_same = match condition {
            Some(condition) => condition.to_str().unwrap() == etag,
            None => request.headers.contains_key("if-modified-since"),
        };
        let keys = Signers::all().key_set(owner);
        Ok(if is_same {
            response(304, &etag, "max-age=86400", "")
        } else {
            response(200, &etag, "max-age=86400", keys)
        })
    }
}

impl Transport for Network {
    fn send(&self, request: Request) -> BoxFuture<'static, Result<Response>> {
        let answer = self.answer(&request);
        Box::pin(async move {
            tokio::task::yield_now().await;
            answer
        })
    }

    fn trust(&self) -> Option<String> {
        let name = if self.is_staging {
            "staging"
        } else {
            "production"
        };
        Some(name.to_owned())
    }
}

pub(crate) fn etag(owner: usize) -> String {
    format!("\"keys-{owner}\"")
}

fn response(status: u16, etag: &str, caching: &str, body: &str) -> Response {
    let mut headers = http::HeaderMap::new();
    headers.insert("etag", etag.parse().unwrap());
    headers.insert("cache-control", caching.parse().unwrap());
    Response {
        status,
        headers,
        body: body.to_owned().into(),
    }
}
