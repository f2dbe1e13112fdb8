//! Servers that are down, restart, hang, or lose the connection during a command.

use std::time::Duration;

use portier_client::{Clock as _, Code, RedisStore, Store as _, SystemClock, Taken};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::server::{Redis, code, eventually, free_port, key, limited, put, record, take};

#[tokio::test]
async fn a_store_that_is_down_is_unavailable_until_it_is_up() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    redis.kill();
    let store = redis.store();
    limited(async {
        assert_eq!(code(&put(&store, 1).await), Code::StoreUnavailable);
        redis.restart();
        put(&store, 1).await.unwrap();
        assert_eq!(take(&store, 1).await.unwrap(), record(1));
    })
    .await;
}

#[tokio::test]
async fn a_store_that_is_down_at_the_callback_keeps_the_login_if_possible() {
    let Some(mut redis) = Redis::start_with(&["--appendonly", "yes", "--appendfsync", "always"])
    else {
        return;
    };
    let store = redis.store();
    limited(async {
        put(&store, 1).await.unwrap();
        redis.kill();
        assert_eq!(code(&take(&store, 1).await), Code::StoreUnavailable);
        redis.restart();
        let taken = eventually(async || take(&store, 1).await).await;
        assert_eq!(taken, record(1));
    })
    .await;
}

/// A connection that was closed by a restart is replaced before the next command, which succeeds.
#[tokio::test]
async fn a_restart_without_persistence_forgets_the_login() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let store = redis.store();
    limited(async {
        put(&store, 1).await.unwrap();
        redis.restart();
        let taken = eventually(async || take(&store, 1).await).await;
        assert_eq!(taken, Taken::Unknown);
        put(&store, 2).await.unwrap();
        assert_eq!(take(&store, 2).await.unwrap(), record(2));
    })
    .await;
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_after_a_second() {
    let Some(redis) = Redis::start() else { return };
    let store = redis.store();
    limited(async {
        for number in 0..3 {
            put(&store, number).await.unwrap();
        }
        redis.freeze();
        let (clock, other) = (SystemClock::new(), key(2));
        let (taken, contained) = tokio::join!(take(&store, 1), store.contains(&other));
        assert_eq!(code(&taken), Code::StoreUnavailable);
        assert_eq!(code(&contained), Code::StoreUnavailable);
        let waited = clock.monotonic();
        assert!(waited >= Duration::from_millis(990), "{waited:?}");
        assert!(waited < Duration::from_secs(3), "{waited:?}");
        // The kernel accepts a new connection, but the server does not answer.
        let clock = SystemClock::new();
        assert_eq!(code(&put(&store, 4).await), Code::StoreUnavailable);
        assert!(clock.monotonic() < Duration::from_millis(3500));
        redis.thaw();
        let again = eventually(async || take(&store, 1).await).await;
        // The earlier command was executed later; the record must not be returned twice.
        assert!(matches!(again, Taken::Used), "{again:?}");
        assert_eq!(take(&store, 2).await.unwrap(), record(2));
        assert_eq!(take(&store, 0).await.unwrap(), record(0));
    })
    .await;
}

/// A proxy that passes on all bytes of the client, and a limited number of bytes of the server.
async fn leaky_proxy(redis: &Redis, commands: usize) -> (String, tokio::task::JoinHandle<usize>) {
    let listener = TcpListener::bind(("127.0.0.1", free_port())).await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let port = redis.port();
    let proxy = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let mut buffer = vec![0; 4096];
        for _ in 0..commands {
            let length = client.read(&mut buffer).await.unwrap();
            server.write_all(&buffer[..length]).await.unwrap();
            let length = server.read(&mut buffer).await.unwrap();
            client.write_all(&buffer[..length]).await.unwrap();
        }
        let length = client.read(&mut buffer).await.unwrap();
        server.write_all(&buffer[..length]).await.unwrap();
        // The reply is lost. Further connections are counted.
        let _ = server.read(&mut buffer).await.unwrap();
        drop(client);
        let mut others = 0;
        while tokio::time::timeout(Duration::from_millis(300), listener.accept())
            .await
            .is_ok()
        {
            others += 1;
        }
        others
    });
    (url, proxy)
}

#[tokio::test]
async fn a_take_without_a_reply_is_not_repeated() {
    let Some(redis) = Redis::start() else { return };
    let direct = redis.store();
    limited(async {
        put(&direct, 1).await.unwrap();
        // The replies to a new connection are passed on, but not the reply to the take.
        let (url, proxy) = leaky_proxy(&redis, 3).await;
        let store = RedisStore::new(&url).unwrap();
        assert_eq!(code(&take(&store, 1).await), Code::StoreUnavailable);
        assert_eq!(proxy.await.unwrap(), 0, "connections after the first");
        // The record was taken, and stays taken.
        assert_eq!(take(&direct, 1).await.unwrap(), Taken::Used);
    })
    .await;
}

#[tokio::test]
async fn a_put_without_a_reply_is_an_error() {
    let Some(redis) = Redis::start() else { return };
    limited(async {
        let (url, proxy) = leaky_proxy(&redis, 3).await;
        let store = RedisStore::new(&url).unwrap();
        assert_eq!(code(&put(&store, 1).await), Code::StoreUnavailable);
        assert_eq!(proxy.await.unwrap(), 0, "connections after the first");
    })
    .await;
}

#[tokio::test]
async fn another_server_than_redis_is_an_error() {
    limited(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            let (mut client, _) = listener.accept().await.unwrap();
            client
                .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                .await
                .unwrap();
            client
        });
        let store = RedisStore::new(&url).unwrap();
        assert_eq!(code(&put(&store, 1).await), Code::StoreFailed);
        server.await.unwrap();
    })
    .await;
}
