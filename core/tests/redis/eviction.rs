//! Servers that run out of memory.

use std::sync::Arc;
use std::time::Duration;

use portier_client::{Code, RedisStore, Store as _, Taken};
use tokio::task::JoinSet;

use crate::server::{LONG, Redis, code, key, limited, put, record, take};

const POLICIES: [&str; 7] = [
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
];

/// Leaves space for some hundred records of a flood.
fn limit_memory(redis: &Redis, policy: &str) {
    let () = redis.tell(&["CONFIG", "SET", "maxmemory", "0"]);
    let info: String = redis.tell(&["INFO", "memory"]);
    let used = info
        .lines()
        .find_map(|line| line.strip_prefix("used_memory:"));
    let limit = used.unwrap().trim().parse::<u64>().unwrap() + 2_000_000;
    let () = redis.tell(&["CONFIG", "SET", "maxmemory-policy", policy]);
    let () = redis.tell(&["CONFIG", "SET", "maxmemory", &limit.to_string()]);
}

/// Starts more logins than there is space for; returns the number of refusals and their errors.
async fn flood(store: &Arc<RedisStore>) -> Vec<Code> {
    let mut puts = JoinSet::new();
    for number in 1_000..2_000 {
        let store = Arc::clone(store);
        puts.spawn(async move {
            let ttl = LONG + Duration::from_secs(number as u64);
            store.put(&key(number), "x".repeat(8_000), ttl).await
        });
    }
    let outcomes = puts.join_all().await;
    outcomes
        .iter()
        .filter(|outcome| outcome.is_err())
        .map(code)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_eviction_new_logins_are_refused_and_pending_logins_complete() {
    let Some(redis) = Redis::start() else { return };
    let store = Arc::new(redis.store());
    limited(async {
        for number in 0..3 {
            put(&store, number).await.unwrap();
        }
        assert_eq!(take(&store, 2).await.unwrap(), record(2));
        limit_memory(&redis, "noeviction");
        let refused = flood(&store).await;
        assert!(refused.len() > 100, "{}", refused.len());
        assert!(refused.iter().all(|code| *code == Code::StoreFull));
        // The memory of the flood itself is free again by now.
        let () = redis.tell(&["CONFIG", "SET", "maxmemory", "1"]);
        assert_eq!(code(&put(&store, 9).await), Code::StoreFull);
        assert_eq!(store.contains(&key(0)).await.unwrap(), Some(true));
        for number in 0..2 {
            assert_eq!(take(&store, number).await.unwrap(), record(number));
            assert_eq!(take(&store, number).await.unwrap(), Taken::Unknown);
        }
        assert_eq!(take(&store, 2).await.unwrap(), Taken::Used);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_any_eviction_a_login_may_be_lost_but_never_completes_twice() {
    let Some(redis) = Redis::start() else { return };
    let store = Arc::new(redis.store());
    limited(async {
        for policy in POLICIES {
            let () = redis.tell(&["FLUSHALL"]);
            for number in 0..50 {
                put(&store, number).await.unwrap();
                if number % 2 == 0 {
                    assert_eq!(take(&store, number).await.unwrap(), record(number));
                }
            }
            limit_memory(&redis, policy);
            assert_eq!(flood(&store).await, [], "{policy}");
            for number in 0..50 {
                let taken = take(&store, number).await.unwrap();
                if number % 2 == 0 {
                    assert!(matches!(taken, Taken::Used | Taken::Unknown), "{policy}");
                } else {
                    assert!(
                        taken == record(number) || taken == Taken::Unknown,
                        "{policy}"
                    );
                }
                let again = take(&store, number).await.unwrap();
                assert!(matches!(again, Taken::Used | Taken::Unknown), "{policy}");
            }
        }
    })
    .await;
}
