//! Guarantees of the store for logins.

use std::time::SystemTime;

use futures_util::future::join_all;

use super::*;

#[tokio::test]
async fn gives_a_record_away_once() {
    let scene = Scene::new();
    let store = scene.open().unwrap();
    put(&store, 1, TTL).await.unwrap();
    assert_eq!(store.contains(&key(1)).await.unwrap(), Some(true));
    assert_eq!(store.peek(&key(1)).await.unwrap(), Some(record(1)));
    assert_eq!(take(&store, 1).await.unwrap(), record(1));
    assert_eq!(store.peek(&key(1)).await.unwrap(), Some(Taken::Used));
    assert_eq!(store.peek(&key(2)).await.unwrap(), Some(Taken::Unknown));
    assert_eq!(store.contains(&key(1)).await.unwrap(), Some(false));
    assert_eq!(take(&store, 1).await.unwrap(), Taken::Used);
    assert_eq!(take(&store, 2).await.unwrap(), Taken::Unknown);
    assert_eq!(store.contains(&key(2)).await.unwrap(), Some(false));
}

#[tokio::test]
async fn clients_that_share_a_file_see_their_own_logins_only() {
    let scene = Scene::new();
    let (one, two) = (scene.open().unwrap(), scene.open().unwrap());
    let (ours, theirs) = (
        SessionKey::new("issuer", "a", "bc"),
        SessionKey::new("issuer", "ab", "c"),
    );
    one.put(&ours, "ours".to_owned(), TTL).await.unwrap();
    two.put(&theirs, "theirs".to_owned(), TTL).await.unwrap();
    let taken = two.take(&ours).await.unwrap();
    assert_eq!(taken, Taken::Record("ours".to_owned()));
    let taken = one.take(&theirs).await.unwrap();
    assert_eq!(taken, Taken::Record("theirs".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn gives_a_record_to_one_of_many_threads() {
    let scene = Scene::new();
    let stores: Vec<_> = (0..4).map(|_| Arc::new(scene.open().unwrap())).collect();
    for number in 0..25 {
        put(&stores[0], number, TTL).await.unwrap();
        let takers = (0..64).map(|taker| {
            let store = Arc::clone(&stores[taker % stores.len()]);
            tokio::spawn(async move { take(&store, number).await.unwrap() })
        });
        let taken = join_all(takers).await;
        let taken: Vec<_> = taken.into_iter().map(|taken| taken.unwrap()).collect();
        let winners = taken.iter().filter(|taken| **taken == record(number));
        assert_eq!(winners.count(), 1);
        let losers = taken.iter().filter(|taken| **taken == Taken::Used);
        assert_eq!(losers.count(), 63);
    }
}

#[tokio::test]
async fn a_record_expires_at_its_deadline() {
    let scene = Scene::new();
    let store = scene.open().unwrap();
    for number in 0..3 {
        put(&store, number, TTL).await.unwrap();
    }
    scene
        .clock
        .advance(Duration::from_millis(30 * 60 * 1000 - 1));
    assert_eq!(take(&store, 0).await.unwrap(), record(0));
    scene.clock.advance(Duration::from_millis(1));
    assert_eq!(store.contains(&key(1)).await.unwrap(), Some(false));
    assert_eq!(take(&store, 1).await.unwrap(), Taken::Unknown);
    scene.clock.advance(Duration::from_millis(1));
    assert_eq!(take(&store, 2).await.unwrap(), Taken::Unknown);
}

#[tokio::test]
async fn no_record_is_kept_for_longer_than_a_day() {
    let scene = Scene::new();
    let store = scene.open().unwrap();
    for number in 0..2 {
        put(&store, number, Duration::MAX).await.unwrap();
    }
    scene.clock.advance(Duration::from_millis(86_399_999));
    assert_eq!(take(&store, 0).await.unwrap(), record(0));
    scene.clock.advance(Duration::from_millis(1));
    assert_eq!(take(&store, 1).await.unwrap(), Taken::Unknown);
}

#[tokio::test]
async fn a_used_login_is_remembered_while_its_token_could_be_valid() {
    let scene = Scene::new();
    let store = scene.open().unwrap();
    put(&store, 1, TTL).await.unwrap();
    scene.clock.advance(Duration::from_secs(30 * 60 - 1));
    assert_eq!(take(&store, 1).await.unwrap(), record(1));
    scene.clock.advance(Duration::from_secs(15 * 60 - 1));
    assert_eq!(take(&store, 1).await.unwrap(), Taken::Used);
    scene.clock.advance(Duration::from_secs(1));
    assert_eq!(take(&store, 1).await.unwrap(), Taken::Unknown);
}

#[tokio::test]
async fn a_login_from_the_future_is_expired() {
    let scene = Scene::new();
    let store = scene.open().unwrap();
    let start = scene.clock.now();
    for number in 0..3 {
        put(&store, number, TTL).await.unwrap();
    }
    scene.clock.set(start - Duration::from_secs(5 * 60));
    assert_eq!(take(&store, 0).await.unwrap(), record(0));
    scene.clock.set(start - Duration::from_secs(60 * 60));
    assert_eq!(take(&store, 0).await.unwrap(), Taken::Unknown);
    assert_eq!(take(&store, 1).await.unwrap(), Taken::Unknown);
    scene.clock.set(start + Duration::from_secs(60 * 60));
    assert_eq!(take(&store, 2).await.unwrap(), Taken::Unknown);
}

#[tokio::test]
async fn logins_from_the_far_future_are_removed() {
    let scene = Scene::new();
    let store = scene.open().unwrap();
    scene
        .clock
        .set(SystemTime::UNIX_EPOCH + 2 * Duration::from_secs(START));
    put(&store, 1, TTL).await.unwrap();
    scene
        .clock
        .set(SystemTime::UNIX_EPOCH + Duration::from_secs(START));
    put(&store, 2, TTL).await.unwrap();
    assert_eq!(scene.rows("logins"), 1);
}

#[tokio::test]
async fn a_clock_before_1970_or_after_9999_is_an_error() {
    let scene = Scene::new();
    let store = scene.open().unwrap();
    scene
        .clock
        .set(SystemTime::UNIX_EPOCH - Duration::from_secs(1));
    assert_eq!(code(put(&store, 1, TTL).await), Code::StoreFailed);
    assert_eq!(code(take(&store, 1).await), Code::StoreFailed);
    for seconds in [0, 4_294_967_296, 253_402_300_799] {
        let clock = Arc::new(ManualClock::at(seconds));
        let store = SqliteStore::open(&scene.url(), clock).unwrap();
        put(&store, seconds, TTL).await.unwrap();
        assert_eq!(take(&store, seconds).await.unwrap(), record(seconds));
    }
    let clock = Arc::new(ManualClock::at(253_402_300_800));
    let store = SqliteStore::open(&scene.url(), clock).unwrap();
    assert_eq!(code(put(&store, 1, TTL).await), Code::StoreFailed);
}

#[tokio::test]
async fn expired_records_are_removed_a_few_per_write() {
    let scene = Scene::new();
    let store = scene.open().unwrap();
    let logins = (0..500).map(|number| put(&store, number, TTL));
    for outcome in join_all(logins).await {
        outcome.unwrap();
    }
    scene.clock.advance(TTL);
    put(&store, 1000, TTL).await.unwrap();
    assert_eq!(scene.rows("logins"), 499);
    take(&store, 1000).await.unwrap();
    assert_eq!(scene.rows("logins"), 497);
    let logins = (1001..1300).map(|number| put(&store, number, TTL));
    for outcome in join_all(logins).await {
        outcome.unwrap();
    }
    assert_eq!(scene.rows("logins"), 300);
}

#[tokio::test]
async fn removal_uses_an_index() {
    let scene = Scene::new();
    scene.open().unwrap();
    let raw = scene.raw();
    for table in ["logins", "documents", "leases"] {
        for condition in [
            "deadline <= 1 ORDER BY deadline",
            "deadline > 1 ORDER BY deadline DESC",
        ] {
            let sql = format!("EXPLAIN QUERY PLAN SELECT 1 FROM {table} WHERE {condition} LIMIT 2");
            let plan: String = raw.query_row(&sql, (), |row| row.get(3)).unwrap();
            assert!(plan.starts_with("SEARCH"), "{plan}");
        }
    }
}

#[tokio::test]
async fn texts_are_not_interpreted_as_sql() {
    let scene = Scene::new();
    let store = scene.open().unwrap();
    for text in ["'; DROP TABLE logins; --", "a\0b", "\r\n*?:%_", "\u{202e}ü"] {
        let key = SessionKey::new(text, text, text);
        store.put(&key, text.to_owned(), TTL).await.unwrap();
        let taken = store.take(&key).await.unwrap();
        assert_eq!(taken, Taken::Record(text.to_owned()));
    }
}

#[tokio::test]
async fn a_duplicate_nonce_is_an_error() {
    let scene = Scene::new();
    let store = scene.open().unwrap();
    put(&store, 1, TTL).await.unwrap();
    assert_eq!(code(put(&store, 1, TTL).await), Code::StoreFailed);
    assert_eq!(take(&store, 1).await.unwrap(), record(1));
    assert_eq!(code(put(&store, 1, TTL).await), Code::StoreFailed);
    // A failed insertion does not fail the operations in the same transaction.
    let (first, second, third) = tokio::join!(
        put(&store, 2, TTL),
        put(&store, 1, TTL),
        put(&store, 3, TTL)
    );
    first.unwrap();
    assert_eq!(code(second), Code::StoreFailed);
    third.unwrap();
    assert_eq!(take(&store, 3).await.unwrap(), record(3));
}
