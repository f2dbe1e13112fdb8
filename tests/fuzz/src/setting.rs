//! The login of the token vectors, with a client that waits for its token.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portier_client::testing::{ManualClock, ManualRandom, MockTransport};
use portier_client::{Algorithm, Builder, Client};
use serde_json::Value;
use tokio::runtime::{Builder as RuntimeBuilder, Runtime};

const TOKENS: &str = include_str!("../../vectors/tokens.json");

pub(crate) const BROKER: &str = "https://broker.example";
pub(crate) const REDIRECT_URI: &str = "https://rp.example/verify";
pub(crate) const CLIENT_ID: &str = "https://rp.example";
pub(crate) const NONCE: &str = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY";
pub(crate) const EMAIL: &str = "alice@example.com";
pub(crate) const STARTED_AT: u64 = 1_700_000_000;
pub(crate) const NOW: u64 = STARTED_AT + 60;
pub(crate) const DISCOVERY_URL: &str = "https://broker.example/.well-known/openid-configuration";
pub(crate) const KEYS_URL: &str = "https://broker.example/keys.json";

/// The token vectors, and their broker.
pub(crate) static VECTORS: LazyLock<Value> = LazyLock::new(|| {
    let vectors: Value = serde_json::from_str(TOKENS).unwrap();
    for (name, ours) in [("broker", BROKER), ("nonce", NONCE), ("login_email", EMAIL)] {
        assert_eq!(vectors[name], ours);
    }
    assert_eq!(vectors["now"], NOW);
    vectors
});

/// The discovery document of the vectors.
pub(crate) static DISCOVERY: LazyLock<String> = LazyLock::new(|| VECTORS["discovery"].to_string());

/// The key set of the vectors.
pub(crate) static KEY_SET: LazyLock<String> = LazyLock::new(|| VECTORS["key_set"].to_string());

/// The configuration of the client.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Options {
    pub(crate) leeway: u64,
    pub(crate) idp: bool,
    pub(crate) algorithms: &'static [Algorithm],
}

impl Options {
    pub(crate) const USUAL: Self = Self {
        leeway: 180,
        idp: false,
        algorithms: &[Algorithm::Rs256, Algorithm::EdDsa],
    };
}

/// Runs one operation of a client to completion.
pub(crate) fn wait<T>(operation: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: Runtime = RuntimeBuilder::new_current_thread().build().unwrap();
    }
    RUNTIME.with(|runtime| runtime.block_on(operation))
}

/// A network on which the broker has these documents.
pub(crate) fn network(discovery: &[u8], keys: &[u8]) -> Arc<MockTransport> {
    let network = MockTransport::new();
    for (url, body) in [(DISCOVERY_URL, discovery), (KEYS_URL, keys)] {
        network.respond(url, 200, &[], body.to_vec()).unwrap();
    }
    Arc::new(network)
}

/// A network on which the broker has the documents of the vectors.
pub(crate) fn usual_network() -> Arc<MockTransport> {
    network(DISCOVERY.as_bytes(), KEY_SET.as_bytes())
}

/// A client on that network, with the nonce of the vectors.
pub(crate) fn client(network: &Arc<MockTransport>, clock: &Arc<ManualClock>) -> Builder {
    let nonce = URL_SAFE_NO_PAD.decode(NONCE).unwrap();
    Client::builder(REDIRECT_URI)
        .broker(BROKER)
        .transport(network.clone())
        .clock(clock.clone())
        .random(Arc::new(ManualRandom::new([nonce])))
}

/// A client at the time of the callback, with the login of the vectors pending.
pub(crate) fn started(options: Options) -> Client {
    let network = usual_network();
    let clock = Arc::new(ManualClock::at(STARTED_AT));
    let client = client(&network, &clock)
        .leeway(Duration::from_secs(options.leeway))
        .idp(options.idp)
        .algorithms(options.algorithms.iter().copied())
        .build()
        .unwrap();
    wait(client.authenticate(EMAIL)).unwrap();
    clock.set(UNIX_EPOCH + Duration::from_secs(NOW));
    client
}
