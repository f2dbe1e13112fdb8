//! The keys and the lifetimes of records.

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use portier_client::{Code, RedisStore, Store as _, Taken};

use crate::server::{LONG, Redis, code, eventually, key, limited, put, record, take};

#[tokio::test]
async fn gives_a_record_away_once() {
    let Some(redis) = Redis::start() else { return };
    let store = redis.store();
    limited(async {
        put(&store, 1).await.unwrap();
        assert_eq!(store.contains(&key(1)).await.unwrap(), Some(true));
        assert_eq!(store.peek(&key(1)).await.unwrap(), Some(record(1)));
        assert_eq!(take(&store, 1).await.unwrap(), record(1));
        assert_eq!(store.contains(&key(1)).await.unwrap(), Some(false));
        assert_eq!(store.peek(&key(1)).await.unwrap(), Some(Taken::Used));
        assert_eq!(take(&store, 1).await.unwrap(), Taken::Used);
        assert_eq!(take(&store, 1).await.unwrap(), Taken::Used);
        assert_eq!(store.peek(&key(2)).await.unwrap(), Some(Taken::Unknown));
        assert_eq!(take(&store, 2).await.unwrap(), Taken::Unknown);
        assert_eq!(store.contains(&key(2)).await.unwrap(), Some(false));
    })
    .await;
}

#[tokio::test]
async fn a_used_login_is_remembered_as_long_as_its_token_lives() {
    let Some(redis) = Redis::start() else { return };
    let store = redis.store();
    limited(async {
        store
            .put(&key(1), "record".into(), Duration::from_secs(5))
            .await
            .unwrap();
        take(&store, 1).await.unwrap();
        let name = format!("portier:session:{}", key(1));
        let left: u64 = redis.tell(&["PTTL", &name]);
        assert!((19 * 60_000..=20 * 60_000).contains(&left), "{left}");
        let again = take(&store, 1).await.unwrap();
        assert_eq!(again, Taken::Used);
        // Asking for an unknown key leaves nothing behind.
        take(&store, 2).await.unwrap();
        let count: usize = redis.tell(&["DBSIZE"]);
        assert_eq!(count, 1);
    })
    .await;
}

#[tokio::test]
async fn a_record_expires_at_its_deadline() {
    let Some(redis) = Redis::start() else { return };
    let store = redis.store();
    limited(async {
        store
            .put(&key(1), "record".into(), Duration::from_millis(59_500))
            .await
            .unwrap();
        let name = format!("portier:session:{}", key(1));
        let left: u64 = redis.tell(&["PTTL", &name]);
        assert!((40_000..=59_500).contains(&left), "{left}");
        // The server's clock alone decides; it is told that the deadline is now.
        let (seconds, micros): (u64, u64) = redis.tell(&["TIME"]);
        let now = (seconds * 1000 + micros / 1000).to_string();
        let _: i64 = redis.tell(&["PEXPIREAT", &name, &now]);
        assert_eq!(store.contains(&key(1)).await.unwrap(), Some(false));
        assert_eq!(take(&store, 1).await.unwrap(), Taken::Unknown);
        // A record that expires by itself.
        store
            .put(&key(2), "record".into(), Duration::from_millis(200))
            .await
            .unwrap();
        eventually(async || match store.contains(&key(2)).await.unwrap() {
            Some(false) => Ok(()),
            other => Err(other),
        })
        .await;
        assert_eq!(take(&store, 2).await.unwrap(), Taken::Unknown);
    })
    .await;
}

#[tokio::test]
async fn unusual_lifetimes_do_not_panic() {
    let Some(redis) = Redis::start() else { return };
    let store = redis.store();
    limited(async {
        for (number, ttl) in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX]
            .into_iter()
            .enumerate()
        {
            store.put(&key(number), "record".into(), ttl).await.unwrap();
        }
        assert_eq!(
            take(&store, 2).await.unwrap(),
            Taken::Record("record".into())
        );
    })
    .await;
}

#[tokio::test]
async fn prefixes_and_records_are_not_interpreted() {
    let Some(redis) = Redis::start() else { return };
    let record = "a\r\nDEL *\r\n$-1\0\"'{}*?[é\u{1f600}";
    let prefixes = [
        "",
        "a:b",
        "a:b:session:",
        "*",
        "{}",
        "{a}",
        "\"';%0a",
        "é ü",
    ];
    let url = redis.url();
    let stores = prefixes.map(|prefix| {
        let prefix = percent_encode(prefix.as_bytes(), NON_ALPHANUMERIC);
        RedisStore::new(&format!("{url}?prefix={prefix}")).unwrap()
    });
    limited(async {
        for store in &stores {
            store.put(&key(1), record.into(), LONG).await.unwrap();
        }
        let names: Vec<String> = redis.tell(&["KEYS", "*"]);
        assert_eq!(names.len(), prefixes.len());
        for prefix in prefixes {
            assert!(names.contains(&format!("{prefix}session:{}", key(1))));
        }
        for store in &stores {
            let taken = store.take(&key(1)).await.unwrap();
            assert_eq!(taken, Taken::Record(record.into()));
        }
    })
    .await;
}

#[tokio::test]
async fn foreign_values_are_an_error() {
    let Some(redis) = Redis::start() else { return };
    let store = redis.store();
    limited(async {
        let name = |number| format!("portier:session:{}", key(number));
        let _: i64 = redis.tell(&["RPUSH", &name(1), "x"]);
        assert_eq!(code(&take(&store, 1).await), Code::StoreFailed);
        assert_eq!(code(&store.contains(&key(1)).await), Code::StoreFailed);
        let client = redis::Client::open(redis.url()).unwrap();
        let mut connection = client.get_connection().unwrap();
        let () = redis::cmd("SET")
            .arg(name(2))
            .arg(b"\xff\xfe")
            .query(&mut connection)
            .unwrap();
        assert_eq!(code(&take(&store, 2).await), Code::StoreFailed);
        // The connection is still usable.
        put(&store, 3).await.unwrap();
        assert_eq!(take(&store, 3).await.unwrap(), record(3));
    })
    .await;
}

#[tokio::test]
async fn a_duplicate_nonce_is_an_error() {
    let Some(redis) = Redis::start() else { return };
    let store = redis.store();
    limited(async {
        put(&store, 1).await.unwrap();
        let again = store.put(&key(1), "other".into(), LONG).await;
        assert_eq!(code(&again), Code::StoreFailed);
        let text = again.unwrap_err().to_string();
        assert!(text.contains("pending under this nonce already"), "{text}");
        assert_eq!(take(&store, 1).await.unwrap(), record(1));
        assert_eq!(code(&put(&store, 1).await), Code::StoreFailed);
    })
    .await;
}

#[tokio::test]
async fn documents_are_shared_until_they_expire() {
    let Some(redis) = Redis::start() else { return };
    let (one, other) = (redis.store(), redis.store());
    limited(async {
        let one = one.documents().unwrap();
        let other = other.documents().unwrap();
        assert_eq!(other.load("a").await.unwrap(), None);
        one.save("a", "first".into(), LONG).await.unwrap();
        one.save("a", "second".into(), LONG).await.unwrap();
        assert_eq!(other.load("a").await.unwrap().as_deref(), Some("second"));
        assert_eq!(other.load("b").await.unwrap(), None);
        one.save("a", "third".into(), Duration::from_millis(50))
            .await
            .unwrap();
        eventually(async || match other.load("a").await.unwrap() {
            None => Ok(()),
            other => Err(other),
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_lease_is_given_to_the_first_until_it_ends() {
    let Some(redis) = Redis::start() else { return };
    let (one, other) = (redis.store(), redis.store());
    limited(async {
        let one = one.documents().unwrap();
        let other = other.documents().unwrap();
        assert!(one.lease("a", LONG).await.unwrap());
        assert!(!other.lease("a", LONG).await.unwrap());
        assert!(!one.lease("a", LONG).await.unwrap());
        assert!(other.lease("b", LONG).await.unwrap());
        one.release("a").await.unwrap();
        assert!(other.lease("a", Duration::from_millis(50)).await.unwrap());
        eventually(async || {
            one.lease("a", LONG)
                .await
                .unwrap()
                .then_some(())
                .ok_or("held")
        })
        .await;
        one.release("never").await.unwrap();
    })
    .await;
}
