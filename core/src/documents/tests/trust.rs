//! Which documents a process loads from a store, and how long it uses them.

use super::shared_cache::{Shelves, two};
use super::*;
use crate::future::BoxFuture;
use crate::http::{Request, Response, Transport};

/// The same broker, over a transport that trusts other servers.
struct Trusting(Arc<MockTransport>, Option<&'static str>);

impl Transport for Trusting {
    fn send(&self, request: Request) -> BoxFuture<'static, Result<Response>> {
        self.0.send(request)
    }

    fn trust(&self) -> Option<String> {
        self.1.map(str::to_owned)
    }
}

fn trusting(scene: &Scene, store: &Arc<dyn Store>, trust: Option<&'static str>) -> Arc<Documents> {
    Documents::new(
        Origin::parse("https://broker.example", false).unwrap(),
        Arc::new(Trusting(Arc::clone(&scene.broker), trust)),
        Arc::clone(&scene.clock) as _,
        Arc::new(ManualRandom::default()),
        store,
    )
}

#[tokio::test]
async fn documents_are_shared_only_with_the_same_trust() {
    let scene = Scene::new();
    let store: Arc<dyn Store> = Arc::new(Shelves::default());
    let mut requests = 0;
    for (trust, fetches) in [
        (Some("production"), true),
        (Some("staging"), true),
        (Some("production"), false),
        (Some("staging"), false),
        // A transport without a description of its trust shares nothing.
        (None, true),
        (None, true),
    ] {
        let documents = trusting(&scene, &store, trust);
        documents.keys().await.unwrap();
        requests += usize::from(fetches);
        assert_eq!(scene.requests(), (requests, requests), "{trust:?}");
    }
}

#[tokio::test]
async fn a_copy_from_the_store_is_never_confirmed_by_the_broker() {
    let (shelves, one, two) = two();
    let validators = [
        ("etag", "\"v1\""),
        ("last-modified", "Tue, 14 Nov 2023 22:00:00 GMT"),
    ];
    one.keys_are(200, &validators, &key_set(&["forged"]));
    one.keys().await.unwrap();
    two.keys().await.unwrap();
    shelves.content().documents.clear();
    two.clock.advance(HOUR);
    one.keys_are(200, &validators, &key_set(&["genuine"]));
    assert_eq!(ids(&two.keys().await.unwrap()), ["genuine"]);
    let request = two.broker.last_request(KEYS_URL).unwrap();
    for condition in ["if-none-match", "if-modified-since"] {
        assert!(!request.headers.contains_key(condition), "{condition}");
    }
    // A process may revalidate a document that it has fetched itself.
    two.clock.advance(HOUR);
    two.keys_are(304, &validators, "");
    assert_eq!(ids(&two.keys().await.unwrap()), ["genuine"]);
    let request = two.broker.last_request(KEYS_URL).unwrap();
    assert_eq!(request.headers["if-none-match"], "\"v1\"");
}

#[tokio::test]
async fn a_304_does_not_renew_a_copy_from_the_store() {
    let (_, one, two) = two();
    let etag = ("etag", "\"v1\"");
    one.keys_are(200, &[etag], &key_set(&["one"]));
    one.keys().await.unwrap();
    two.keys().await.unwrap();
    two.clock.advance(HOUR);
    // An unrequested 304 is a failure, and does not make the copy fresher.
    two.keys_are(304, &[etag], "");
    two.keys().await.unwrap();
    assert_eq!(two.documents.stats().keys.fresh_for_seconds, Some(0.0));
    two.clock.advance(DAY);
    assert_eq!(code(two.keys().await), Code::BrokerStatus);
}

#[tokio::test]
async fn a_copy_with_a_false_age_expires_like_others() {
    for (from, to) in [
        (r#""t":1700000000000"#, r#""t":1700000010000"#),
        (r#""86400""#, r#""0""#),
        ("Tue, 14 Nov 2023", "Mon, 14 Nov 2033"),
        ("Tue, 14 Nov 2023", "Wed, 14 Nov 1973"),
        ("max-age=90000", "max-age=900000000"),
    ] {
        let (shelves, one, two) = two();
        let headers = [
            ("cache-control", "max-age=90000"),
            ("age", "86400"),
            ("date", "Tue, 14 Nov 2023 22:13:20 GMT"),
        ];
        one.discovery_is(200, &headers, DISCOVERY);
        one.discovery().await.unwrap();
        shelves.change(from, to);
        two.discovery().await.unwrap();
        assert_eq!(two.documents.stats().discovery.shared_loads, 1, "{from}");
        let fresh = two.documents.stats().discovery.fresh_for_seconds.unwrap();
        assert!(fresh <= DAY.as_secs_f64(), "{from} {fresh}");
        two.broker
            .fail(DISCOVERY_URL, Error::new(Code::BrokerUnreachable, "away"));
        shelves.content().documents.clear();
        two.clock.advance(DAY + DAY);
        assert_eq!(code(two.discovery().await), Code::BrokerUnreachable);
    }
}

#[tokio::test]
async fn a_copy_has_the_limits_of_a_fetched_document() {
    let pairs = vec![r#"["age","1"],"#; 40_000].concat();
    for (from, to) in [
        (
            r#"{\"issuer\""#.to_owned(),
            format!("{}{{\\\"issuer\\\"", " ".repeat(256 * 1024)),
        ),
        (r#""h":["#.to_owned(), format!(r#""h":[{pairs}"#)),
    ] {
        let (shelves, one, two) = two();
        one.discovery_is(200, &[("age", "1")], DISCOVERY);
        one.discovery().await.unwrap();
        shelves.change(&from, &to);
        two.discovery().await.unwrap();
        assert_eq!(two.documents.stats().discovery.shared_loads, 0);
        assert_eq!(one.requests(), (2, 0));
    }
}

const EVIL_KEYS_URL: &str = "https://evil.example/keys.json";

/// A process that finds a manipulated copy in the store, which moves the keys to another origin.
async fn misled() -> (Arc<Shelves>, Scene) {
    let (shelves, one, two) = two();
    let for_a_day = [("cache-control", "max-age=86400")];
    one.discovery_is(200, &for_a_day, DISCOVERY);
    one.discovery().await.unwrap();
    shelves.change("broker.example/keys.json", "evil.example/keys.json");
    let keys = key_set(&["evil"]);
    one.broker
        .respond(EVIL_KEYS_URL, 200, &for_a_day, keys)
        .unwrap();
    (shelves, two)
}

#[tokio::test]
async fn keys_expire_with_the_copy_that_named_their_url() {
    let (shelves, two) = misled().await;
    two.discovery().await.unwrap();
    shelves.content().documents.clear();
    two.clock.advance(23 * HOUR);
    assert_eq!(ids(&two.keys().await.unwrap()), ["evil"]);
    two.clock.advance(HOUR);
    assert_eq!(ids(&two.keys().await.unwrap()), ["one"]);
}

#[tokio::test]
async fn keys_expire_with_the_copy_that_named_their_url_even_if_it_was_replaced() {
    let (shelves, two) = misled().await;
    two.discovery().await.unwrap();
    shelves.content().documents.clear();
    // Old enough to be refreshed in the background, while the keys are fetched.
    two.clock.advance(DAY * 9 / 10);
    two.broker.hold();
    let documents = Arc::clone(&two.documents);
    let caller = tokio::spawn(async move { documents.keys().await });
    while two.requests().0 < 2 || two.broker.requests(EVIL_KEYS_URL) < 1 {
        tokio::task::yield_now().await;
    }
    two.broker.release();
    assert_eq!(ids(&caller.await.unwrap().unwrap()), ["evil"]);
    two.quiet().await;
    two.clock.advance(DAY / 10);
    assert_eq!(ids(&two.keys().await.unwrap()), ["one"]);
}
