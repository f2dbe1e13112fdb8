//! Missing, changed and moved keys.

use super::*;

const MOVED: &str = r#"{"authorization_endpoint":"https://broker.example/auth",
    "jwks_uri":"https://broker.example/moved.json"}"#;
const MOVED_URL: &str = "https://broker.example/moved.json";

/// The minimum age of a key set before a newer one is fetched.
const MIN_AGE_FOR_REFRESH: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_key_that_is_missing_is_fetched_at_once() {
    let scene = Scene::new();
    let seen = scene.keys().await.unwrap();
    scene.clock.advance(MIN_AGE_FOR_REFRESH);
    scene.keys_are(200, &[], &key_set(&["two"]));
    let newer = scene.documents.refresh_for_key(&seen, "two").await.unwrap();
    assert_eq!(ids(&newer), ["two"]);
    assert_eq!(scene.requests(), (1, 2));
}

/// A cache on the way, such as a proxy, may have a copy that is still fresh.
#[tokio::test]
async fn only_a_fetch_for_a_missing_key_passes_caches_on_the_way() {
    let scene = Scene::new();
    let seen = scene.keys().await.unwrap();
    let passes_caches = || {
        let request = scene.broker.last_request(KEYS_URL).unwrap();
        request
            .headers
            .get("cache-control")
            .map(|value| value == "no-cache")
    };
    assert_eq!(passes_caches(), None);
    scene.clock.advance(MIN_AGE_FOR_REFRESH);
    scene.documents.refresh_for_key(&seen, "two").await.unwrap();
    assert_eq!(passes_caches(), Some(true));
    scene.clock.advance(HOUR);
    scene.keys().await.unwrap();
    assert_eq!(passes_caches(), None);
}

#[tokio::test]
async fn newly_fetched_keys_are_not_fetched_again() {
    let scene = Scene::new();
    let seen = scene.keys().await.unwrap();
    scene.keys_are(200, &[], &key_set(&["two"]));
    scene.clock.advance(Duration::from_millis(999));
    let same = scene.documents.refresh_for_key(&seen, "two").await.unwrap();
    assert!(Arc::ptr_eq(&seen, &same));
    assert_eq!(scene.requests(), (1, 1));
    scene.clock.advance(Duration::from_millis(1));
    let newer = scene.documents.refresh_for_key(&seen, "two").await.unwrap();
    assert_eq!(ids(&newer), ["two"]);
}

#[tokio::test]
async fn missing_keys_cause_one_fetch_in_five_seconds() {
    let scene = Scene::new();
    let mut seen = scene.keys().await.unwrap();
    scene.clock.advance(MIN_AGE_FOR_REFRESH);
    for fetches in 1..=3 {
        for _ in 0..1000 {
            seen = scene.documents.refresh_for_key(&seen, "two").await.unwrap();
        }
        assert_eq!(scene.requests(), (1, 1 + fetches));
        scene.clock.advance(Duration::from_millis(4999));
        seen = scene.documents.refresh_for_key(&seen, "two").await.unwrap();
        assert_eq!(scene.requests(), (1, 1 + fetches));
        scene.clock.advance(Duration::from_millis(1));
    }
}

#[tokio::test]
async fn callers_that_miss_a_key_share_one_fetch() {
    let scene = Scene::new();
    let seen = scene.keys().await.unwrap();
    scene.clock.advance(MIN_AGE_FOR_REFRESH);
    scene.keys_are(200, &[], &key_set(&["one", "two"]));
    scene.broker.hold();
    let callers: Vec<_> = (0..100)
        .map(|_| {
            let (documents, seen) = (Arc::clone(&scene.documents), Arc::clone(&seen));
            tokio::spawn(async move { documents.refresh_for_key(&seen, "two").await })
        })
        .collect();
    tokio::task::yield_now().await;
    // A caller that misses no key does not wait.
    assert!(matches!(poll_once(scene.keys()), Poll::Ready(Ok(_))));
    scene.broker.release();
    for caller in callers {
        assert_eq!(ids(&caller.await.unwrap().unwrap()), ["one", "two"]);
    }
    assert_eq!(scene.requests(), (1, 2));
}

#[tokio::test]
async fn a_caller_with_an_older_set_gets_the_cached_one_without_a_fetch() {
    let scene = Scene::new();
    let seen = scene.keys().await.unwrap();
    scene.clock.advance(HOUR);
    let newer = scene.keys().await.unwrap();
    let beyond = scene.documents.refresh_for_key(&seen, "two").await.unwrap();
    assert!(Arc::ptr_eq(&newer, &beyond));
    assert_eq!(scene.requests(), (2, 2));
}

#[tokio::test]
async fn a_failed_fetch_for_a_missing_key_is_an_error_for_its_token_only() {
    let scene = Scene::new();
    let seen = scene.keys().await.unwrap();
    scene.clock.advance(MIN_AGE_FOR_REFRESH);
    scene.keys_fail();
    for _ in 0..10 {
        let beyond = scene.documents.refresh_for_key(&seen, "two").await;
        assert_eq!(code(beyond), Code::BrokerUnreachable);
        scene.keys().await.unwrap();
    }
    assert_eq!(scene.requests(), (1, 2));
}

#[tokio::test]
async fn sets_are_replaced_and_never_merged() {
    let scene = Scene::new();
    scene.keys_are(200, &[], &key_set(&["one", "two"]));
    scene.keys().await.unwrap();
    scene.keys_are(200, &[], &key_set(&["two", "three"]));
    scene.clock.advance(HOUR);
    assert_eq!(ids(&scene.keys().await.unwrap()), ["two", "three"]);
}

#[tokio::test]
async fn keys_that_are_gone_are_looked_up_once_in_a_new_discovery_document() {
    for status in [404, 410] {
        let scene = Scene::new();
        scene.keys().await.unwrap();
        scene.keys_are(status, &[], "");
        scene.discovery_is(200, &[], MOVED);
        scene
            .broker
            .respond(MOVED_URL, 200, &[], key_set(&["two"]))
            .unwrap();
        scene.clock.advance(HOUR / 2);
        let seen = scene.keys().await.unwrap();
        let newer = scene.documents.refresh_for_key(&seen, "two").await.unwrap();
        assert_eq!(ids(&newer), ["two"]);
        assert_eq!(scene.requests(), (2, 2));
        assert_eq!(scene.documents.stats().keys.failures, 0);
    }
}

#[tokio::test]
async fn keys_that_are_gone_are_an_error() {
    let scene = Scene::new();
    scene.keys_are(404, &[], "");
    assert_eq!(code(scene.keys().await), Code::BrokerStatus);
    // The discovery document has just been fetched.
    assert_eq!(scene.requests(), (1, 1));
    scene.clock.advance(MIN_AGE_FOR_REFRESH);
    assert_eq!(code(scene.keys().await), Code::BrokerStatus);
    assert_eq!(scene.requests(), (2, 2));
}

#[tokio::test]
async fn a_validator_is_only_for_the_url_it_came_from() {
    let scene = Scene::new();
    scene.keys_are(200, &[("etag", "\"v1\"")], &key_set(&["one"]));
    scene.keys().await.unwrap();
    scene.discovery_is(200, &[], MOVED);
    scene
        .broker
        .respond(MOVED_URL, 200, &[], key_set(&["two"]))
        .unwrap();
    scene.clock.advance(HOUR);
    assert_eq!(ids(&scene.keys().await.unwrap()), ["two"]);
    let request = scene.broker.last_request(MOVED_URL).unwrap();
    assert!(!request.headers.contains_key("if-none-match"));
}
