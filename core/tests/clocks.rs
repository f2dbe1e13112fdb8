//! Clocks that differ between the site and the broker, or between two machines with one store.
#![cfg(feature = "testing")]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use portier_client::testing::{DevBroker, DevBrokerOptions, ManualClock, MintOptions};
use portier_client::{
    AuthenticateOptions, BoxFuture, Client, Code, Error, MemoryStore, Result, SessionKey, Store,
    Taken,
};

/// The time of the broker when a login starts.
const START: u64 = 1_790_000_000;
/// How long a person takes to open the mail.
const MINUTE: Duration = Duration::from_secs(60);

/// A broker with a correct clock, and a store with its own clock.
struct World {
    clock: Arc<ManualClock>,
    broker: DevBroker,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let broker = DevBroker::spawn(DevBrokerOptions {
            clock: Some(clock.clone()),
            ..DevBrokerOptions::default()
        })
        .unwrap();
        Self { clock, broker }
    }

    fn memory(&self) -> Arc<dyn Store> {
        Arc::new(MemoryStore::new(self.clock.clone()))
    }

    /// A process whose clock is ahead by this number of seconds.
    fn process(&self, ahead: i64, store: &Arc<dyn Store>) -> Process {
        let clock = Arc::new(ManualClock::at(START.saturating_add_signed(ahead)));
        let client = Client::builder("https://example.com/verify")
            .broker(self.broker.origin())
            .clock(clock.clone())
            .store(Arc::clone(store))
            .build()
            .unwrap();
        Process { clock, client }
    }

    /// Starts a login; its token is issued a minute later.
    async fn token(&self, process: &Process) -> String {
        let url = process.client.authenticate("alice@example.com").await;
        self.clock.advance(MINUTE);
        process.clock.advance(MINUTE);
        let mint = MintOptions::for_url(&url.unwrap()).unwrap();
        self.broker.mint(&mint).unwrap()
    }
}

struct Process {
    clock: Arc<ManualClock>,
    client: Client,
}

impl Process {
    /// Sets the clock ahead of the broker's by this number of seconds, a minute after the start.
    fn step_to(&self, ahead: i64) {
        let time = (START + 60).saturating_add_signed(ahead);
        self.clock.set(UNIX_EPOCH + Duration::from_secs(time));
    }

    async fn verify(&self, token: &str) -> Option<Error> {
        self.client.verify(token).await.err()
    }

    async fn code(&self, token: &str) -> Option<Code> {
        self.verify(token).await.map(|error| error.code())
    }
}

#[tokio::test]
async fn a_wrong_clock_is_named_and_uses_nothing_up() {
    for (ahead, code) in [
        (-100_000, Some(Code::TokenNotYetValid)),
        (-181, Some(Code::TokenNotYetValid)),
        (-180, None),
        (0, None),
        (240, None),
        (241, Some(Code::TokenClock)),
        (500, Some(Code::TokenClock)),
        (779, Some(Code::TokenClock)),
        (780, Some(Code::TokenExpired)),
        (100_000, Some(Code::TokenExpired)),
    ] {
        let world = World::new();
        let site = world.process(ahead, &world.memory());
        let token = world.token(&site).await;
        let refusal = site.verify(&token).await;
        assert_eq!(refusal.as_ref().map(Error::code), code, "{ahead}");
        if let Some(refusal) = refusal {
            assert!(refusal.to_string().contains("clock"), "{refusal}");
            assert_eq!(site.client.stats().pending, Some(1), "{ahead}");
            // The clock is corrected, and the person tries again.
            site.step_to(0);
            assert_eq!(site.code(&token).await, None, "{ahead}");
        }
        assert_eq!(site.code(&token).await, Some(Code::SessionUsed), "{ahead}");
    }
}

#[tokio::test]
async fn changing_the_clock_during_a_login_does_not_end_it() {
    for (before, after) in [(500, 0), (0, 500), (-500, 0), (0, -180), (100_000, 0)] {
        let world = World::new();
        let site = world.process(before, &world.memory());
        let token = world.token(&site).await;
        site.step_to(after);
        assert_eq!(site.code(&token).await, None, "{before} {after}");
    }
}

#[tokio::test]
async fn machines_with_different_clocks_complete_each_others_logins() {
    for (starts, completes, code) in [
        (500, 0, None),
        (0, 500, None),
        (-500, 500, None),
        (500, 500, Some(Code::TokenClock)),
        (500, 600, Some(Code::TokenClock)),
        (500, -500, Some(Code::TokenNotYetValid)),
        (0, 800, Some(Code::TokenExpired)),
    ] {
        let world = World::new();
        let store = world.memory();
        let one = world.process(starts, &store);
        let token = world.token(&one).await;
        let other = world.process(completes + 60, &store);
        let outcome = other.code(&token).await;
        assert_eq!(outcome, code, "{starts} {completes}");
        if outcome.is_some() {
            // A machine with a correct clock completes the login.
            let right = world.process(60, &store);
            assert_eq!(right.code(&token).await, None, "{starts} {completes}");
        }
    }
}

#[tokio::test]
async fn a_login_is_checked_against_its_own_start_in_another_browser_too() {
    let world = World::new();
    let site = world.process(500, &world.memory());
    let mut options = AuthenticateOptions::for_email("alice@example.com");
    options.browser = Some("the secret of a browser".to_owned());
    let url = site.client.authenticate_with(options).await.unwrap();
    let token = world.broker.mint(&MintOptions::for_url(&url).unwrap());
    let code = site.code(&token.unwrap()).await;
    assert_eq!(code, Some(Code::SessionBrowser));
    assert_eq!(site.client.stats().pending, Some(1));
}

/// A custom store with only `put` and `take`, which does not remember taken logins.
#[derive(Default)]
struct Own(Mutex<HashMap<[u8; 32], String>>);

impl Store for Own {
    fn put<'a>(
        &'a self,
        key: &'a SessionKey,
        record: String,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<()>> {
        assert!((1..=1800).contains(&ttl.as_secs()), "{ttl:?}");
        let before = self.0.lock().unwrap().insert(*key.as_bytes(), record);
        assert_eq!(before, None);
        Box::pin(async { Ok(()) })
    }

    fn take<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Taken>> {
        let record = self.0.lock().unwrap().remove(key.as_bytes());
        Box::pin(async { Ok(record.map_or(Taken::Unknown, Taken::Record)) })
    }
}

#[tokio::test]
async fn a_store_without_peek_gets_the_login_back() {
    let world = World::new();
    let store: Arc<dyn Store> = Arc::new(Own::default());
    let site = world.process(500, &store);
    let token = world.token(&site).await;
    for _ in 0..3 {
        assert_eq!(site.code(&token).await, Some(Code::TokenClock));
    }
    site.step_to(0);
    assert_eq!(site.code(&token).await, None);
    assert_eq!(site.code(&token).await, Some(Code::SessionUnknown));
}
