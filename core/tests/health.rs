//! The health of a client, and the answer to health checks.
#![cfg(feature = "testing")]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::sync::Arc;
use std::time::Duration;

use portier_client::testing::{ManualClock, MockTransport};
use portier_client::web::{Body, FlowOptions, LoginFlow, WebRequest};
use portier_client::{Client, Code, Error, HealthStatus, MemoryStore};

const START: u64 = 1_790_000_000;
const DISCOVERY_URL: &str = "https://broker.example/.well-known/openid-configuration";
const DISCOVERY: &str = r#"{"authorization_endpoint":"https://broker.example/auth",
    "jwks_uri":"https://broker.example/keys.json"}"#;
const KEYS_URL: &str = "https://broker.example/keys.json";
/// The key of RFC 8037, appendix A.2.
const KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":"one",
    "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

struct Site {
    broker: Arc<MockTransport>,
    clock: Arc<ManualClock>,
    client: Client,
}

/// A site whose memory has room for `capacity` pending logins.
fn site(capacity: usize, date: Option<&str>) -> Site {
    let broker = Arc::new(MockTransport::new());
    let headers: Vec<_> = date.iter().map(|date| ("date", *date)).collect();
    for (url, document) in [(DISCOVERY_URL, DISCOVERY), (KEYS_URL, KEYS)] {
        broker
            .respond(url, 200, &headers, document.to_owned())
            .unwrap();
    }
    let clock = Arc::new(ManualClock::at(START));
    let store = MemoryStore::with_capacity(Arc::clone(&clock) as _, capacity);
    let client = Client::builder("https://example.com/verify")
        .broker("https://broker.example")
        .clock(Arc::clone(&clock) as _)
        .store(Arc::new(store))
        .transport(Arc::clone(&broker) as _)
        .build()
        .unwrap();
    Site {
        broker,
        clock,
        client,
    }
}

#[tokio::test]
async fn an_error_of_the_store_is_a_warning_until_a_login_works_again() {
    let site = site(1, None);
    site.client.authenticate("alice@example.com").await.unwrap();
    assert_eq!(site.client.health().status, HealthStatus::Pass);
    let full = site.client.authenticate("bob@example.com").await;
    assert_eq!(full.unwrap_err().code(), Code::StoreFull);
    // An error of another kind says nothing about the store.
    site.client.authenticate("nobody").await.unwrap_err();
    let health = site.client.health();
    assert_eq!(health.status, HealthStatus::Warn);
    assert_eq!(health.checks.store.code, Some(Code::StoreFull));
    site.clock.advance(Duration::from_secs(60 * 60));
    site.client.authenticate("bob@example.com").await.unwrap();
    assert_eq!(site.client.health().checks.store.code, None);
}

#[tokio::test]
async fn a_wrong_clock_is_a_warning() {
    // START is 2026-09-21 14:13:20.
    for (date, code) in [
        ("Mon, 21 Sep 2026 14:16:20 GMT", None),
        ("Mon, 21 Sep 2026 14:16:21 GMT", Some(Code::TokenClock)),
        ("Mon, 21 Sep 2026 14:10:19 GMT", Some(Code::TokenClock)),
    ] {
        let site = site(9, Some(date));
        site.client.authenticate("alice@example.com").await.unwrap();
        let health = site.client.health();
        assert_eq!(health.checks.clock.code, code, "{date}");
        assert_eq!(health.http_status(), 200);
    }
}

fn request(method: &str) -> WebRequest {
    WebRequest::new(method, Body::Empty)
}

#[tokio::test]
async fn a_flow_answers_health_checks_with_json_that_no_cache_keeps() {
    let site = site(9, None);
    let flow = LoginFlow::new(site.client.clone(), FlowOptions::default()).unwrap();
    for method in ["GET", "HEAD"] {
        let step = flow.health(&request(method));
        assert_eq!(step.reply.status, 200);
        let value = |name| step.reply.headers.iter().find(|(given, _)| *given == name);
        assert_eq!(value("content-type").unwrap().1, "application/json");
        assert!(value("cache-control").unwrap().1.starts_with("no-store"));
        let body: serde_json::Value = serde_json::from_str(&step.reply.body).unwrap();
        assert_eq!(body, serde_json::to_value(site.client.health()).unwrap());
        assert!(step.error.is_none() && step.reply.cookies.is_empty());
    }
}

#[tokio::test]
async fn other_methods_are_no_health_checks() {
    let site = site(9, None);
    let flow = LoginFlow::new(site.client.clone(), FlowOptions::default()).unwrap();
    for method in ["POST", "DELETE", "get", ""] {
        let step = flow.health(&request(method));
        assert_eq!(step.reply.status, 405, "{method}");
        assert!(step.reply.headers.contains(&("allow", "GET, HEAD".into())));
        assert!(step.error.is_none(), "it is no failed login");
    }
    assert_eq!(site.client.stats().failures.len(), 0);
}

#[tokio::test]
async fn a_process_that_never_reached_the_broker_is_unavailable_until_it_does() {
    let site = site(9, None);
    let down = Error::new(Code::BrokerUnreachable, "no connection");
    site.broker.fail(DISCOVERY_URL, down);
    site.client.warm().await.unwrap_err();
    let flow = LoginFlow::new(site.client.clone(), FlowOptions::default()).unwrap();
    let step = flow.health(&request("GET"));
    assert_eq!(step.reply.status, 503);
    assert!(step.reply.body.contains(r#""code":"broker_unreachable""#));
    site.broker
        .respond(DISCOVERY_URL, 200, &[], DISCOVERY.to_owned())
        .unwrap();
    site.clock.advance(Duration::from_secs(1));
    site.client.discover().await.unwrap();
    assert_eq!(flow.health(&request("GET")).reply.status, 200);
}
