//! Scripted servers, for kinds that are not installed.

use std::time::Duration;

use portier_client::{Code, RedisStore, Store as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::server::{LONG, code, limited, put};

/// The URL of a server with these replies for one connection, one per command. Then the server is
/// busy for longer than the time limit, and finally counts the following bytes.
async fn server(replies: &'static [&'static str]) -> (String, JoinHandle<usize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut buffer = vec![0; 4096];
        for reply in replies {
            assert_ne!(client.read(&mut buffer).await.unwrap(), 0);
            client.write_all(reply.as_bytes()).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(1200)).await;
        let mut count = 0;
        while let Ok(bytes @ 1..) = client.read(&mut buffer).await {
            count += bytes;
        }
        count
    });
    (url, server)
}

/// A store at such a server.
async fn played(replies: &'static [&'static str]) -> (RedisStore, JoinHandle<usize>) {
    let (url, server) = server(replies).await;
    (RedisStore::new(&url).unwrap(), server)
}

#[tokio::test]
async fn a_server_that_forbids_hello_is_used() {
    limited(async {
        let (store, _server) = played(&[
            "-NOPERM not for you\r\n",
            "-NOPERM not for you\r\n",
            "-NOPERM not for you\r\n",
            "+OK\r\n",
        ])
        .await;
        put(&store, 1).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_server_that_refuses_hello_for_another_reason_is_not_used() {
    limited(async {
        let (store, _server) = played(&["-LOADING the data\r\n"]).await;
        let error = put(&store, 1).await.unwrap_err();
        assert_eq!(error.code(), Code::StoreUnavailable);
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_command_is_not_sent_later() {
    // More than the buffers of both ends can hold.
    const BYTES: usize = 64 << 20;
    limited(async {
        let (store, server) = played(&["*0\r\n", "+OK\r\n", "+\r\n"]).await;
        let documents = store.documents().unwrap();
        let saved = documents.save("a", "x".repeat(BYTES), LONG).await;
        assert_eq!(code(&saved), Code::StoreUnavailable);
        drop(store);
        assert!(server.await.unwrap() < BYTES);
    })
    .await;
}

#[tokio::test]
async fn a_node_that_does_not_tell_of_its_cluster_says_why() {
    limited(async {
        for (refusal, code, words) in [
            (
                &["*0\r\n", "+OK\r\n", "+\r\n", "-LOADING the data\r\n"],
                Code::StoreUnavailable,
                "error=LOADING",
            ),
            (
                &["*0\r\n", "+OK\r\n", "+\r\n", "-ERR no cluster\r\n"],
                Code::StoreFailed,
                "not a node of a cluster",
            ),
        ] {
            let (url, _server) = server(refusal).await;
            let store = RedisStore::new(&url.replace("redis:", "redis+cluster:")).unwrap();
            let error = put(&store, 1).await.unwrap_err();
            assert_eq!(error.code(), code);
            assert!(error.to_string().ends_with(words), "{error}");
        }
    })
    .await;
}
