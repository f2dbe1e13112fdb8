//! The cache with a broker in memory and a manual clock.

mod failure;
mod health;
mod histories;
mod in_flight;
mod keys;
mod leases;
mod refresh;
mod shared_cache;
mod trust;

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::Documents;
use crate::discovery::Discovery;
use crate::error::{Code, Error, Result};
use crate::jwks::KeySet;
use crate::origin::Origin;
use crate::store::{MemoryStore, Store};
use crate::testing::{ManualClock, ManualRandom, MockTransport};

const DISCOVERY_URL: &str = "https://broker.example/.well-known/openid-configuration";
const KEYS_URL: &str = "https://broker.example/keys.json";
const DISCOVERY: &str = r#"{"issuer":"https://broker.example",
    "authorization_endpoint":"https://broker.example/auth",
    "jwks_uri":"https://broker.example/keys.json"}"#;
/// 2023-11-14 22:13:20.
const START: u64 = 1_700_000_000;
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A broker, a client's view of it, and the time. Every answer is fresh for an hour.
struct Scene {
    broker: Arc<MockTransport>,
    clock: Arc<ManualClock>,
    documents: Arc<Documents>,
}

impl Scene {
    fn new() -> Self {
        let scene = Self::without_documents();
        scene.discovery_is(200, &[], DISCOVERY);
        scene.keys_are(200, &[], &key_set(&["one"]));
        scene
    }

    /// The broker has nothing yet: every request is answered with a 404.
    fn without_documents() -> Self {
        let broker = Arc::new(MockTransport::new());
        let clock = Arc::new(ManualClock::at(START));
        let documents = documents(&broker, &clock, &unshared(&clock));
        Self {
            broker,
            clock,
            documents,
        }
    }

    /// Another process that uses this store.
    fn process(&self, store: &Arc<dyn Store>) -> Self {
        Self {
            broker: Arc::clone(&self.broker),
            clock: Arc::clone(&self.clock),
            documents: documents(&self.broker, &self.clock, store),
        }
    }

    fn discovery_is(&self, status: u16, headers: &[(&str, &str)], body: &str) {
        let body = body.to_owned();
        self.broker
            .respond(DISCOVERY_URL, status, headers, body)
            .unwrap();
    }

    fn keys_are(&self, status: u16, headers: &[(&str, &str)], body: &str) {
        let body = body.to_owned();
        self.broker
            .respond(KEYS_URL, status, headers, body)
            .unwrap();
    }

    fn keys_fail(&self) {
        self.broker.fail(
            KEYS_URL,
            Error::new(Code::BrokerUnreachable, "no connection"),
        );
    }

    /// How often the discovery document and the keys were requested.
    fn requests(&self) -> (usize, usize) {
        (
            self.broker.requests(DISCOVERY_URL),
            self.broker.requests(KEYS_URL),
        )
    }

    async fn discovery(&self) -> Result<Arc<Discovery>> {
        self.documents.discovery().await
    }

    async fn keys(&self) -> Result<Arc<KeySet>> {
        self.documents.keys().await
    }

    /// Waits for background fetches.
    async fn quiet(&self) {
        let fetcher = &self.documents.fetcher;
        while fetcher.discovery.is_fetching() || fetcher.keys.is_fetching() {
            tokio::task::yield_now().await;
        }
    }
}

fn documents(
    broker: &Arc<MockTransport>,
    clock: &Arc<ManualClock>,
    store: &Arc<dyn Store>,
) -> Arc<Documents> {
    Documents::new(
        Origin::parse("https://broker.example", false).unwrap(),
        Arc::clone(broker) as _,
        Arc::clone(clock) as _,
        Arc::new(ManualRandom::default()),
        store,
    )
}

fn unshared(clock: &Arc<ManualClock>) -> Arc<dyn Store> {
    Arc::new(MemoryStore::new(Arc::clone(clock) as _))
}

/// A key set in which every key is the one of RFC 8037, appendix A.2.
fn key_set(ids: &[&str]) -> String {
    let keys: Vec<_> = ids
        .iter()
        .map(|id| {
            format!(
                r#"{{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":"{id}",
                "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}"#
            )
        })
        .collect();
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

fn ids(keys: &KeySet) -> Vec<String> {
    keys.infos().into_iter().map(|key| key.id).collect()
}

fn code<T>(result: Result<T>) -> Code {
    result.err().expect("an error").code()
}

/// Polls once, as the bindings do.
fn poll_once<T>(future: impl Future<Output = T>) -> Poll<T> {
    let mut future = std::pin::pin!(future);
    future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
}
