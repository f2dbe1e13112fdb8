//! The authorization URLs of `tests/vectors/authorization_urls.json`.
#![cfg(feature = "testing")]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portier_client::testing::{ManualClock, ManualRandom, MockTransport};
use portier_client::{Algorithm, AuthenticateOptions, Client};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Vectors {
    broker: String,
    nonce: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    redirect_uri: String,
    options: Options,
    discovery: Value,
    authenticate: Start,
    expect: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    response_mode: Option<String>,
    algorithms: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {
    email: Option<String>,
    state: Option<String>,
    browser: Option<String>,
}

#[tokio::test]
async fn vectors_are_answered_as_expected() {
    let text = include_str!("../vectors/authorization_urls.json");
    let vectors: Vectors = serde_json::from_str(text).unwrap();
    for case in &vectors.cases {
        let mut options = AuthenticateOptions::default();
        options.email.clone_from(&case.authenticate.email);
        options.state.clone_from(&case.authenticate.state);
        options.browser.clone_from(&case.authenticate.browser);
        let outcome = match client(&vectors, case).authenticate_with(options).await {
            Ok(url) => json!({ "url": url }),
            Err(error) => json!({ "code": error.code().as_str() }),
        };
        assert_eq!(outcome, case.expect, "{}", case.id);
    }
}

fn client(vectors: &Vectors, case: &Case) -> Client {
    let transport = MockTransport::new();
    let url = format!("{}/.well-known/openid-configuration", vectors.broker);
    transport
        .respond(&url, 200, &[], case.discovery.to_string())
        .unwrap();
    let nonce = URL_SAFE_NO_PAD.decode(&vectors.nonce).unwrap();
    let mut builder = Client::builder(&case.redirect_uri)
        .broker(&vectors.broker)
        .clock(Arc::new(ManualClock::at(1_790_000_000)))
        .random(Arc::new(ManualRandom::new([nonce])))
        .transport(Arc::new(transport));
    if let Some(mode) = &case.options.response_mode {
        builder = builder.response_mode(mode.parse().unwrap());
    }
    if let Some(names) = &case.options.algorithms {
        let algorithms = names.iter().map(|name| name.parse::<Algorithm>().unwrap());
        builder = builder.algorithms(algorithms);
    }
    builder.build().unwrap()
}
