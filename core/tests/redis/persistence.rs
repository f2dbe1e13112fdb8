//! Crashes and persistence.

use portier_client::Taken;

use crate::server::{Redis, eventually, limited, put, record, take};

/// A snapshot that is older than the take restores the login. The manual warns of this.
#[tokio::test]
async fn a_snapshot_older_than_the_take_restores_the_login() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let store = redis.store();
    limited(async {
        put(&store, 1).await.unwrap();
        let () = redis.tell(&["SAVE"]);
        assert_eq!(take(&store, 1).await.unwrap(), record(1));
        redis.restart();
        let taken = eventually(async || take(&store, 1).await).await;
        assert_eq!(taken, record(1));
    })
    .await;
}

#[tokio::test]
async fn an_append_only_file_outlives_the_process_and_restores_no_used_login() {
    let Some(mut redis) = Redis::start_with(&["--appendonly", "yes"]) else {
        return;
    };
    let store = redis.store();
    limited(async {
        for number in 0..20 {
            put(&store, number).await.unwrap();
        }
        for number in 0..10 {
            assert_eq!(take(&store, number).await.unwrap(), record(number));
        }
        redis.restart();
        let taken = eventually(async || take(&store, 0).await).await;
        assert_eq!(taken, Taken::Used);
        for number in 1..10 {
            assert_eq!(take(&store, number).await.unwrap(), Taken::Used);
        }
        for number in 10..20 {
            assert_eq!(take(&store, number).await.unwrap(), record(number));
        }
    })
    .await;
}
