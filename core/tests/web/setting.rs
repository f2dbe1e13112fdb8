//! The parts of a case's flow.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{SystemTime, UNIX_EPOCH};

use portier_client::testing::{
    DevBroker, DevBrokerOptions, ManualClock, ManualRandom, MintOptions, MockTransport,
};
use portier_client::web::LoginFlow;
use portier_client::{Client, Clock as _, Code, MemoryStore, Result};
use serde_json::{Value, json};

use crate::options;
use crate::store::Switched;

/// Where pending logins are.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Mode {
    Stored,
    /// Sealed in the browser. The store remembers the completed ones.
    Sealed,
    /// Sealed, and there is no store.
    SealedAlone,
}

impl Mode {
    /// The code that a store would have led to: it does not tell an expired login from an unknown one.
    pub(crate) fn code_of_store(self, code: Code) -> Code {
        let is_expired = self != Self::Stored && code == Code::SessionExpired;
        if is_expired {
            Code::SessionUnknown
        } else {
            code
        }
    }
}

const SECRET: &str = "rN5yH8cV2bM7kX4zT9wQ1pL6sD3gF0jA";

/// Shared by all cases, because making keys takes time.
pub(crate) struct Surroundings {
    pub(crate) broker: DevBroker,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) transport: Arc<MockTransport>,
    pub(crate) mode: Mode,
}

impl Surroundings {
    pub(crate) async fn new(vectors: &Value, mode: Mode) -> Self {
        let clock = Arc::new(ManualClock::at(vectors["now"].as_u64().unwrap()));
        let options = DevBrokerOptions {
            clock: Some(clock.clone()),
            ..DevBrokerOptions::default()
        };
        let broker = DevBroker::spawn(options).unwrap();
        let client = Client::builder("https://example.com/verify").broker(broker.origin());
        let client = client.build().unwrap();
        let transport = MockTransport::new();
        for (path, document) in [
            ("/.well-known/openid-configuration", client.discover().await),
            ("/keys.json", client.key_set().await),
        ] {
            let url = format!("{}{path}", broker.origin());
            transport
                .respond(&url, 200, &[], document.unwrap())
                .unwrap();
        }
        Self {
            broker,
            clock,
            transport: Arc::new(transport),
            mode,
        }
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// A token of a kind, for the login with that URL.
    pub(crate) fn mint(&self, kind: &Value, url: &str) -> String {
        let mut options = kind.as_object().unwrap().clone();
        let now = self.now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let now = i64::try_from(now).unwrap();
        let times = options.remove("times").unwrap_or_default();
        for (claim, seconds) in times.as_object().into_iter().flatten() {
            let at = now + seconds.as_i64().unwrap();
            options.entry("claims").or_insert_with(|| json!({}))[claim] = at.into();
        }
        options.insert("url".to_owned(), url.into());
        let options = MintOptions::from_json(&Value::Object(options).to_string()).unwrap();
        self.broker.mint(&options).unwrap()
    }
}

/// Makes the flow of a case, and a switch for its store.
pub(crate) fn make_flow(
    vectors: &Value,
    case: &Value,
    surroundings: &Surroundings,
) -> Result<(LoginFlow, Arc<AtomicBool>)> {
    let mut given = vectors["options"].as_object().unwrap().clone();
    given.extend(case["options"].as_object().cloned().unwrap_or_default());
    let is_down = Arc::new(AtomicBool::new(false));
    let clock = &surroundings.clock;
    let store = Switched::new(MemoryStore::new(clock.clone()), Arc::clone(&is_down));
    let mut builder = Client::builder(given["redirect_uri"].as_str().unwrap())
        .broker(surroundings.broker.origin())
        .clock(clock.clone())
        .transport(surroundings.transport.clone())
        .random(Arc::new(ManualRandom::default()));
    if surroundings.mode != Mode::SealedAlone {
        builder = builder.store(Arc::new(store));
    }
    if surroundings.mode != Mode::Stored {
        builder = builder.secret(SECRET);
    }
    Ok((options::make(given, builder)?, is_down))
}
