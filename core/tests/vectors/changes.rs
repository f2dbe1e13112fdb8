//! Changes that must matter, and changes that must not.

use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use portier_client::{Client, Code};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use crate::Vectors;

const KEY: &str = include_str!("../../../tests/keys/ed25519-a.pem");

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Whether the client takes the token.
fn verdict(runtime: &Runtime, client: &Client, token: &str) -> Result<String, Code> {
    runtime
        .block_on(client.verify(token))
        .map_err(|error| error.code())
}

#[test]
fn a_token_with_any_other_octet_is_refused() {
    let vectors = Vectors::tokens();
    let runtime = runtime();
    let client = runtime.block_on(vectors.started(&Value::Null));
    let tokens = ["rs256-2048", "eddsa"].map(|id| vectors.case(id)["token"].as_str().unwrap());
    let changes = (0..tokens.len(), any::<prop::sample::Index>(), 0_u8..128);
    TestRunner::default()
        .run(&changes, |(token, place, octet)| {
            let mut octets = tokens[token].as_bytes().to_vec();
            let place = place.index(octets.len());
            prop_assume!(octets[place] != octet);
            octets[place] = octet;
            let other = String::from_utf8(octets).unwrap();
            prop_assert!(verdict(&runtime, &client, &other).is_err());
            Ok(())
        })
        .unwrap();
    // None of them used up the login.
    assert!(verdict(&runtime, &client, tokens[0]).is_ok());
}

#[test]
fn the_order_of_members_and_white_space_change_no_verdict() {
    let vectors = Vectors::tokens();
    let runtime = runtime();
    let payload = vectors.case("eddsa")["token"].as_str().unwrap();
    let payload = payload.split('.').nth(1).unwrap();
    let payload: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    let members: Vec<_> = payload.as_object().unwrap().clone().into_iter().collect();
    let changes = (
        Just(members).prop_shuffle(),
        prop::collection::vec("[ \n\r\t]{0,3}", 40),
        any::<bool>(),
    );
    TestRunner::default()
        .run(&changes, |(mut members, spaces, wrong)| {
            if wrong {
                members.retain(|(name, _)| name != "email");
            }
            let client = runtime.block_on(vectors.started(&Value::Null));
            let outcome = verdict(&runtime, &client, &signed(&spelt(&members, &spaces)));
            let expected = if wrong {
                Err(Code::TokenClaim)
            } else {
                Ok("alice@example.com".to_owned())
            };
            prop_assert_eq!(outcome, expected);
            Ok(())
        })
        .unwrap();
}

/// The object, with white space wherever there may be some.
fn spelt(members: &[(String, Value)], spaces: &[String]) -> String {
    let mut spaces = spaces.iter().cycle();
    let mut text = String::new();
    let mut put = |piece: &str| {
        text.push_str(spaces.next().unwrap());
        text.push_str(piece);
    };
    put("{");
    for (index, (name, value)) in members.iter().enumerate() {
        if index > 0 {
            put(",");
        }
        put(&Value::from(name.as_str()).to_string());
        put(":");
        put(&value.to_string());
    }
    put("}");
    put("");
    text
}

fn signed(payload: &str) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","kid":"ed-a"}"#);
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(payload));
    let base64: String = KEY.lines().filter(|line| !line.starts_with('-')).collect();
    let pair = Ed25519KeyPair::from_pkcs8(&STANDARD.decode(base64).unwrap()).unwrap();
    let signature = URL_SAFE_NO_PAD.encode(pair.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}
