//! Documents that processes share.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};

use super::*;
use crate::future::BoxFuture;
use crate::session_key::SessionKey;
use crate::store::{SharedDocuments, Taken};

/// A store that a test can inspect and change.
#[derive(Default)]
pub(super) struct Shelves(Mutex<Content>);

#[derive(Default)]
pub(super) struct Content {
    pub(super) documents: HashMap<String, String>,
    pub(super) leases: HashSet<String>,
    /// Every call fails.
    fails: bool,
    /// No call is answered.
    hangs: bool,
}

impl Shelves {
    pub(super) fn content(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap()
    }

    fn answer<T: Send + 'static>(
        &self,
        answer: impl FnOnce(&mut Content) -> T,
    ) -> BoxFuture<'_, Result<T>> {
        let mut content = self.content();
        if content.hangs {
            return Box::pin(std::future::pending());
        }
        let answer = if content.fails {
            Err(Error::new(Code::StoreUnavailable, "away"))
        } else {
            Ok(answer(&mut content))
        };
        Box::pin(async move { answer })
    }

    /// Changes the only stored copy.
    pub(super) fn change(&self, from: &str, to: &str) {
        let mut content = self.content();
        let copy = content.documents.values_mut().next().unwrap();
        let changed = copy.replace(from, to);
        assert_ne!(*copy, changed);
        *copy = changed;
    }
}

impl Store for Shelves {
    fn put<'a>(&'a self, _: &'a SessionKey, _: String, _: Duration) -> BoxFuture<'a, Result<()>> {
        self.answer(|_| ())
    }

    fn take<'a>(&'a self, _: &'a SessionKey) -> BoxFuture<'a, Result<Taken>> {
        self.answer(|_| Taken::Unknown)
    }

    fn documents(&self) -> Option<&dyn SharedDocuments> {
        Some(self)
    }
}

impl SharedDocuments for Shelves {
    fn load<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<String>>> {
        self.answer(|content| content.documents.get(name).cloned())
    }

    fn save<'a>(&'a self, name: &'a str, text: String, _: Duration) -> BoxFuture<'a, Result<()>> {
        self.answer(|content| {
            content.documents.insert(name.to_owned(), text);
        })
    }

    fn lease<'a>(&'a self, name: &'a str, _: Duration) -> BoxFuture<'a, Result<bool>> {
        self.answer(|content| content.leases.insert(name.to_owned()))
    }

    fn release<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<()>> {
        self.answer(|content| {
            content.leases.remove(name);
        })
    }
}

/// A broker, a store, and two processes.
pub(super) fn two() -> (Arc<Shelves>, Scene, Scene) {
    let broker = Scene::new();
    let shelves = Arc::new(Shelves::default());
    let store: Arc<dyn Store> = Arc::clone(&shelves) as _;
    (shelves, broker.process(&store), broker.process(&store))
}

#[tokio::test]
async fn a_cold_process_fetches_nothing_that_another_one_has() {
    let (shelves, one, two) = two();
    one.keys().await.unwrap();
    one.clock.advance(HOUR / 4);
    assert_eq!(ids(&two.keys().await.unwrap()), ["one"]);
    assert_eq!(one.requests(), (1, 1));
    let stats = two.documents.stats();
    assert_eq!((stats.keys.requests, stats.keys.shared_loads), (0, 1));
    assert_eq!(stats.discovery.shared_loads, 1);
    assert_eq!(stats.clock_difference, None);
    // It has the same age as for the process that fetched it.
    assert_eq!(stats.keys.age_seconds, Some(900.0));
    assert_eq!(stats.keys.fresh_for_seconds, Some(2700.0));
    two.clock.advance(HOUR / 4 * 3);
    two.keys().await.unwrap();
    assert_eq!(one.requests(), (2, 2));
    assert!(shelves.content().leases.is_empty());
}

#[tokio::test(start_paused = true)]
async fn cold_processes_cause_one_request_for_each_document() {
    let broker = Scene::new();
    let store: Arc<dyn Store> = Arc::new(Shelves::default());
    let processes: Vec<_> = (0..20).map(|_| broker.process(&store)).collect();
    broker.broker.hold();
    let callers: Vec<_> = processes
        .iter()
        .map(|process| {
            let documents = Arc::clone(&process.documents);
            tokio::spawn(async move { documents.keys().await })
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(broker.requests(), (1, 0));
    broker.broker.release();
    for caller in callers {
        assert_eq!(ids(&caller.await.unwrap().unwrap()), ["one"]);
    }
    assert_eq!(broker.requests(), (1, 1));
}

#[tokio::test]
async fn one_process_refreshes_and_the_others_use_what_they_have() {
    let (shelves, one, two) = two();
    one.discovery().await.unwrap();
    let old = two.discovery().await.unwrap();
    one.clock.advance(HOUR * 4 / 5);
    one.broker.hold();
    one.discovery().await.unwrap();
    tokio::task::yield_now().await;
    assert_eq!(shelves.content().leases.len(), 1);
    for _ in 0..10 {
        assert!(Arc::ptr_eq(&old, &two.discovery().await.unwrap()));
        two.quiet().await;
    }
    one.broker.release();
    one.quiet().await;
    two.clock.advance(Duration::from_secs(1));
    two.discovery().await.unwrap();
    two.quiet().await;
    let new = two.discovery().await.unwrap();
    assert!(!Arc::ptr_eq(&old, &new));
    assert_eq!(one.requests(), (2, 0));
    let stats = two.documents.stats().discovery;
    assert_eq!((stats.requests, stats.failures), (0, 0));
}

#[tokio::test]
async fn a_missing_key_is_looked_for_in_the_store_first() {
    let (_, one, two) = two();
    let seen = one.keys().await.unwrap();
    two.keys().await.unwrap();
    one.clock.advance(Duration::from_secs(60));
    one.keys_are(200, &[], &key_set(&["two"]));
    let newer = one.documents.refresh_for_key(&seen, "two").await.unwrap();
    assert_eq!(ids(&newer), ["two"]);
    assert_eq!(one.requests(), (1, 2));
    let seen = two.keys().await.unwrap();
    assert_eq!(ids(&seen), ["one"]);
    let newer = two.documents.refresh_for_key(&seen, "two").await.unwrap();
    assert_eq!(ids(&newer), ["two"]);
    assert_eq!(one.requests(), (1, 2));
    // A key that is missing in the newer copy too is fetched.
    one.keys_are(200, &[], &key_set(&["two", "three"]));
    one.clock.advance(Duration::from_secs(5));
    let newer = two
        .documents
        .refresh_for_key(&newer, "three")
        .await
        .unwrap();
    assert_eq!(ids(&newer), ["two", "three"]);
    assert_eq!(one.requests(), (1, 3));
}

#[tokio::test]
async fn missing_keys_cause_one_load_from_the_store_in_five_seconds() {
    let (shelves, one, _) = two();
    let mut seen = one.keys().await.unwrap();
    one.clock.advance(Duration::from_secs(1));
    seen = one.documents.refresh_for_key(&seen, "two").await.unwrap();
    shelves.content().hangs = true;
    for _ in 0..100 {
        seen = one.documents.refresh_for_key(&seen, "two").await.unwrap();
    }
    assert_eq!(one.requests(), (1, 2));
}

#[tokio::test]
async fn a_304_makes_the_shared_document_fresh() {
    let (_, one, two) = two();
    let etag = ("etag", "\"v1\"");
    one.keys_are(200, &[etag], &key_set(&["one"]));
    one.keys().await.unwrap();
    one.clock.advance(HOUR);
    one.keys_are(304, &[etag], "");
    one.keys().await.unwrap();
    assert_eq!(ids(&two.keys().await.unwrap()), ["one"]);
    let stats = two.documents.stats().keys;
    assert_eq!((stats.requests, stats.age_seconds), (0, Some(0.0)));
}

#[tokio::test]
async fn a_no_store_document_is_not_shared() {
    for header in ["no-store", "max-age=600, No-Store", "private,no-store"] {
        let (shelves, one, two) = two();
        one.discovery_is(200, &[("cache-control", header)], DISCOVERY);
        one.discovery().await.unwrap();
        assert!(shelves.content().documents.is_empty(), "{header}");
        assert!(shelves.content().leases.is_empty());
        two.discovery().await.unwrap();
        assert_eq!(one.requests(), (2, 0));
    }
}

#[tokio::test]
async fn a_copy_from_the_store_is_validated_like_a_fetched_document() {
    let attacks: [(&str, &str); 10] = [
        // Another version, an unknown member, from the future, too old, not JSON.
        (r#""v":1"#, r#""v":2"#),
        (r#""v":1"#, r#""v":1,"w":1"#),
        (r#""t":1700000000000"#, r#""t":1700000011000"#),
        (r#""t":1700000000000"#, r#""t":1699996400000"#),
        (r#""t":1700000000000"#, r#""t":18446744073709551615"#),
        ("{", ""),
        // Another URL than the requested one, and invalid documents.
        ("/.well-known/", "/.well-known/../"),
        ("https://broker.example/auth", "http://broker.example/auth"),
        ("https://broker.example/keys.json", "file:///keys.json"),
        (
            r#"\"issuer\":\"https://broker.example\""#,
            r#"\"issuer\":\"https://evil.example\""#,
        ),
    ];
    for (from, to) in attacks {
        let (shelves, one, two) = two();
        one.discovery().await.unwrap();
        shelves.change(from, to);
        let discovery = two.discovery().await.unwrap();
        assert_eq!(discovery.authorization_endpoint.scheme(), "https");
        assert_eq!(one.requests(), (2, 0), "{from} {to}");
        assert_eq!(two.documents.stats().discovery.shared_loads, 0);
    }
}

#[tokio::test]
async fn a_copy_lives_no_longer_than_a_day() {
    let (shelves, one, two) = two();
    let forever = [("cache-control", "max-age=31536000")];
    one.discovery_is(200, &forever, DISCOVERY);
    one.discovery().await.unwrap();
    one.clock.advance(DAY);
    two.discovery().await.unwrap();
    assert_eq!(one.requests(), (2, 0));
    assert_eq!(shelves.content().documents.len(), 1);
}

#[tokio::test]
async fn keys_that_moved_are_not_loaded_from_the_old_url() {
    let (_, one, two) = two();
    one.keys().await.unwrap();
    one.clock.advance(HOUR / 2);
    let moved = DISCOVERY.replace("keys.json", "moved.json");
    one.discovery_is(200, &[], &moved);
    let url = "https://broker.example/moved.json";
    one.broker
        .respond(url, 200, &[], key_set(&["two"]))
        .unwrap();
    one.clock.advance(HOUR / 2);
    assert_eq!(ids(&two.keys().await.unwrap()), ["two"]);
}

#[tokio::test(start_paused = true)]
async fn a_failing_store_only_costs_requests() {
    for hangs in [false, true] {
        let (shelves, one, two) = two();
        shelves.content().fails = !hangs;
        shelves.content().hangs = hangs;
        one.keys().await.unwrap();
        two.keys().await.unwrap();
        assert_eq!(one.requests(), (2, 2));
        assert_eq!(one.documents.stats().keys.failures, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_holder_of_the_lease_delays_by_ten_seconds_at_most() {
    let (shelves, one, two) = two();
    one.discovery().await.unwrap();
    {
        let mut content = shelves.content();
        let name = content.documents.drain().next().unwrap().0;
        content.leases.insert(name);
    }
    let mut waiting = std::pin::pin!(two.discovery());
    let early = tokio::time::timeout(Duration::from_secs(9), waiting.as_mut()).await;
    assert!(early.is_err());
    let late = tokio::time::timeout(Duration::from_secs(2), waiting).await;
    late.unwrap().unwrap();
    assert_eq!(one.requests(), (2, 0));
}

#[tokio::test]
async fn a_failed_fetch_ends_the_lease() {
    let (shelves, one, two) = two();
    one.keys_fail();
    assert_eq!(code(one.keys().await), Code::BrokerUnreachable);
    assert!(shelves.content().leases.is_empty());
    one.keys_are(200, &[], &key_set(&["one"]));
    two.keys().await.unwrap();
}
