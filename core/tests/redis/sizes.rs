//! Foreign values and lifetimes.

use std::time::Duration;

use portier_client::{Code, Store as _, Taken};

use crate::server::{LONG, Redis, code, key, limited, put, record, take};

/// More than any value of the store, and more than a server sends in one piece, but small enough to
/// arrive in time on a busy machine.
const HUGE: usize = 4 << 20;

#[tokio::test]
async fn a_value_that_is_too_long_is_an_error_and_is_taken_once() {
    let Some(redis) = Redis::start() else { return };
    let store = redis.store();
    let session = format!("portier:session:{}", key(1));
    // `SETRANGE` makes the value on the server, so that this process does not hold it.
    for name in [&session, &"portier:document:a".to_owned()] {
        let _: i64 = redis.tell(&["SETRANGE", name, &HUGE.to_string(), "x"]);
    }
    limited(async {
        put(&store, 2).await.unwrap();
        let (taken, other) = tokio::join!(take(&store, 1), take(&store, 2));
        assert_eq!(code(&taken), Code::StoreFailed);
        assert!(taken.unwrap_err().to_string().contains("too long"));
        // Other callers of the connection are not affected.
        assert_eq!(other.unwrap(), record(2));
        let documents = store.documents().unwrap();
        assert_eq!(documents.load("a").await.unwrap(), None);
        // It was taken, once, and the document is replaced.
        assert_eq!(take(&store, 1).await.unwrap(), Taken::Used);
        documents.save("a", "document".into(), LONG).await.unwrap();
        let loaded = documents.load("a").await.unwrap();
        assert_eq!(loaded.as_deref(), Some("document"));
    })
    .await;
}

#[tokio::test]
async fn the_longest_values_are_read() {
    let Some(redis) = Redis::start() else { return };
    let store = redis.store();
    limited(async {
        let documents = store.documents().unwrap();
        let longest = "x".repeat(2 << 20);
        documents.save("a", longest.clone(), LONG).await.unwrap();
        assert!(documents.load("a").await.unwrap() == Some(longest.clone()));
        documents.save("a", longest + "x", LONG).await.unwrap();
        assert_eq!(documents.load("a").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_key_with_a_longer_lifetime_than_a_lease_is_replaced() {
    const TTL: Duration = Duration::from_secs(30);
    let Some(redis) = Redis::start() else { return };
    let store = redis.store();
    limited(async {
        let documents = store.documents().unwrap();
        for (name, words) in [("ever", &["SET"][..]), ("hours", &["SETEX", "7200"])] {
            let lease = format!("portier:lease:{name}");
            let mut command = vec![words[0], &lease];
            command.extend(&words[1..]);
            command.push("1");
            let () = redis.tell(&command);
            assert!(documents.lease(name, TTL).await.unwrap(), "{name}");
            let left: u64 = redis.tell(&["PTTL", &lease]);
            assert!((20_000..=30_000).contains(&left), "{left}");
            // The replaced key is an ordinary lease.
            assert!(!documents.lease(name, TTL).await.unwrap(), "{name}");
            documents.release(name).await.unwrap();
            assert!(documents.lease(name, TTL).await.unwrap(), "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_user_without_permission_for_pttl_respects_leases() {
    let Some(redis) = Redis::start() else { return };
    let words = "ACL SETUSER app on >right ~* +@all -pttl";
    let () = redis.tell(&words.split(' ').collect::<Vec<_>>());
    limited(async {
        let url = redis.url().replace("redis://", "redis://app:right@");
        let store = portier_client::RedisStore::new(&url).unwrap();
        let documents = store.documents().unwrap();
        for expected in [true, false] {
            let ttl = Duration::from_secs(30);
            assert_eq!(documents.lease("a", ttl).await.unwrap(), expected);
        }
    })
    .await;
}
