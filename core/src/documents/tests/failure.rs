//! What happens while the broker is unavailable.

use super::*;

#[tokio::test]
async fn without_a_document_callers_get_the_error_and_later_the_document() {
    let scene = Scene::without_documents();
    let down = Error::new(Code::BrokerUnreachable, "no connection");
    scene.broker.fail(DISCOVERY_URL, down);
    for _ in 0..10 {
        assert_eq!(code(scene.discovery().await), Code::BrokerUnreachable);
    }
    assert_eq!(scene.requests(), (1, 0));
    scene.discovery_is(200, &[], DISCOVERY);
    scene.clock.advance(Duration::from_secs(1));
    scene.discovery().await.unwrap();
    assert_eq!(scene.requests(), (2, 0));
}

#[tokio::test]
async fn pauses_grow_to_half_a_minute_and_not_beyond() {
    let scene = Scene::without_documents();
    for requests in 1..=8 {
        assert_eq!(code(scene.discovery().await), Code::BrokerStatus);
        assert_eq!(scene.requests(), (requests, 0));
        scene.clock.advance(Duration::from_secs(30));
    }
    scene.discovery_is(200, &[], DISCOVERY);
    scene.discovery().await.unwrap();
    scene.clock.advance(HOUR + DAY);
    scene.discovery_is(500, &[], "");
    assert!(scene.discovery().await.is_err());
    scene.discovery_is(200, &[], DISCOVERY);
    // After a success, the next pause is the first one again.
    scene.clock.advance(Duration::from_secs(1));
    scene.discovery().await.unwrap();
}

#[tokio::test]
async fn retry_after_of_the_broker_is_respected() {
    let scene = Scene::without_documents();
    scene.discovery_is(429, &[("retry-after", "20")], "");
    assert_eq!(code(scene.discovery().await), Code::BrokerStatus);
    scene.discovery_is(200, &[], DISCOVERY);
    scene.clock.advance(Duration::from_secs(19));
    assert_eq!(code(scene.discovery().await), Code::BrokerStatus);
    scene.clock.advance(Duration::from_secs(1));
    scene.discovery().await.unwrap();
    assert_eq!(scene.requests(), (2, 0));
}

#[tokio::test]
async fn the_error_says_how_long_no_request_is_sent() {
    let scene = Scene::without_documents();
    scene.discovery_is(429, &[("retry-after", "20")], "");
    for (waited, left) in [(0, 20), (5, 15)] {
        scene.clock.advance(Duration::from_secs(waited));
        let error = scene.discovery().await.unwrap_err();
        assert_eq!(error.status(), Some(429));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(left)));
    }
    assert_eq!(scene.requests(), (1, 0));
}

#[tokio::test]
async fn without_a_document_retry_after_is_limited_to_30_seconds() {
    let scene = Scene::without_documents();
    scene.discovery_is(503, &[("retry-after", "1000000000")], "");
    assert_eq!(code(scene.discovery().await), Code::BrokerStatus);
    scene.discovery_is(200, &[], DISCOVERY);
    scene.clock.advance(Duration::from_secs(30));
    scene.discovery().await.unwrap();
}

#[tokio::test]
async fn after_a_failed_refresh_a_stale_document_is_used_for_a_day() {
    let scene = Scene::new();
    let first = scene.keys().await.unwrap();
    scene.keys_fail();
    scene.clock.advance(HOUR);
    let second = scene.keys().await.unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    let stats = scene.documents.stats().keys;
    assert_eq!(
        (stats.requests, stats.failures, stats.stale_serves),
        (2, 1, 1)
    );
    scene.clock.advance(Duration::from_secs(24 * 60 * 60 - 1));
    scene.keys().await.unwrap();
    scene.clock.advance(Duration::from_secs(1));
    assert_eq!(code(scene.keys().await), Code::BrokerUnreachable);
}

#[tokio::test]
async fn during_an_outage_callers_do_not_wait_for_the_next_failure() {
    let scene = Scene::new();
    scene.keys().await.unwrap();
    scene.keys_fail();
    scene.clock.advance(HOUR);
    scene.keys().await.unwrap();
    scene.broker.hold();
    for _ in 0..20 {
        scene.clock.advance(Duration::from_secs(1));
        assert!(matches!(poll_once(scene.keys()), Poll::Ready(Ok(_))));
    }
    scene.broker.release();
    scene.quiet().await;
    assert_eq!(scene.documents.stats().keys.stale_serves, 21);
    scene.keys_are(200, &[], &key_set(&["two"]));
    scene.clock.advance(Duration::from_secs(30));
    scene.keys().await.unwrap();
    scene.quiet().await;
    assert_eq!(ids(&scene.keys().await.unwrap()), ["two"]);
}

#[tokio::test]
async fn an_old_outage_does_not_count() {
    let scene = Scene::new();
    scene.keys().await.unwrap();
    scene.keys_fail();
    scene.clock.advance(HOUR * 4 / 5);
    scene.keys().await.unwrap();
    scene.quiet().await;
    scene.keys_are(200, &[], &key_set(&["two"]));
    scene.clock.advance(HOUR * 2);
    assert_eq!(ids(&scene.keys().await.unwrap()), ["two"]);
    assert_eq!(scene.documents.stats().keys.stale_serves, 0);
}

#[tokio::test]
async fn an_invalid_document_does_not_replace_the_cached_one() {
    for body in [
        r#"{"keys":[]}"#,
        r#"{"keys":[{"kty":"OKP"}]}"#,
        r#"{"keys":"#,
        "<html>Sorry</html>",
        "",
    ] {
        let scene = Scene::new();
        scene.keys().await.unwrap();
        scene.clock.advance(HOUR);
        scene.keys_are(200, &[], body);
        assert_eq!(ids(&scene.keys().await.unwrap()), ["one"], "{body}");
        let stats = scene.documents.stats().keys;
        assert_eq!((stats.failures, stats.stale_serves), (1, 1), "{body}");
        let cold = Scene::new();
        cold.keys_are(200, &[], body);
        assert_eq!(code(cold.keys().await), Code::BrokerDocument, "{body}");
    }
}

#[tokio::test]
async fn only_200_is_a_success() {
    for status in [201, 204, 206, 300, 302, 400, 401, 403, 407, 418, 500, 511] {
        let scene = Scene::new();
        scene.discovery_is(status, &[], DISCOVERY);
        let error = scene.discovery().await.err().unwrap();
        assert_eq!(error.code(), Code::BrokerStatus);
        assert!(error.retryable());
        let message = error.to_string();
        assert!(message.ends_with(&format!("status={status}")), "{message}");
    }
}

#[tokio::test]
async fn a_failure_of_discovery_is_not_a_failure_of_the_keys() {
    let scene = Scene::new();
    scene.discovery_is(500, &[], "");
    assert_eq!(code(scene.keys().await), Code::BrokerStatus);
    assert_eq!(code(scene.keys().await), Code::BrokerStatus);
    assert_eq!(scene.requests(), (1, 0));
    assert_eq!(scene.documents.stats().keys.failures, 0);
    scene.discovery_is(200, &[], DISCOVERY);
    scene.clock.advance(Duration::from_secs(1));
    scene.keys().await.unwrap();
    assert_eq!(scene.requests(), (2, 1));
}
