//! Proxies and other servers, which do not support all commands of Redis.

use portier_client::{Code, RedisStore, Store as _, Taken};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::server::{Redis, key, limited, put, record, take};

/// How a proxy refuses a command.
#[derive(Clone, Copy)]
enum Refusal {
    Answers(&'static str),
    Closes,
}

/// The URL of a proxy in front of a server.
async fn proxy(redis: &Redis, refused: &'static [&'static str], refusal: Refusal) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let port = redis.port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(serve(client, port, refused, refusal));
        }
    });
    url
}

async fn serve(
    mut client: TcpStream,
    port: u16,
    refused: &[&str],
    refusal: Refusal,
) -> std::io::Result<()> {
    let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
    let (mut question, mut answer) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        tokio::select! {
            read = client.read(&mut question) => {
                let Some(bytes) = question.get(..read?).filter(|bytes| !bytes.is_empty()) else {
                    return Ok(());
                };
                let text = String::from_utf8_lossy(bytes);
                let name = text.split("\r\n").nth(2).unwrap_or_default();
                match refusal {
                    _ if !refused.contains(&name) => server.write_all(bytes).await?,
                    Refusal::Answers(reply) => client.write_all(reply.as_bytes()).await?,
                    Refusal::Closes => return Ok(()),
                }
            }
            read = server.read(&mut answer) => {
                let bytes = answer.get(..read?).unwrap_or_default();
                client.write_all(bytes).await?;
            }
        }
    }
}

async fn logs_in(store: &RedisStore, number: usize) {
    put(store, number).await.unwrap();
    assert_eq!(store.contains(&key(number)).await.unwrap(), Some(true));
    assert_eq!(take(store, number).await.unwrap(), record(number));
    assert_eq!(take(store, number).await.unwrap(), Taken::Used);
}

#[tokio::test]
async fn a_proxy_without_hello_is_used_with_resp2() {
    let Some(redis) = Redis::start() else { return };
    limited(async {
        for (number, refusal) in [
            Refusal::Answers("-ERR unknown command 'HELLO', with args beginning with: \r\n"),
            Refusal::Answers("-unsupported command 'hello'\r\n"),
            Refusal::Answers("-ERR Command is not available\r\n"),
            Refusal::Closes,
        ]
        .into_iter()
        .enumerate()
        {
            let url = proxy(&redis, &["HELLO", "INFO", "CLIENT"], refusal).await;
            logs_in(&RedisStore::new(&url).unwrap(), number).await;
            let url = proxy(&redis, &["CLIENT"], refusal).await;
            logs_in(&RedisStore::new(&url).unwrap(), 10 + number).await;
        }
        // The attempts left no keys.
        let names: Vec<String> = redis.tell(&["KEYS", "*probe*"]);
        assert!(names.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_version_below_that_of_redis_is_believed_only_if_a_command_is_missing() {
    const OLD: &str = "*4\r\n$6\r\nserver\r\n$5\r\nother\r\n$7\r\nversion\r\n$6\r\n1.0.62\r\n";
    let Some(redis) = Redis::start() else { return };
    limited(async {
        let url = proxy(&redis, &["HELLO"], Refusal::Answers(OLD)).await;
        logs_in(&RedisStore::new(&url).unwrap(), 1).await;
    })
    .await;
}

#[tokio::test]
async fn a_server_without_a_command_that_is_needed_is_refused_before_a_login_starts() {
    let Some(redis) = Redis::start() else { return };
    limited(async {
        for reply in ["-ERR syntax error\r\n", "-ERR unknown command 'SET'\r\n"] {
            let url = proxy(&redis, &["HELLO", "SET"], Refusal::Answers(reply)).await;
            let error = put(&RedisStore::new(&url).unwrap(), 1).await.unwrap_err();
            assert_eq!(error.code(), Code::StoreFailed);
            let text = error.to_string();
            assert!(text.contains("too old") && text.contains("6.2"), "{text}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_database_or_a_password_that_is_refused_names_the_command() {
    let Some(redis) = Redis::start() else { return };
    limited(async {
        let refusal = Refusal::Answers("-ERR not here\r\n");
        let url = proxy(&redis, &["SELECT", "AUTH"], refusal).await;
        for (url, command) in [
            (format!("{url}/1"), "SELECT"),
            (url.replace("redis://", "redis://:secret@"), "AUTH"),
        ] {
            let error = put(&RedisStore::new(&url).unwrap(), 1).await.unwrap_err();
            let text = error.to_string();
            assert!(
                text.ends_with(&format!("command={command} error=ERR")),
                "{text}"
            );
        }
        // The first database needs no such command.
        logs_in(&RedisStore::new(&format!("{url}/0")).unwrap(), 1).await;
    })
    .await;
}

#[tokio::test]
async fn the_default_user_may_be_named() {
    let Some(redis) = Redis::start() else { return };
    let () = redis.tell(&["CONFIG", "SET", "requirepass", "p@ss w/rd"]);
    limited(async {
        for (number, user) in [":", "default:"].into_iter().enumerate() {
            let port = redis.port();
            let url = format!("redis://{user}p%40ss%20w%2Frd@127.0.0.1:{port}");
            logs_in(&RedisStore::new(&url).unwrap(), number).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_node_behind_a_proxy_says_that_the_url_has_to_name_a_cluster() {
    let Some(redis) = Redis::start() else { return };
    limited(async {
        for reply in ["-MOVED 1 127.0.0.1:1\r\n", "-ASK 1 127.0.0.1:1\r\n"] {
            let url = proxy(&redis, &["SET"], Refusal::Answers(reply)).await;
            let error = put(&RedisStore::new(&url).unwrap(), 1).await.unwrap_err();
            assert_eq!(error.code(), Code::StoreFailed);
            assert!(error.to_string().contains("redis+cluster"), "{error}");
        }
    })
    .await;
}
