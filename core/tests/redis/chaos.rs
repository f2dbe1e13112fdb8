//! Servers that are killed and frozen during logins.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portier_client::{Code, Error, RedisStore, Taken};
use tokio::task::JoinSet;

use crate::server::{PAUSE, Redis, eventually, limited, put, record, take};

const WORKERS: usize = 8;

/// Logins, and how often each was completed.
struct Load {
    stores: Vec<Arc<RedisStore>>,
    next: AtomicUsize,
    completed: Mutex<HashMap<usize, usize>>,
    over: AtomicBool,
}

impl Load {
    fn start(redis: &Redis) -> (Arc<Self>, JoinSet<()>) {
        let load = Arc::new(Self {
            stores: (0..2).map(|_| Arc::new(redis.store())).collect(),
            next: AtomicUsize::new(0),
            completed: Mutex::default(),
            over: AtomicBool::new(false),
        });
        let mut workers = JoinSet::new();
        for _ in 0..WORKERS {
            workers.spawn(Arc::clone(&load).work());
        }
        (load, workers)
    }

    async fn work(self: Arc<Self>) {
        while !self.over.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if let Err(error) = put(&self.stores[0], number).await {
                tolerate(&error);
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            // Two browsers that each try again, like people do.
            let takes = [0, 1, 0, 1].map(|index| {
                let store = Arc::clone(&self.stores[index]);
                tokio::spawn(async move { take(&store, number).await })
            });
            for taken in takes {
                match taken.await.unwrap() {
                    Ok(Taken::Record(text)) => {
                        assert_eq!(Taken::Record(text), record(number));
                        *self.completed.lock().unwrap().entry(number).or_default() += 1;
                    }
                    Ok(_) => {}
                    Err(error) => tolerate(&error),
                }
            }
        }
    }

    fn completed(&self) -> usize {
        self.completed.lock().unwrap().len()
    }

    /// Waits until logins complete (again).
    async fn flows(&self) {
        let goal = self.completed() + 50;
        eventually(async || (self.completed() >= goal).then_some(()).ok_or("stuck")).await;
    }

    async fn end(&self, workers: JoinSet<()>) {
        self.over.store(true, Ordering::Relaxed);
        workers.join_all().await;
        let completed = self.completed.lock().unwrap();
        let twice = completed.iter().find(|(_, count)| **count != 1);
        assert_eq!(twice, None, "of {}", completed.len());
    }
}

fn tolerate(error: &Error) {
    assert_eq!(error.code(), Code::StoreUnavailable, "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_login_completes_twice_while_redis_is_killed_and_restarted() {
    // A taken record is on disk before the reply.
    let durable = ["--appendonly", "yes", "--appendfsync", "always"];
    let Some(mut redis) = Redis::start_with(&durable) else {
        return;
    };
    limited(async {
        let (load, workers) = Load::start(&redis);
        for _ in 0..4 {
            load.flows().await;
            redis.kill();
            tokio::time::sleep(PAUSE).await;
            redis.restart();
        }
        load.flows().await;
        load.end(workers).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_login_completes_twice_while_redis_is_frozen() {
    let Some(redis) = Redis::start() else { return };
    limited(async {
        let (load, workers) = Load::start(&redis);
        for _ in 0..2 {
            load.flows().await;
            redis.freeze();
            tokio::time::sleep(Duration::from_millis(2_500)).await;
            redis.thaw();
        }
        load.flows().await;
        load.end(workers).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelled_calls_leave_the_replies_of_others_alone() {
    let Some(redis) = Redis::start() else { return };
    let store = Arc::new(redis.store());
    limited(async {
        for number in 0..400 {
            put(&store, number).await.unwrap();
        }
        let mut calls = JoinSet::new();
        for number in 0..400 {
            let store = Arc::clone(&store);
            calls.spawn(async move {
                if number % 2 == 0 {
                    // Cancelled at some moment between start and reply.
                    let limit = Duration::from_micros(number as u64 * 5);
                    let _ = tokio::time::timeout(limit, take(&store, number)).await;
                } else {
                    assert_eq!(take(&store, number).await.unwrap(), record(number));
                }
            });
        }
        calls.join_all().await;
        for number in 400..450 {
            put(&store, number).await.unwrap();
            assert_eq!(take(&store, number).await.unwrap(), record(number));
        }
    })
    .await;
}

#[tokio::test]
async fn a_caller_that_gives_up_does_not_stop_the_connection_for_others() {
    let Some(redis) = Redis::start() else { return };
    let store = Arc::new(redis.store());
    limited(async {
        redis.freeze();
        // This caller was the first, so the connection is opened for it.
        let first = tokio::time::timeout(Duration::from_millis(50), put(&store, 1));
        assert!(first.await.is_err());
        let second = tokio::spawn({
            let store = Arc::clone(&store);
            async move { put(&store, 2).await }
        });
        tokio::task::yield_now().await;
        redis.thaw();
        second.await.unwrap().unwrap();
        let connections: u64 = redis
            .tell::<String>(&["INFO", "stats"])
            .lines()
            .find_map(|line| line.strip_prefix("total_connections_received:"))
            .and_then(|count| count.parse().ok())
            .unwrap();
        // One connection of the check that the server is up, and one of this question.
        assert_eq!(connections, 3);
    })
    .await;
}

/// A client with one runtime per call opens one connection per runtime.
#[test]
fn a_store_may_be_used_from_several_runtimes() {
    let Some(redis) = Redis::start() else { return };
    let store = Arc::new(redis.store());
    for number in 0..5 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(limited(async {
            put(&store, number).await.unwrap();
            assert_eq!(take(&store, number).await.unwrap(), record(number));
        }));
    }
}
