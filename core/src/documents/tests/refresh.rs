//! The age of documents.

use super::*;

#[tokio::test]
async fn a_fresh_document_is_not_fetched_again() {
    let scene = Scene::new();
    let first = scene.discovery().await.unwrap();
    scene.clock.advance(Duration::from_secs(48 * 60 - 1));
    let second = scene.discovery().await.unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    assert_eq!(scene.requests(), (1, 0));
}

#[tokio::test]
async fn an_old_document_is_used_during_a_refresh() {
    let scene = Scene::new();
    let first = scene.discovery().await.unwrap();
    scene.clock.advance(HOUR * 4 / 5);
    scene.broker.hold();
    for _ in 0..10 {
        let Poll::Ready(Ok(served)) = poll_once(scene.discovery()) else {
            panic!("the old document serves at once");
        };
        assert!(Arc::ptr_eq(&first, &served));
    }
    scene.broker.release();
    scene.quiet().await;
    let refreshed = scene.discovery().await.unwrap();
    assert!(!Arc::ptr_eq(&first, &refreshed));
    assert_eq!(scene.requests(), (2, 0));
    assert_eq!(scene.documents.stats().discovery.stale_serves, 0);
}

#[tokio::test]
async fn without_callers_nothing_is_refreshed() {
    let scene = Scene::new();
    scene.discovery().await.unwrap();
    scene.clock.advance(DAY);
    tokio::task::yield_now().await;
    assert_eq!(scene.requests(), (1, 0));
}

#[tokio::test]
async fn a_stale_document_is_fetched_before_it_is_used() {
    let scene = Scene::new();
    scene.keys().await.unwrap();
    scene.clock.advance(HOUR);
    scene.keys_are(200, &[], &key_set(&["two"]));
    assert_eq!(ids(&scene.keys().await.unwrap()), ["two"]);
    assert_eq!(scene.documents.stats().keys.stale_serves, 0);
}

#[tokio::test]
async fn the_broker_sets_the_lifetime_within_limits() {
    for (header, lifetime) in [
        (("cache-control", "max-age=600"), 600_u64),
        (("cache-control", "max-age=600, s-maxage=0"), 600),
        (("cache-control", "no-store"), 60),
        (("cache-control", "max-age=18446744073709551615"), 86_400),
        (("expires", "Tue, 14 Nov 2023 22:23:20 GMT"), 600),
    ] {
        let scene = Scene::new();
        scene.discovery_is(200, &[header], DISCOVERY);
        scene.discovery().await.unwrap();
        let stats = scene.documents.stats().discovery;
        assert_eq!(
            stats.fresh_for_seconds,
            Some(Duration::from_secs(lifetime).as_secs_f64()),
            "{header:?}"
        );
        scene.clock.advance(Duration::from_secs(lifetime));
        scene.discovery().await.unwrap();
        assert_eq!(scene.requests(), (2, 0), "{header:?}");
    }
}

#[tokio::test]
async fn a_304_makes_the_cached_document_fresh() {
    let scene = Scene::new();
    let validators = [
        ("etag", "\"v1\""),
        ("last-modified", "Tue, 14 Nov 2023 00:00:00 GMT"),
    ];
    scene.keys_are(200, &validators, &key_set(&["one"]));
    let first = scene.keys().await.unwrap();
    let request = scene.broker.last_request(KEYS_URL).unwrap();
    assert!(!request.headers.contains_key("if-none-match"));
    scene.clock.advance(HOUR);
    scene.keys_are(
        304,
        &[("etag", "W/\"v1\""), ("cache-control", "max-age=7200")],
        "",
    );
    let second = scene.keys().await.unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    let request = scene.broker.last_request(KEYS_URL).unwrap();
    assert_eq!(request.headers["if-none-match"], "\"v1\"");
    assert_eq!(
        request.headers["if-modified-since"],
        "Tue, 14 Nov 2023 00:00:00 GMT"
    );
    let stats = scene.documents.stats().keys;
    assert_eq!(stats.fresh_for_seconds, Some(7200.0));
    assert_eq!((stats.requests, stats.failures), (2, 0));
}

#[tokio::test]
async fn a_304_without_a_validator_is_an_error() {
    let scene = Scene::new();
    scene.keys().await.unwrap();
    scene.clock.advance(HOUR);
    scene.keys_are(304, &[], "");
    assert_eq!(ids(&scene.keys().await.unwrap()), ["one"]);
    let stats = scene.documents.stats().keys;
    assert_eq!((stats.failures, stats.stale_serves), (1, 1));
    let cold = Scene::new();
    cold.keys_are(304, &[], "");
    assert_eq!(code(cold.keys().await), Code::BrokerStatus);
}

#[tokio::test]
async fn a_304_with_another_etag_is_an_error_and_the_next_request_is_unconditional() {
    let scene = Scene::new();
    scene.keys_are(200, &[("etag", "\"v1\"")], &key_set(&["one"]));
    scene.keys().await.unwrap();
    scene.clock.advance(HOUR);
    scene.keys_are(304, &[("etag", "\"v2\"")], "");
    assert_eq!(ids(&scene.keys().await.unwrap()), ["one"]);
    assert_eq!(scene.documents.stats().keys.failures, 1);
    scene.clock.advance(HOUR);
    scene.keys_are(200, &[("etag", "\"v2\"")], &key_set(&["two"]));
    assert_eq!(ids(&scene.keys().await.unwrap()), ["two"]);
    let request = scene.broker.last_request(KEYS_URL).unwrap();
    assert!(!request.headers.contains_key("if-none-match"));
}

#[tokio::test]
async fn a_new_body_wins_over_an_old_etag() {
    let scene = Scene::new();
    scene.keys_are(200, &[("etag", "\"v1\"")], &key_set(&["one"]));
    scene.keys().await.unwrap();
    scene.clock.advance(HOUR);
    scene.keys_are(200, &[("etag", "\"v1\"")], &key_set(&["two"]));
    assert_eq!(ids(&scene.keys().await.unwrap()), ["two"]);
}

#[tokio::test]
async fn the_difference_of_the_clocks_is_reported() {
    let scene = Scene::new();
    assert_eq!(scene.documents.stats().clock_difference, None);
    let date = ("date", "Tue, 14 Nov 2023 22:23:20 GMT");
    scene.discovery_is(200, &[date], DISCOVERY);
    scene.discovery().await.unwrap();
    assert_eq!(scene.documents.stats().clock_difference, Some(600.0));
    // An answer from a cache on the way counts from the time when it was made.
    scene.keys_are(200, &[date, ("age", "60")], &key_set(&["one"]));
    scene.keys().await.unwrap();
    assert_eq!(scene.documents.stats().clock_difference, Some(660.0));
}

#[tokio::test]
async fn stats_tell_age_and_freshness() {
    let scene = Scene::new();
    assert_eq!(scene.documents.stats().keys.age_seconds, None);
    scene.keys().await.unwrap();
    scene.clock.advance(HOUR / 4);
    let stats = scene.documents.stats().keys;
    assert_eq!(stats.age_seconds, Some(900.0));
    assert_eq!(stats.fresh_for_seconds, Some(2700.0));
    scene.clock.advance(HOUR);
    let stats = scene.documents.stats().keys;
    assert_eq!(stats.fresh_for_seconds, Some(0.0));
}

#[tokio::test]
async fn a_document_ages_while_the_machine_sleeps() {
    let scene = Scene::new();
    scene.broker.hold();
    let mut waiting = Box::pin(scene.keys());
    assert!(poll_once(waiting.as_mut()).is_pending());
    tokio::task::yield_now().await;
    scene.clock.advance(HOUR * 8);
    scene.broker.release();
    waiting.await.unwrap();
    assert_eq!(
        scene.documents.stats().keys.fresh_for_seconds,
        Some(HOUR.as_secs_f64())
    );
    assert_eq!(
        scene.documents.stats().discovery.fresh_for_seconds,
        Some(0.0)
    );
    scene.discovery().await.unwrap();
    assert_eq!(scene.requests(), (2, 1));
}
