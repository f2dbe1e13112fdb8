//! Servers that refuse commands.

use std::fmt::Write as _;

use portier_client::{Code, Error, RedisStore, Store as _, Taken};

use crate::server::{LONG, Redis, code, eventually, key, limited, put, record, take};

const PASSWORD: &str = "pa55:w%20rd";

/// The error with all its causes, in all formats.
pub(crate) fn whole(error: &Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        write!(text, " {cause} {cause:?}").unwrap();
        source = cause.source();
    }
    text
}

async fn refusal(url: &str) -> Error {
    let store = RedisStore::new(url).unwrap();
    let error = put(&store, 1).await.unwrap_err();
    let text = whole(&error);
    for secret in [PASSWORD, "pa55", "w%20rd", "w rd"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert!(!format!("{store:?}").contains("pa55"));
    error
}

fn at(redis: &Redis, user: &str, rest: &str) -> String {
    format!("redis://{user}@127.0.0.1:{}{rest}", redis.port())
}

#[tokio::test]
async fn a_wrong_password_is_an_error_that_does_not_show_it() {
    let Some(redis) = Redis::start() else { return };
    let () = redis.tell(&["ACL", "SETUSER", "app", "on", ">right", "~*", "+@all"]);
    limited(async {
        let error = refusal(&at(&redis, "app:pa55%3Aw%2520rd", "")).await;
        assert_eq!(error.code(), Code::StoreFailed);
        assert!(error.to_string().ends_with("error=WRONGPASS"), "{error}");
        // A password that is not required.
        let error = refusal(&at(&redis, ":pa55%3Aw%2520rd", "")).await;
        assert_eq!(error.code(), Code::StoreFailed);
        // A missing password.
        let () = redis.tell(&["ACL", "SETUSER", "default", "off"]);
        let error = refusal(&redis.url()).await;
        assert_eq!(error.code(), Code::StoreFailed);
        assert!(error.to_string().ends_with("error=NOAUTH"), "{error}");
        let store = RedisStore::new(&at(&redis, "app:right", "")).unwrap();
        put(&store, 1).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_user_with_minimal_permissions_is_enough() {
    let Some(redis) = Redis::start() else { return };
    let rights = ["+set", "+get", "+getdel", "+strlen", "+del", "~shop:*"];
    for (user, hello) in [("app", "-hello"), ("able", "+hello")] {
        let mut words = vec!["ACL", "SETUSER", user, "on", ">right", hello];
        words.extend(rights);
        let () = redis.tell(&words);
    }
    limited(async {
        for (number, user) in ["app", "able"].into_iter().enumerate() {
            let user = format!("{user}:right");
            let store = RedisStore::new(&at(&redis, &user, "?prefix=shop:")).unwrap();
            put(&store, number).await.unwrap();
            assert_eq!(store.contains(&key(number)).await.unwrap(), Some(true));
            assert_eq!(take(&store, number).await.unwrap(), record(number));
            let documents = store.documents().unwrap();
            assert_eq!(documents.load("a").await.unwrap(), None);
            documents.release("a").await.unwrap();
            // The user may not access other keys.
            let error = refusal(&at(&redis, &user, "")).await;
            assert_eq!(error.code(), Code::StoreFailed);
            assert!(error.to_string().contains("keys of the store"), "{error}");
            assert!(
                error.to_string().ends_with("command=SET error=NOPERM"),
                "{error}"
            );
            assert!(!whole(&error).contains("portier:"), "{error:?}");
        }
    })
    .await;
}

#[test]
fn the_debug_output_of_a_store_does_not_show_its_url() {
    let store = RedisStore::new("redis://user:hunter2@redis.example/0?prefix=hunter2").unwrap();
    assert_eq!(format!("{store:?}"), "RedisStore { .. }");
}

#[tokio::test]
async fn a_take_that_is_refused_is_not_tried_in_another_way() {
    let Some(redis) = Redis::start() else { return };
    let words = "ACL SETUSER app on >right ~* +@all -set";
    let () = redis.tell(&words.split(' ').collect::<Vec<_>>());
    limited(async {
        put(&redis.store(), 1).await.unwrap();
        let store = RedisStore::new(&at(&redis, "app:right", "")).unwrap();
        let error = take(&store, 1).await.unwrap_err();
        assert!(
            error.to_string().contains("no permission for the command"),
            "{error}"
        );
        assert!(
            error.to_string().ends_with("command=SET error=NOPERM"),
            "{error}"
        );
        assert_eq!(take(&redis.store(), 1).await.unwrap(), record(1));
    })
    .await;
}

#[tokio::test]
async fn a_database_that_is_missing_is_an_error() {
    let Some(redis) = Redis::start() else { return };
    limited(async {
        let error = refusal(&format!("{}/99", redis.url())).await;
        assert_eq!(error.code(), Code::StoreFailed);
        let store = RedisStore::new(&format!("{}/3", redis.url())).unwrap();
        put(&store, 1).await.unwrap();
        let elsewhere: usize = redis.tell(&["DBSIZE"]);
        assert_eq!(elsewhere, 0);
        assert_eq!(take(&store, 1).await.unwrap(), record(1));
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_loading_is_unavailable_until_it_has_loaded() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let store = redis.store();
    limited(async {
        // While it loads data, the server answers only once for every two megabytes.
        for number in 0..400 {
            let padding = "x".repeat(64 * 1024);
            store.put(&key(number), padding, LONG).await.unwrap();
        }
        let () = redis.tell(&["CONFIG", "SET", "rdbcompression", "no"]);
        let () = redis.tell(&["SAVE"]);
        redis.restart_with(&["--key-load-delay", "3000"]);
        eventually(async || {
            let error = take(&store, 1).await.map(|_| ()).unwrap_err();
            assert_eq!(error.code(), Code::StoreUnavailable);
            error
                .to_string()
                .ends_with("error=LOADING")
                .then_some(())
                .ok_or(error)
        })
        .await;
        let taken = eventually(async || take(&store, 1).await).await;
        assert!(matches!(taken, Taken::Record(_)));
    })
    .await;
}

#[tokio::test]
async fn a_server_that_cannot_save_says_so() {
    let Some(redis) = Redis::start() else { return };
    let store = redis.store();
    limited(async {
        let () = redis.tell(&["CONFIG", "SET", "save", "3600 1"]);
        put(&store, 1).await.unwrap();
        redis.remove_folder();
        let _: redis::RedisResult<String> = redis.say(&["BGSAVE"]);
        redis.until_info("persistence", "rdb_last_bgsave_status:err");
        let error = put(&store, 2).await.unwrap_err();
        assert_eq!(error.code(), Code::StoreFailed);
        assert!(error.to_string().ends_with("error=MISCONF"), "{error}");
        assert_eq!(code(&take(&store, 1).await), Code::StoreFailed);
        // Nothing was executed: the login is there when the server can save again.
        let () = redis.tell(&["CONFIG", "SET", "save", ""]);
        assert_eq!(take(&store, 1).await.unwrap(), record(1));
    })
    .await;
}

#[tokio::test]
async fn a_server_at_its_connection_limit_is_unavailable() {
    let Some(redis) = Redis::start_with(&["--maxclients", "1"]) else {
        return;
    };
    let (one, other) = (redis.store(), redis.store());
    limited(async {
        eventually(async || put(&one, 1).await).await;
        assert_eq!(code(&take(&other, 1).await), Code::StoreUnavailable);
        assert_eq!(take(&one, 1).await.unwrap(), record(1));
        drop(one);
        eventually(async || put(&other, 2).await).await;
    })
    .await;
}

#[tokio::test]
async fn a_url_of_the_wrong_kind_is_a_clear_error() {
    let Some(redis) = Redis::start() else { return };
    let Some(node) = Redis::start_with(&["--cluster-enabled", "yes"]) else {
        return;
    };
    limited(async {
        let error = refusal(&node.url()).await;
        assert_eq!(error.code(), Code::StoreFailed);
        assert!(error.to_string().contains("redis+cluster"), "{error}");
        let url = redis.url().replace("redis:", "redis+cluster:");
        let error = refusal(&url).await;
        assert_eq!(error.code(), Code::StoreFailed);
        assert!(
            error.to_string().contains("not a node of a cluster"),
            "{error}"
        );
    })
    .await;
}
