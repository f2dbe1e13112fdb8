#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::testing::{ManualClock, MockTransport};

const DISCOVERY: &str = r#"{"authorization_endpoint":"https://broker.example/auth",
    "jwks_uri":"https://broker.example/keys.json"}"#;

const DISCOVERY_URL: &str = "https://broker.example/.well-known/openid-configuration";

fn client(broker: &Arc<MockTransport>, clock: &Arc<ManualClock>) -> Client {
    Client::builder("https://example.com/verify")
        .broker("https://broker.example")
        .clock(Arc::clone(clock) as _)
        .transport(Arc::clone(broker) as _)
        .build()
        .unwrap()
}

fn fresh() -> (Arc<MockTransport>, Arc<ManualClock>, Client) {
    let broker = Arc::new(MockTransport::new());
    broker
        .respond(
            DISCOVERY_URL,
            200,
            &[("cache-control", "max-age=3600")],
            DISCOVERY.to_owned(),
        )
        .unwrap();
    let clock = Arc::new(ManualClock::at(1_700_000_000));
    let client = client(&broker, &clock);
    (broker, clock, client)
}

#[tokio::test]
async fn an_exposition_shows_what_a_client_has_done() {
    let (_broker, clock, client) = fresh();
    client.authenticate("alice@example.com").await.unwrap();
    client.authenticate("nobody").await.unwrap_err();
    clock.advance(Duration::from_millis(90_500));
    let text = exposition([("", &client)]);
    for line in [
        "# HELP portier_client_logins_started_total Logins that were started.",
        "# TYPE portier_client_logins_started_total counter",
        "portier_client_logins_started_total 1",
        "portier_client_logins_completed_total 0",
        r#"portier_client_logins_failed_total{code="invalid_email"} 1"#,
        r#"portier_client_logins_failed_total{code="token_expired"} 0"#,
        "portier_client_logins_pending 1",
        r#"portier_client_document_requests_total{document="discovery"} 1"#,
        r#"portier_client_document_requests_total{document="keys"} 0"#,
        "# TYPE portier_client_document_age_seconds gauge",
        r#"portier_client_document_age_seconds{document="discovery"} 90.5"#,
        r#"portier_client_document_fresh_for_seconds{document="discovery"} 3509.5"#,
        r#"portier_client_document_usable_for_seconds{document="discovery"} 89909.5"#,
    ] {
        assert!(text.lines().any(|given| given == line), "{line}\n{text}");
    }
    // Nothing is known about them yet.
    assert!(!text.contains("clock_difference"), "{text}");
    assert!(!text.contains(r#"age_seconds{document="keys"}"#), "{text}");
    assert!(!text.contains("alice"));
}

#[tokio::test]
async fn a_histogram_counts_durations_of_the_clock_of_the_client() {
    let (broker, clock, client) = fresh();
    broker.hold();
    let slow = async {
        while broker.requests(DISCOVERY_URL) == 0 {
            tokio::task::yield_now().await;
        }
        clock.advance(Duration::from_millis(30));
        broker.release();
    };
    let (started, ()) = tokio::join!(client.authenticate("alice@example.com"), slow);
    started.unwrap();
    client.authenticate("alice@example.com").await.unwrap();
    client.authenticate("nobody").await.unwrap_err();
    let text = exposition([("shop", &client)]);
    for line in [
        "# TYPE portier_client_operation_duration_seconds histogram",
        r#"portier_client_operation_duration_seconds_bucket{client="shop",operation="authenticate",le="0.0005"} 2"#,
        r#"portier_client_operation_duration_seconds_bucket{client="shop",operation="authenticate",le="0.025"} 2"#,
        r#"portier_client_operation_duration_seconds_bucket{client="shop",operation="authenticate",le="0.05"} 3"#,
        r#"portier_client_operation_duration_seconds_bucket{client="shop",operation="authenticate",le="1.0"} 3"#,
        r#"portier_client_operation_duration_seconds_bucket{client="shop",operation="authenticate",le="+Inf"} 3"#,
        r#"portier_client_operation_duration_seconds_sum{client="shop",operation="authenticate"} 0.03"#,
        r#"portier_client_operation_duration_seconds_count{client="shop",operation="authenticate"} 3"#,
        r#"portier_client_operation_duration_seconds_bucket{client="shop",operation="discovery",le="0.05"} 1"#,
        r#"portier_client_operation_duration_seconds_count{client="shop",operation="keys"} 0"#,
        r#"portier_client_operation_duration_seconds_count{client="shop",operation="complete"} 0"#,
    ] {
        assert!(text.lines().any(|given| given == line), "{line}\n{text}");
    }
}

#[tokio::test]
async fn clients_are_told_apart_by_the_name_that_the_site_gives_them() {
    let (broker, clock, shop) = fresh();
    let forum = client(&broker, &clock);
    shop.authenticate("alice@example.com").await.unwrap();
    let text = exposition([("shop", &shop), ("a \"b\"\\\n", &forum)]);
    for line in [
        r#"portier_client_logins_started_total{client="shop"} 1"#,
        r#"portier_client_logins_started_total{client="a \"b\"\\\n"} 0"#,
        r#"portier_client_logins_failed_total{client="shop",code="internal"} 0"#,
    ] {
        assert!(text.lines().any(|given| given == line), "{line}\n{text}");
    }
    let declared = text.lines().filter(|line| line.starts_with("# TYPE "));
    let mut names: Vec<_> = declared.map(|line| line.split(' ').nth(2)).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all, "a metric is declared once");
}

#[test]
fn an_exposition_is_text_that_prometheus_can_parse() {
    let (_broker, _clock, client) = fresh();
    let text = exposition([("", &client)]);
    assert!(text.ends_with('\n'));
    let is_name = |name: &str| {
        name.bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    for line in text.lines().filter(|line| !line.starts_with("# ")) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        assert!(is_name(series.split('{').next().unwrap()), "{line}");
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
}

#[test]
fn names_follow_the_conventions_of_prometheus_and_opentelemetry() {
    for metric in collect([]) {
        let is_counter = metric.kind == MetricKind::Counter;
        assert_eq!(
            metric.name.ends_with("_total"),
            is_counter,
            "{}",
            metric.name
        );
        assert_eq!(metric.name.contains("_seconds"), metric.unit == "s");
        assert!(metric.instrument.starts_with("portier.client."));
        assert!(metric.help.ends_with('.') && !metric.help.contains(['\\', '\n']));
        assert!(metric.samples.is_empty());
    }
}

#[test]
fn values_are_rounded_to_milliseconds_and_zero_has_no_sign() {
    for (value, text) in [
        (-0.0, "0"),
        (-0.0001, "0"),
        (-90.0, "-90"),
        (0.500_015, "0.5"),
        (1e9 + 0.0004, "1000000000"),
    ] {
        assert_eq!(rounded(value).to_string(), text);
    }
}
