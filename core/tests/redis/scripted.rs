//! Servers of kinds that are not on this machine, played from a script.

use portier_client::{Code, RedisStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::server::{limited, put};

/// The store at a server that has these replies for one connection, one for each command.
async fn played(replies: &'static [&'static str]) -> RedisStore {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut buffer = vec![0; 4096];
        for reply in replies {
            client.read(&mut buffer).await.unwrap();
            client.write_all(reply.as_bytes()).await.unwrap();
        }
        // Stays until the client has gone.
        let _ = client.read(&mut buffer).await;
    });
    RedisStore::new(&url).unwrap()
}

#[tokio::test]
async fn nst_28_a_server_that_does_not_know_the_greeting_is_too_old() {
    limited(async {
        let store = played(&["-ERR unknown command `HELLO`, with args beginning with: \r\n"]).await;
        let error = put(&store, 1).await.unwrap_err();
        assert_eq!(error.code(), Code::StoreFailed);
        assert!(error.to_string().ends_with("version=before 6.0"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn nst_28_a_server_that_may_not_tell_what_it_is_is_taken_as_it_is() {
    limited(async {
        let store = played(&[
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
async fn nst_28_a_server_that_refuses_the_greeting_for_another_reason_is_not_used() {
    limited(async {
        let store = played(&["-LOADING the data\r\n"]).await;
        let error = put(&store, 1).await.unwrap_err();
        assert_eq!(error.code(), Code::StoreUnavailable);
    })
    .await;
}
