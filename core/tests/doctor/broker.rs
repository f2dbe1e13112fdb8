//! Brokers that are down, wrong, or do not serve the site.

use std::time::Duration;

use portier_client::doctor::{FindingId, examine};
use portier_client::testing::{DevBroker, DevBrokerOptions};
use portier_client::{Clock as _, SystemClock};
use serde_json::json;

use crate::stub::{AUTH, Answer, DISCOVERY, KEYS, broken, discovery, healthy, keys, serve};
use crate::{found, site};

/// What is always there without a store.
const MEMORY: &str = "store.memory";

async fn found_with(path: &'static str, answer: Answer) -> Vec<&'static str> {
    let broker = broken(path, answer).await;
    found(site(&broker))
        .await
        .into_iter()
        .filter(|id| *id != MEMORY)
        .collect()
}

#[tokio::test]
async fn a_site_with_the_development_broker_is_healthy() {
    let broker = DevBroker::spawn(DevBrokerOptions::default()).unwrap();
    let report = examine(site(broker.origin())).await;
    assert!(report.is_healthy(), "{}", report.to_text(false));
    for id in [
        FindingId::Broker,
        FindingId::Keys,
        FindingId::Clock,
        FindingId::Network,
    ] {
        assert!(report.has(id), "{}", id.as_str());
    }
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let software = "portier-client (broker)".to_owned();
    assert!(report.versions.contains(&(software, version)));
}

#[tokio::test]
async fn the_version_of_the_broker_is_told_only_if_it_is_one() {
    for (status, text, expected) in [
        (200, "Portier 0.15.1", Some("0.15.1")),
        (
            200,
            "Portier 0.8.0-rc.1 (git commit unknown)\n",
            Some("0.8.0-rc.1"),
        ),
        (404, "Portier 0.15.1", None),
        (200, "Not found", None),
        (200, "<html> 5</html>", None),
        (200, "Portier \u{1b}[31m", None),
        (200, "", None),
    ] {
        let broker = broken("/ver.txt", Answer::new(status, text)).await;
        let report = examine(site(&broker)).await;
        assert!(report.is_healthy(), "{}", report.to_text(false));
        let mut versions = report.versions.iter();
        let found = versions.find(|(name, _)| name == "Portier (broker)");
        let found = found.map(|(_, version)| version.as_str());
        assert_eq!(found, expected, "{text}");
    }
}

#[tokio::test]
async fn a_finding_says_the_cause_of_an_error() {
    let report = examine(site("http://127.0.0.1:1")).await;
    let text = report.to_text(false);
    assert!(text.contains("Connection refused"), "{text}");
    let elsewhere = Answer::new(301, "").with("location", "https://portier.example/");
    let broker = broken(DISCOVERY, elsewhere).await;
    let text = examine(site(&broker)).await.to_text(false);
    assert!(text.contains("redirect to another host"), "{text}");
}

#[tokio::test]
async fn a_broker_that_speaks_plain_http_is_found() {
    let broker = serve(healthy).await.replace("http:", "https:");
    let report = examine(site(&broker)).await;
    assert!(report.has(FindingId::BrokerScheme));
    assert!(!report.has(FindingId::BrokerFailed));
}

#[tokio::test]
async fn a_broker_that_answers_400_without_tls_is_asked_with_it() {
    // It answers so to everything, so it does not speak TLS either.
    let found = found_with(DISCOVERY, Answer::new(400, "")).await;
    assert_eq!(found, ["broker.failed"]);
}

#[tokio::test]
async fn a_broker_that_does_not_listen_is_unreachable() {
    let found = found(site("http://127.0.0.1:1")).await;
    assert!(found.contains("network.unreachable"), "{found:?}");
    assert!(found.contains("broker.failed"), "{found:?}");
}

#[tokio::test]
async fn a_broker_without_a_name_server_entry_has_no_address() {
    let found = found(site("https://broker.invalid")).await;
    assert!(found.contains("network.no_name"), "{found:?}");
    assert!(found.contains("broker.failed"), "{found:?}");
}

#[tokio::test]
async fn a_broken_discovery_document_is_found() {
    let of_another = discovery("http://127.0.0.1:2", "issuer", json!("http://127.0.0.1:2"));
    for answer in [
        Answer::new(500, ""),
        Answer::new(200, "{"),
        Answer::new(404, ""),
        of_another,
    ] {
        assert_eq!(found_with(DISCOVERY, answer).await, ["broker.failed"]);
    }
}

#[tokio::test]
async fn broken_keys_are_found() {
    let none = Answer::json(&json!({ "keys": [] }));
    for answer in [Answer::new(404, ""), Answer::new(200, "[]"), none] {
        assert_eq!(found_with(KEYS, answer).await, ["keys.failed"]);
    }
}

#[tokio::test]
async fn keys_that_are_fetched_for_every_login_are_found() {
    let mut answer = keys();
    answer.headers = vec![("cache-control", "max-age=1".to_owned())];
    assert_eq!(found_with(KEYS, answer).await, ["keys.short_lived"]);
}

#[tokio::test]
async fn a_broker_without_the_code_flow_is_noted() {
    let broker = serve(|origin| {
        let mut answers = healthy(origin);
        answers.retain(|(path, _)| *path != DISCOVERY);
        answers.push((
            DISCOVERY,
            discovery(origin, "response_types_supported", json!(["id_token"])),
        ));
        answers
    })
    .await;
    let report = examine(site(&broker)).await;
    assert!(report.has(FindingId::BrokerNoCodeFlow));
    assert!(report.is_healthy());
}

#[tokio::test]
async fn a_broker_that_does_not_serve_the_site_is_found() {
    assert_eq!(
        found_with(AUTH, Answer::new(400, "")).await,
        ["redirect_uri.refused"]
    );
    // It may be busy, which says nothing about the site.
    assert!(found_with(AUTH, Answer::new(503, "")).await.is_empty());
}

#[tokio::test]
async fn clocks_that_differ_are_found() {
    for (seconds, expected) in [(3600, "clock.differs"), (60, "clock.drifts")] {
        let date = httpdate::fmt_http_date(SystemClock::new().now() + Duration::from_secs(seconds));
        let broker = serve(|origin| {
            let mut answers = healthy(origin);
            for (_, answer) in &mut answers {
                answer.headers.push(("date", date.clone()));
            }
            answers
        })
        .await;
        assert!(found(site(&broker)).await.contains(expected));
    }
}
