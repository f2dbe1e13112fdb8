//! A record is returned once.

use std::sync::Arc;

use portier_client::{RedisStore, Taken};
use tokio::task::JoinSet;

use crate::server::{Redis, limited, put, record, take};

const ROUNDS: usize = 10_000;
const ROUNDS_AT_A_TIME: usize = 100;
const TAKERS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_many_takers_gets_the_record() {
    let Some(redis) = Redis::start() else { return };
    let stores: Vec<_> = (0..2).map(|_| Arc::new(redis.store())).collect();
    limited(async {
        for first in (0..ROUNDS).step_by(ROUNDS_AT_A_TIME) {
            let mut rounds = JoinSet::new();
            for number in first..first + ROUNDS_AT_A_TIME {
                rounds.spawn(race(number, TAKERS, stores.clone()));
            }
            rounds.join_all().await;
        }
    })
    .await;
    let left: usize = redis.tell(&["DBSIZE"]);
    assert_eq!(left, ROUNDS, "each leaves its mark");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_sixty_four_takers_gets_the_record() {
    let Some(redis) = Redis::start() else { return };
    let stores: Vec<_> = (0..8).map(|_| Arc::new(redis.store())).collect();
    limited(async {
        for number in 0..20 {
            race(number, 64, stores.clone()).await;
        }
    })
    .await;
}

/// Without memory, Redis cannot leave the mark of a used login. Only the mark may be lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_many_takers_gets_the_record_when_memory_is_out() {
    let Some(redis) = Redis::start() else { return };
    let stores: Vec<_> = (0..2).map(|_| Arc::new(redis.store())).collect();
    limited(async {
        for number in 0..100 {
            put(&stores[0], number).await.unwrap();
        }
        let () = redis.tell(&["CONFIG", "SET", "maxmemory", "1"]);
        for number in 0..100 {
            takers(number, 8, &stores).await;
        }
    })
    .await;
}

async fn race(number: usize, count: usize, stores: Vec<Arc<RedisStore>>) {
    put(stores.first().unwrap(), number).await.unwrap();
    takers(number, count, &stores).await;
}

async fn takers(number: usize, count: usize, stores: &[Arc<RedisStore>]) {
    let mut takers = JoinSet::new();
    for store in stores.iter().cycle().take(count) {
        let store = Arc::clone(store);
        takers.spawn(async move { take(&store, number).await.unwrap() });
    }
    let mut wins = 0;
    for taken in takers.join_all().await {
        match taken {
            Taken::Record(_) => {
                assert_eq!(taken, record(number));
                wins += 1;
            }
            Taken::Used | Taken::Unknown => {}
        }
    }
    assert_eq!(wins, 1);
}
