//! Changes of a token that must change the verdict, and changes that must not.

use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use portier_client::{CallbackParams, Client, Code};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use crate::Vectors;

const KEY: &str = include_str!("../../keys/ed25519-a.pem");

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Whether the client accepts the token.
fn verdict(runtime: &Runtime, client: &Client, token: &str) -> Result<String, Code> {
    runtime
        .block_on(client.verify(token))
        .map_err(|error| error.code())
}

/// All changes of one byte: each ASCII byte at each position, as replacement and as insertion, and each removal.
#[test]
fn a_token_with_any_other_byte_is_refused() {
    let vectors = Vectors::tokens();
    let runtime = runtime();
    let client = runtime.block_on(vectors.started(&Value::Null));
    let tokens = ["rs256-2048", "eddsa"].map(|id| vectors.case(id)["token"].as_str().unwrap());
    let is_refused = |before: &str, changed: &str, after: &str| {
        let other = [before, changed, after].concat();
        assert!(verdict(&runtime, &client, &other).is_err(), "{other}");
    };
    for token in tokens {
        for place in 0..token.len() {
            let (before, rest) = token.split_at(place);
            is_refused(before, "", &rest[1..]);
            for byte in (0..128).map(char::from) {
                let byte = byte.to_string();
                if byte != rest[..1] {
                    is_refused(before, &byte, &rest[1..]);
                }
                is_refused(before, &byte, rest);
            }
        }
        for byte in (0..128).map(char::from) {
            is_refused(token, &byte.to_string(), "");
        }
    }
    // None of them used up the login.
    assert!(verdict(&runtime, &client, tokens[0]).is_ok());
}

#[test]
fn the_order_of_members_and_white_space_change_no_verdict() {
    let vectors = Vectors::tokens();
    let runtime = runtime();
    let parts = vectors.case("eddsa")["token"].as_str().unwrap().split('.');
    let mut parts = parts.map(|part| members(&URL_SAFE_NO_PAD.decode(part).unwrap()));
    let changes = (
        Just(parts.next().unwrap()).prop_shuffle(),
        Just(parts.next().unwrap()).prop_shuffle(),
        prop::collection::vec("[ \n\r\t]{0,3}", 40),
        any::<bool>(),
    );
    TestRunner::default()
        .run(&changes, |(header, mut payload, spaces, wrong)| {
            if wrong {
                payload.retain(|(name, _)| name != "email");
            }
            let client = runtime.block_on(vectors.started(&Value::Null));
            let token = signed(&spelt(&header, &spaces), &spelt(&payload, &spaces));
            let outcome = verdict(&runtime, &client, &token);
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

fn members(object: &[u8]) -> Vec<(String, Value)> {
    let object: Value = serde_json::from_slice(object).unwrap();
    object.as_object().unwrap().clone().into_iter().collect()
}

/// The object, with white space wherever it is allowed.
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

fn signed(header: &str, payload: &str) -> String {
    let signed = [header, payload]
        .map(|part| URL_SAFE_NO_PAD.encode(part))
        .join(".");
    let base64: String = KEY.lines().filter(|line| !line.starts_with('-')).collect();
    let pair = Ed25519KeyPair::from_pkcs8(&STANDARD.decode(base64).unwrap()).unwrap();
    let signature = URL_SAFE_NO_PAD.encode(pair.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

#[test]
fn the_order_of_parameters_does_not_change_the_result() {
    let vectors = Vectors::tokens();
    let runtime = runtime();
    let token = vectors.case("eddsa")["token"].as_str().unwrap();
    let text = || prop::option::of(".{0,20}");
    let pair = |name: &'static str, value: Option<String>| value.map(|value| (name, value));
    let forms = (text(), text(), text()).prop_flat_map(move |(state, error, description)| {
        let pairs = [
            pair("state", state),
            pair("error", error),
            pair("error_description", description),
            pair("id_token", Some(token.to_owned())),
            pair("code", Some("x".to_owned())),
            pair("ID_TOKEN", Some("x".to_owned())),
        ];
        Just(pairs.into_iter().flatten().collect::<Vec<_>>()).prop_shuffle()
    });
    TestRunner::default()
        .run(&forms, |form| {
            let said = |name: &str| {
                let (_, value) = form.iter().find(|(other, _)| *other == name)?;
                Some(value.clone()).filter(|value| !value.is_empty())
            };
            let client = runtime.block_on(vectors.started(&Value::Null));
            let params = CallbackParams::from_pairs(form.clone()).unwrap();
            match runtime.block_on(client.complete(params, None)) {
                Ok(login) => prop_assert_eq!((said("error"), said("state")), (None, login.state)),
                Err(error) => {
                    let answer = error.broker_answer().unwrap();
                    prop_assert_eq!(said("error"), Some(answer.error.clone()));
                    prop_assert_eq!(said("error_description"), answer.description.clone());
                    prop_assert_eq!(client.stats().pending, Some(1));
                }
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_repeated_parameter_is_refused() {
    let names = prop::sample::select(CallbackParams::NAMES.to_vec());
    let repeated = (names, ".{0,20}", ".{0,20}", 0..5_usize);
    TestRunner::default()
        .run(&repeated, |(name, first, second, between)| {
            let mut form = vec![("code", "x".to_owned()); between];
            form.insert(0, (name, first));
            form.push((name, second));
            let error = CallbackParams::from_pairs(form).unwrap_err();
            prop_assert_eq!(error.code(), Code::TokenMalformed);
            Ok(())
        })
        .unwrap();
}
