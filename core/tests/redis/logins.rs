//! Whole logins of clients that share a store.

use std::sync::Arc;

use portier_client::testing::{DevBroker, DevBrokerOptions, MintOptions};
use portier_client::{AuthenticateOptions, CallbackParams, Client, Code, Kind};
use tokio::task::JoinSet;

use crate::server::{Redis, limited};

fn client(broker: &DevBroker, redis: &Redis) -> Client {
    site(broker, redis, "https://example.com/verify")
}

fn site(broker: &DevBroker, redis: &Redis, redirect_uri: &str) -> Client {
    Client::builder(redirect_uri)
        .broker(broker.origin())
        .store_url(redis.url())
        .build()
        .unwrap()
}

fn broker() -> DevBroker {
    DevBroker::spawn(DevBrokerOptions::default()).unwrap()
}

async fn start(client: &Client) -> MintOptions {
    let url = client.authenticate("alice@example.com").await.unwrap();
    MintOptions::for_url(&url).unwrap()
}

fn session_names(redis: &Redis) -> Vec<String> {
    redis.tell(&["KEYS", "portier:session:*"])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_sixty_four_verifications_in_two_clients_succeeds() {
    let Some(redis) = Redis::start() else { return };
    let broker = broker();
    let clients = [client(&broker, &redis), client(&broker, &redis)];
    limited(async {
        let id_token = broker.mint(&start(&clients[0]).await).unwrap();
        let id_token: Arc<str> = id_token.into();
        let mut attempts = JoinSet::new();
        for index in 0..64 {
            let (client, id_token) = (clients[index % 2].clone(), Arc::clone(&id_token));
            attempts.spawn(async move { client.verify(&id_token).await });
        }
        let outcomes = attempts.join_all().await;
        let wins = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(wins, 1);
        for error in outcomes.into_iter().filter_map(Result::err) {
            assert_eq!(error.code(), Code::SessionUsed);
        }
    })
    .await;
}

#[tokio::test]
async fn a_login_started_by_one_client_is_completed_by_another() {
    let Some(redis) = Redis::start() else { return };
    let broker = broker();
    limited(async {
        let mut options = AuthenticateOptions::for_email("Alice@Example.com");
        options.session = Some("/members".into());
        let url = client(&broker, &redis)
            .authenticate_with(options)
            .await
            .unwrap();
        let id_token = broker.mint(&MintOptions::for_url(&url).unwrap()).unwrap();
        let params = CallbackParams::from_pairs([("id_token", &*id_token)]).unwrap();
        let login = client(&broker, &redis)
            .complete(params, None)
            .await
            .unwrap();
        assert_eq!(login.email, "alice@example.com");
        assert_eq!(login.session.as_deref(), Some("/members"));
    })
    .await;
}

#[tokio::test]
async fn no_redirect_is_issued_while_the_store_is_down() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let broker = broker();
    let client = client(&broker, &redis);
    limited(async {
        let id_token = broker.mint(&start(&client).await).unwrap();
        redis.kill();
        for error in [
            client.authenticate("alice@example.com").await.unwrap_err(),
            client.verify(&id_token).await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), Kind::StoreError);
            assert_eq!(error.code(), Code::StoreUnavailable);
            assert!(error.retryable());
        }
    })
    .await;
}

#[tokio::test]
async fn sites_that_share_a_store_cannot_complete_each_others_logins() {
    let Some(redis) = Redis::start() else { return };
    let broker = broker();
    let (one, other) = (
        site(&broker, &redis, "https://one.example/verify"),
        site(&broker, &redis, "https://other.example/verify"),
    );
    limited(async {
        // The nonce of one site's login, in a genuine token for the other.
        let theirs = start(&one).await;
        let mut ours = start(&other).await;
        ours.nonce.clone_from(&theirs.nonce);
        let error = other
            .verify(&broker.mint(&ours).unwrap())
            .await
            .unwrap_err();
        assert_eq!(error.code(), Code::SessionUnknown);
        one.verify(&broker.mint(&theirs).unwrap()).await.unwrap();
        // The name of a key contains neither a nonce nor an address.
        for name in session_names(&redis) {
            assert!(
                !name.contains(&theirs.nonce) && !name.contains('@'),
                "{name}"
            );
            assert_eq!(name.len(), "portier:session:".len() + 43);
        }
    })
    .await;
}

#[tokio::test]
async fn a_foreign_record_completes_no_login() {
    let Some(redis) = Redis::start() else { return };
    let broker = broker();
    let client = client(&broker, &redis);
    limited(async {
        for (record, expected) in [
            (r#"{"v":2,"t":1}"#, Code::SessionUnknown),
            (r#"{"v":1}"#, Code::StoreFailed),
            ("[1,1]", Code::StoreFailed),
            ("x", Code::StoreFailed),
            (
                r#"{"v":1,"t":0,"e":"mallory@example.com"}"#,
                Code::SessionEmail,
            ),
        ] {
            let () = redis.tell(&["FLUSHALL"]);
            let id_token = broker.mint(&start(&client).await).unwrap();
            let names = session_names(&redis);
            assert_eq!(names.len(), 1);
            let () = redis.tell(&["SET", &names[0], record, "KEEPTTL"]);
            let error = client.verify(&id_token).await.unwrap_err();
            assert_eq!(error.code(), expected, "{record}");
            // The login is used up nevertheless.
            let error = client.verify(&id_token).await.unwrap_err();
            assert_eq!(error.code(), Code::SessionUsed, "{record}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_text_that_is_too_long_never_reaches_the_store() {
    let Some(redis) = Redis::start() else { return };
    let broker = broker();
    let client = client(&broker, &redis);
    limited(async {
        let mut options = AuthenticateOptions::for_email("alice@example.com");
        options.session = Some("x".repeat(1024 * 1024));
        let error = client.authenticate_with(options).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidOption);
        assert!(session_names(&redis).is_empty());
    })
    .await;
}
