//! The time of a broker and of its clients, moved by a test that made none of the clients.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use portier_client::testing::{DevBroker, DevBrokerOptions, ManualClock, MintOptions};
use portier_client::web::{SessionCookie, SessionOptions};
use portier_client::{
    AuthenticateOptions, BoxFuture, Builder, CallbackParams, Client, Clock as _, Code, Flow,
    MemoryStore, Result, SessionKey, Store, SystemClock, Taken,
};

use crate::site::{KEYS, code};

const REDIRECT_URI: &str = "http://localhost:8888/verify";
const SECRET: &[u8] = b"WkT1vS7mQ9x4LhR2nYcB8dGpJ6fZaE3u";
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn spawn() -> DevBroker {
    DevBroker::spawn(DevBrokerOptions::default()).unwrap()
}

fn builder(broker: &DevBroker) -> Builder {
    Client::builder(REDIRECT_URI).broker(broker.origin())
}

fn brought_back(broker: &DevBroker, url: &str) -> CallbackParams {
    let (_, fields) = broker.sign_in(url).unwrap();
    CallbackParams::from_pairs(fields).unwrap()
}

/// A store that ignores how long a login may stay pending.
#[derive(Default)]
struct Forever(Mutex<HashMap<[u8; 32], String>>);

impl Store for Forever {
    fn put<'a>(
        &'a self,
        key: &'a SessionKey,
        record: String,
        _: Duration,
    ) -> BoxFuture<'a, Result<()>> {
        self.0.lock().unwrap().insert(*key.as_bytes(), record);
        Box::pin(async { Ok(()) })
    }

    fn take<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Taken>> {
        let record = self.0.lock().unwrap().remove(key.as_bytes());
        Box::pin(async { Ok(record.map_or(Taken::Unknown, Taken::Record)) })
    }
}

#[tokio::test]
async fn a_login_that_takes_too_long_expires_in_every_store() {
    let stores: [fn(Builder) -> Builder; 4] = [
        |builder| builder,
        |builder| builder.store(Arc::new(MemoryStore::new(Arc::new(SystemClock::new())))),
        |builder| builder.store(Arc::new(Forever::default())),
        |builder| builder.secret(SECRET),
    ];
    for (number, with_store) in stores.into_iter().enumerate() {
        for flow in [Flow::Code, Flow::Implicit] {
            let broker = spawn();
            let client = with_store(builder(&broker).flow(flow)).build().unwrap();
            for (minutes, is_late) in [(29, false), (31, true)] {
                let mut options = AuthenticateOptions::for_email("alice@example.com");
                options.browser = Some("the secret of a browser".to_owned());
                let url = client.authenticate_with(options).await.unwrap();
                broker.advance_time(minutes * MINUTE).unwrap();
                let params = brought_back(&broker, &url);
                let outcome = client.complete(params, Some("the secret of a browser"));
                let expected = match (is_late, number) {
                    (false, _) => "no error",
                    (true, 3) => "session_expired",
                    (true, _) => "session_unknown",
                };
                assert_eq!(code(outcome.await), expected, "{number} {flow:?} {minutes}");
            }
        }
    }
}

#[tokio::test]
async fn a_token_and_a_code_expire() {
    let broker = spawn();
    for (flow, expected) in [
        (Flow::Implicit, Code::TokenExpired),
        (Flow::Code, Code::CodeRefused),
    ] {
        let client = builder(&broker).flow(flow).build().unwrap();
        let url = client.authenticate("alice@example.com").await.unwrap();
        let params = brought_back(&broker, &url);
        broker.advance_time(15 * MINUTE).unwrap();
        let error = client.complete(params, None).await.err().unwrap();
        assert_eq!(error.code(), expected);
    }
}

#[tokio::test]
async fn documents_expire() {
    let broker = spawn();
    let client = builder(&broker).build().unwrap();
    client.warm().await.unwrap();
    client.keys().await.unwrap();
    assert_eq!(broker.requests().get(KEYS), Some(&1));
    broker.advance_time(2 * DAY).unwrap();
    client.keys().await.unwrap();
    assert_eq!(broker.requests().get(KEYS), Some(&2));
}

#[tokio::test]
async fn sessions_expire() {
    let broker = spawn();
    let client = builder(&broker).build().unwrap();
    let options = SessionOptions::new(vec![SECRET.to_vec()]);
    let sessions = SessionCookie::new(client, &options).unwrap();
    let (_, set_cookie) = sessions.start("alice@example.com").unwrap();
    let cookie = set_cookie.split(';').next().unwrap();
    broker.advance_time(13 * DAY).unwrap();
    assert!(sessions.read(Some(cookie)).is_some());
    broker.advance_time(2 * DAY).unwrap();
    assert!(sessions.read(Some(cookie)).is_none());
}

#[tokio::test]
async fn a_client_that_was_made_before_its_broker_has_the_same_time() {
    let (origin, port) = {
        let broker = spawn();
        (broker.origin().to_owned(), broker.port())
    };
    let client = Client::builder(REDIRECT_URI).broker(&origin).build();
    let client = client.unwrap();
    let broker = DevBroker::spawn(DevBrokerOptions {
        port,
        ..DevBrokerOptions::default()
    })
    .unwrap();
    let url = client.authenticate("alice@example.com").await.unwrap();
    broker.advance_time(31 * MINUTE).unwrap();
    let params = brought_back(&broker, &url);
    assert_eq!(code(client.complete(params, None).await), "session_unknown");
}

#[tokio::test]
async fn a_frozen_time_is_the_time_of_tokens() {
    let broker = spawn();
    let client = builder(&broker).build().unwrap();
    let then = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    broker.freeze_time(Some(then)).unwrap();
    let url = client.authenticate("alice@example.com").await.unwrap();
    let login = client.complete(brought_back(&broker, &url), None).await;
    let difference = login.unwrap().issued_at - 1e9;
    assert!(difference.abs() < 0.5);
    assert_eq!(broker.now(), then);
    broker.resume_time();
    assert!(broker.now() > then + DAY);
    let url = client.authenticate("alice@example.com").await.unwrap();
    client.verify(&mint(&broker, &url)).await.unwrap();
}

#[tokio::test]
async fn the_clients_of_another_broker_are_not_affected() {
    let (moved, other) = (spawn(), spawn());
    moved.advance_time(DAY).unwrap();
    let client = builder(&other).build().unwrap();
    let url = client.authenticate("alice@example.com").await.unwrap();
    client.verify(&mint(&other, &url)).await.unwrap();
    let difference = moved.now().duration_since(other.now()).unwrap();
    assert!(difference + MINUTE > DAY);
}

#[test]
fn a_broker_that_stops_returns_to_the_time_of_the_system() {
    let broker = spawn();
    broker.advance_time(DAY).unwrap();
    broker.stop();
    let ahead = broker.now().duration_since(SystemClock::new().now());
    assert!(ahead.unwrap_or_default() < MINUTE);
}

#[test]
fn a_broker_whose_clients_are_elsewhere_cannot_move_the_time() {
    for options in [
        DevBrokerOptions {
            origin: Some("https://broker.example".to_owned()),
            ..DevBrokerOptions::default()
        },
        DevBrokerOptions {
            clock: Some(Arc::new(ManualClock::at(1))),
            ..DevBrokerOptions::default()
        },
    ] {
        let broker = DevBroker::spawn(options).unwrap();
        let before = broker.now();
        for refused in [broker.advance_time(DAY), broker.freeze_time(None)] {
            assert_eq!(refused.unwrap_err().code(), Code::InvalidOption);
        }
        broker.resume_time();
        assert!(broker.now() < before + DAY);
    }
}

fn mint(broker: &DevBroker, url: &str) -> String {
    broker.mint(&MintOptions::for_url(url).unwrap()).unwrap()
}
