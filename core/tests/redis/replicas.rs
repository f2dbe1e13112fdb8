//! A primary with replicas, and Sentinels that choose among them.

use portier_client::{Code, RedisStore, Taken};

use crate::server::{Redis, code, eventually, free_port, limited, put, record, take};

fn replica_of(primary: &Redis) -> Option<Redis> {
    let port = primary.port().to_string();
    let replica = Redis::start_with(&["--replicaof", "127.0.0.1", &port])?;
    replica.until_info("replication", "master_link_status:up");
    Some(replica)
}

/// Waits until every replica has the data of the primary.
fn settle(primary: &Redis, replicas: &str) {
    let confirmed: u64 = primary.tell(&["WAIT", replicas, "10000"]);
    assert_eq!(confirmed.to_string(), replicas);
}

/// Polls until the server has this number of keys; `WAIT` covers only writes of its own connection.
async fn until_has(server: &Redis, count: usize) {
    eventually(async || match server.say::<usize>(&["DBSIZE"]) {
        Ok(size) if size == count => Ok(()),
        other => Err(other),
    })
    .await;
}

#[tokio::test]
async fn a_replica_is_unavailable_until_it_is_the_primary() {
    let Some(primary) = Redis::start() else {
        return;
    };
    let replica = replica_of(&primary).unwrap();
    let store = replica.store();
    limited(async {
        put(&primary.store(), 1).await.unwrap();
        until_has(&replica, 1).await;
        for _ in 0..2 {
            let error = take(&store, 1).await.unwrap_err();
            assert_eq!(error.code(), Code::StoreUnavailable);
            assert!(error.to_string().ends_with("error=READONLY"), "{error}");
        }
        assert_eq!(code(&put(&store, 2).await), Code::StoreUnavailable);
        let () = replica.tell(&["REPLICAOF", "NO", "ONE"]);
        assert_eq!(take(&store, 1).await.unwrap(), record(1));
    })
    .await;
}

/// The manual warns of this; `replicas` prevents it.
#[tokio::test]
async fn a_failover_forgets_a_take_that_no_replica_has_confirmed() {
    let Some(mut primary) = Redis::start() else {
        return;
    };
    let replica = replica_of(&primary).unwrap();
    limited(async {
        put(&primary.store(), 1).await.unwrap();
        until_has(&replica, 1).await;
        replica.freeze();
        assert_eq!(take(&primary.store(), 1).await.unwrap(), record(1));
        primary.kill();
        replica.thaw();
        let () = replica.tell(&["REPLICAOF", "NO", "ONE"]);
        let taken = take(&replica.store(), 1).await.unwrap();
        assert!(taken == record(1) || taken == Taken::Used, "{taken:?}");
    })
    .await;
}

#[tokio::test]
async fn with_replicas_a_take_that_none_has_confirmed_is_refused() {
    let Some(primary) = Redis::start() else {
        return;
    };
    let replica = replica_of(&primary).unwrap();
    let store = RedisStore::new(&format!("{}?replicas=1", primary.url())).unwrap();
    limited(async {
        for number in 0..3 {
            put(&store, number).await.unwrap();
        }
        assert_eq!(take(&store, 0).await.unwrap(), record(0));
        assert_eq!(take(&store, 0).await.unwrap(), Taken::Used);
        replica.freeze();
        assert_eq!(code(&take(&store, 1).await), Code::StoreUnavailable);
        // The replies are still in order, and the login is used up.
        put(&store, 5).await.unwrap();
        replica.thaw();
        assert_eq!(take(&store, 1).await.unwrap(), Taken::Used);
        assert_eq!(take(&store, 2).await.unwrap(), record(2));
    })
    .await;
}

fn sentinel(primary: &Redis) -> Redis {
    let port = primary.port();
    let lines = [
        format!("sentinel monitor main 127.0.0.1 {port} 1"),
        "sentinel down-after-milliseconds main 400".to_owned(),
        "sentinel failover-timeout main 3000".to_owned(),
    ];
    Redis::start_sentinel(&lines.join("\n")).unwrap()
}

#[tokio::test]
async fn sentinel_names_the_new_primary() {
    let Some(mut primary) = Redis::start() else {
        return;
    };
    let replica = replica_of(&primary).unwrap();
    let sentinel = sentinel(&primary);
    sentinel.until_info(
        "sentinel",
        &format!(
            "master0:name=main,status=ok,address=127.0.0.1:{},slaves=1,sentinels=1",
            primary.port()
        ),
    );
    let (down, port) = (free_port(), sentinel.port());
    let url = format!("redis+sentinel://127.0.0.1:{down},127.0.0.1:{port}/main");
    let store = RedisStore::new(&url).unwrap();
    limited(async {
        let unknown = RedisStore::new(&url.replace("/main", "/other")).unwrap();
        assert_eq!(code(&put(&unknown, 9).await), Code::StoreFailed);
        put(&store, 1).await.unwrap();
        put(&store, 2).await.unwrap();
        assert_eq!(take(&store, 2).await.unwrap(), record(2));
        until_has(&replica, 2).await;
        settle(&primary, "1");
        // Frozen, not killed: the server does not know that it is no longer the primary.
        primary.freeze();
        let taken = eventually(async || take(&store, 1).await).await;
        // The first attempt was sent to the frozen server.
        assert_eq!(taken, record(1));
        assert_eq!(take(&store, 1).await.unwrap(), Taken::Used);
        assert_eq!(take(&store, 2).await.unwrap(), Taken::Used);
        primary.thaw();
        put(&store, 3).await.unwrap();
        assert_eq!(take(&store, 3).await.unwrap(), record(3));
        primary.kill();
        assert_eq!(take(&store, 3).await.unwrap(), Taken::Used);
    })
    .await;
}
