//! Stores that make the nonces themselves.
#![cfg(feature = "testing")]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portier_client::testing::{DevBroker, DevBrokerOptions, MintOptions};
use portier_client::{
    AuthenticateOptions, BoxFuture, CallbackParams, Client, Code, Error, NonceStore, Result,
    SessionKey, Store, Taken,
};

/// Makes nonces, and keeps an address with each.
#[derive(Default)]
struct Nonces {
    nonce: String,
    addresses: Mutex<HashMap<String, String>>,
}

impl Store for Nonces {
    fn put<'a>(&'a self, _: &'a SessionKey, _: String, _: Duration) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Err(unused()) })
    }

    fn take<'a>(&'a self, _: &'a SessionKey) -> BoxFuture<'a, Result<Taken>> {
        Box::pin(async { Err(unused()) })
    }

    fn nonces(&self) -> Option<&dyn NonceStore> {
        Some(self)
    }
}

impl NonceStore for Nonces {
    fn create<'a>(&'a self, email: &'a str) -> BoxFuture<'a, Result<String>> {
        Box::pin(async move {
            let mut addresses = self.addresses.lock().unwrap();
            addresses.insert(self.nonce.clone(), email.to_owned());
            Ok(self.nonce.clone())
        })
    }

    fn consume<'a>(&'a self, nonce: &'a str, email: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let address = self.addresses.lock().unwrap().remove(nonce);
            let unknown = || Error::new(Code::SessionUnknown, "no such nonce");
            (address.as_deref() == Some(email))
                .then_some(())
                .ok_or_else(unknown)
        })
    }
}

fn unused() -> Error {
    Error::new(Code::Internal, "the store has nonces of its own")
}

fn client(nonce: &str) -> (DevBroker, Client) {
    let broker = DevBroker::spawn(DevBrokerOptions::default()).unwrap();
    let store = Nonces {
        nonce: nonce.to_owned(),
        ..Nonces::default()
    };
    let client = Client::builder("https://example.com/verify")
        .broker(broker.origin())
        .store(Arc::new(store))
        .build()
        .unwrap();
    (broker, client)
}

#[tokio::test]
async fn a_login_works_once_with_a_nonce_of_the_store() {
    let (broker, client) = client("drawn by the store");
    let url = client.authenticate("Alice@example.com").await.unwrap();
    assert!(url.contains("nonce=drawn%20by%20the%20store"));
    let token = broker.mint(&MintOptions::for_url(&url).unwrap()).unwrap();
    assert_eq!(client.verify(&token).await.unwrap(), "alice@example.com");
    let again = client.verify(&token).await.unwrap_err();
    assert_eq!(again.code(), Code::SessionUnknown);
}

#[tokio::test]
async fn options_that_a_store_of_nonces_cannot_keep_are_refused() {
    let (_broker, client) = client("nonce");
    let mut with_session = AuthenticateOptions::for_email("alice@example.com");
    with_session.session = Some("/members".into());
    let mut with_browser = AuthenticateOptions::for_email("alice@example.com");
    with_browser.browser = Some("secret".into());
    for options in [with_session, with_browser, AuthenticateOptions::default()] {
        let error = client.authenticate_with(options).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidOption);
    }
}

#[tokio::test]
async fn a_nonce_of_the_store_is_never_a_binding() {
    // As long as a bound nonce of this library.
    let (broker, client) = client(&"A".repeat(54));
    let url = client.authenticate("alice@example.com").await.unwrap();
    let token = broker.mint(&MintOptions::for_url(&url).unwrap()).unwrap();
    let params = CallbackParams::from_pairs([("id_token", token)]).unwrap();
    let error = client
        .complete(params.clone(), Some("secret"))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::InvalidOption);
    let login = client.complete(params, None).await.unwrap();
    assert!(!login.same_browser, "and nothing was used up");
}

#[tokio::test]
async fn an_invalid_nonce_is_refused() {
    for nonce in [String::new(), "x".repeat(513)] {
        let (_broker, client) = client(&nonce);
        let error = client.authenticate("alice@example.com").await.unwrap_err();
        assert_eq!(error.code(), Code::StoreFailed);
    }
}

#[tokio::test]
async fn the_key_set_comes_as_the_broker_sent_it() {
    let (_broker, client) = client("nonce");
    let key_set: serde_json::Value =
        serde_json::from_str(&client.key_set().await.unwrap()).unwrap();
    let keys = key_set["keys"].as_array().unwrap().len();
    assert_eq!(keys, client.keys().await.unwrap().len());
}
