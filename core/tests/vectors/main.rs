//! The vectors of tokens and key sets, through the whole client.
#![cfg(feature = "testing")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail"
)]

mod changes;
mod corpus;
mod logins;
mod oracle;
mod sessions;

use std::error::Error as _;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portier_client::testing::{ManualClock, ManualRandom, MockTransport};
use portier_client::{Algorithm, AuthenticateOptions, CallbackParams, Client, Result};
use serde_json::{Value, json};

use self::corpus::code;

const TOKENS: &str = include_str!("../../vectors/tokens.json");
const KEY_SETS: &str = include_str!("../../vectors/key_sets.json");

/// A file of vectors with its setting: broker, site, session and time.
struct Vectors(Value);

impl Vectors {
    fn tokens() -> Self {
        Self(serde_json::from_str(TOKENS).unwrap())
    }

    fn case(&self, id: &str) -> &Value {
        self.cases().iter().find(|case| case["id"] == id).unwrap()
    }

    fn cases(&self) -> &[Value] {
        self.0["cases"].as_array().unwrap()
    }

    fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap()
    }

    fn seconds(&self, name: &str) -> u64 {
        self.0[name].as_u64().unwrap()
    }

    /// A client whose broker has these keys, and whose clock shows the session's start.
    fn client(&self, keys: &str, options: &Value) -> (Client, Arc<ManualClock>) {
        let transport = MockTransport::new();
        for (name, body) in [
            (
                "/.well-known/openid-configuration",
                self.0["discovery"].to_string(),
            ),
            ("/keys.json", keys.to_owned()),
        ] {
            let url = format!("{}{name}", self.text("broker"));
            transport.respond(&url, 200, &[], body).unwrap();
        }
        let clock = Arc::new(ManualClock::at(self.seconds("session_started_at")));
        let nonce = URL_SAFE_NO_PAD.decode(self.text("nonce")).unwrap();
        let leeway = options["leeway_seconds"].as_u64();
        let leeway = leeway.unwrap_or_else(|| self.seconds("leeway_seconds"));
        let mut builder = Client::builder(self.text("redirect_uri"))
            .broker(self.text("broker"))
            .leeway(Duration::from_secs(leeway))
            .idp(options["idp"] == true)
            .transport(Arc::new(transport))
            .clock(clock.clone())
            .random(Arc::new(ManualRandom::new([nonce])));
        if let Some(names) = options["algorithms"].as_array() {
            let parse = |name: &Value| name.as_str().unwrap().parse::<Algorithm>().unwrap();
            builder = builder.algorithms(names.iter().map(parse));
        }
        (builder.build().unwrap(), clock)
    }

    /// A client for which the login has started, at the time of the callback.
    async fn started(&self, options: &Value) -> Client {
        let start = AuthenticateOptions::for_email(self.text("login_email"));
        self.started_with(start, options).await
    }

    async fn started_with(&self, start: AuthenticateOptions, options: &Value) -> Client {
        let keys = self.0["key_set"].to_string();
        let (client, clock) = self.client(&keys, options);
        let url = client.authenticate_with(start).await.unwrap();
        assert!(url.contains(self.text("nonce")), "{url}");
        clock.set(UNIX_EPOCH + Duration::from_secs(self.seconds("now")));
        client
    }

    /// Completes the login with the case's token.
    async fn replay(&self, case: &Value) -> Result<Value> {
        let client = self.started(&case["options"]).await;
        let token = case["token"].as_str().unwrap();
        if token.is_empty() {
            // In a form, this is a missing token.
            return client.verify(token).await.map(Value::from);
        }
        let params = CallbackParams::from_pairs([("id_token", token)])?;
        let login = client.complete(params, None).await?;
        Ok(json!({
            "email": login.email,
            "email_original": login.email_original,
            "issued_at": login.issued_at,
            "auth_time": login.auth_time,
        }))
    }
}

#[tokio::test]
async fn tokens_are_judged_as_the_vectors_say() {
    let vectors = Vectors::tokens();
    let mut wrong = Vec::new();
    for case in vectors.cases() {
        let outcome = vectors
            .replay(case)
            .await
            .unwrap_or_else(|error| code(&error));
        if !agree(&outcome, &case["expect"]) {
            wrong.push(format!("{} {outcome}", case["id"]));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A forged token must not take a login from the person who started it.
#[tokio::test]
async fn a_refused_token_leaves_the_login_of_others_pending() {
    let vectors = Vectors::tokens();
    let good = |id| vectors.case(id)["token"].as_str().unwrap();
    let mut refused = 0;
    for case in vectors.cases() {
        // Only the broker can sign a token with another address for this nonce; such a token uses
        // the login up.
        if case["expect"]["email"].is_string() || case["expect"]["code"] == "session_email" {
            continue;
        }
        let client = vectors.started(&case["options"]).await;
        let outcome = client.verify(case["token"].as_str().unwrap()).await;
        outcome.expect_err(case["id"].as_str().unwrap());
        let only_eddsa = case["options"]["algorithms"] == json!(["EdDSA"]);
        let token = good(if only_eddsa { "eddsa" } else { "rs256-2048" });
        let email = client.verify(token).await.unwrap();
        assert_eq!(email, "alice@example.com", "{}", case["id"]);
        refused += 1;
    }
    assert!(refused > 700, "{refused}");
}

/// Whether two outcomes are equal, ignoring the format of numbers.
fn agree(outcome: &Value, expect: &Value) -> bool {
    let members = |value: &Value| value.as_object().map_or(0, serde_json::Map::len);
    let same = |(name, value): (&String, &Value)| match value.as_f64() {
        Some(number) => expect[name].as_f64() == Some(number),
        None => expect[name] == *value,
    };
    members(outcome) == members(expect) && outcome.as_object().unwrap().iter().all(same)
}

#[tokio::test]
async fn key_sets_are_read_as_the_vectors_say() {
    let vectors = Vectors::tokens();
    let file: Value = serde_json::from_str(KEY_SETS).unwrap();
    let mut wrong = Vec::new();
    for case in file["cases"].as_array().unwrap() {
        let (client, _) = vectors.client(case["body"].as_str().unwrap(), &Value::Null);
        let outcome = match client.keys().await {
            Ok(keys) => json!({ "keys": keys }),
            Err(error) => code(&error),
        };
        if outcome != case["expect"] {
            wrong.push(format!("{} {outcome}", case["id"]));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn no_message_quotes_the_token() {
    let vectors = Vectors::tokens();
    for case in vectors.cases() {
        let Err(error) = vectors.replay(case).await else {
            continue;
        };
        let message = error.to_string();
        for secret in ["alice", "mallory", "AQIDBAUG", "rsa-", "evil", "eyJ"] {
            assert!(!message.contains(secret), "{} {message}", case["id"]);
        }
        assert!(error.source().is_none(), "{}", case["id"]);
    }
}
