//! Callbacks: the bytes of a form, as a browser posts it. `TOKEN` in a value becomes a good token.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::LazyLock;

use portier_client::{CallbackParams, Client, Code};
use url::form_urlencoded;

use crate::quiet::says_nothing_of;
use crate::setting::{EMAIL, Options, VECTORS, started, wait};

/// The result of a form follows from the protocol's parameters in it.
pub fn run(bytes: &[u8]) {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(bytes)
        .map(|(name, value)| (name.into_owned(), value.replace("TOKEN", good_token())))
        .collect();
    let read = CallbackParams::from_pairs(pairs.clone());
    let mut values: HashMap<&str, Vec<&str>> = HashMap::new();
    for (name, value) in &pairs {
        values.entry(name).or_default().push(value);
    }
    let once = CallbackParams::NAMES.map(|name| values.remove(name).unwrap_or_default());
    let params = match read {
        Ok(params) => params,
        Err(error) => {
            assert_eq!(error.code(), Code::TokenMalformed);
            assert!(once.iter().any(|values| values.len() > 1));
            return says_nothing_of(&error, &once.concat());
        }
    };
    assert!(once.iter().all(|values| values.len() <= 1));
    let given = once.map(|values| values.first().copied());
    let fields = [
        &params.id_token,
        &params.code,
        &params.state,
        &params.error,
        &params.error_description,
    ];
    assert_eq!(fields.map(|field| field.as_deref()), given);
    complete(
        params.clone(),
        given.map(|value| value.filter(|value| !value.is_empty())),
    );
}

fn complete(params: CallbackParams, given: [Option<&str>; 5]) {
    let [token, code, state, error, description] = given;
    let too_long = given[1..].iter().flatten().any(|value| value.len() > 4096);
    thread_local! {
        static STARTED: RefCell<Option<Client>> = const { RefCell::new(None) };
    }
    let client = STARTED.take().unwrap_or_else(|| started(Options::USUAL));
    match wait(client.complete(params, None)) {
        Ok(login) => {
            assert!(!too_long && error.is_none() && token == Some(good_token()));
            assert_eq!(
                (login.email.as_str(), login.state.as_deref()),
                (EMAIL, state)
            );
        }
        Err(refusal) => {
            says_nothing_of(&refusal, &given.into_iter().flatten().collect::<Vec<_>>());
            assert_eq!(client.stats().pending, Some(1));
            STARTED.set(Some(client));
            let answer = refusal.broker_answer();
            let answer = answer.map(|it| (it.error.as_str(), it.description.as_deref()));
            let expected = error
                .filter(|_| !too_long)
                .map(|error| (error, description));
            assert_eq!(answer, expected);
            match refusal.code() {
                Code::BrokerError => assert!(answer.is_some()),
                Code::MissingToken => {
                    let has_grant = token.is_some() || (code.is_some() && state.is_some());
                    assert!(!too_long && error.is_none() && !has_grant);
                }
                Code::TokenMalformed if too_long => {}
                _ => assert!(!too_long && error.is_none() && token != Some(good_token())),
            }
        }
    }
}

fn good_token() -> &'static str {
    static TOKEN: LazyLock<&str> = LazyLock::new(|| {
        let mut cases = VECTORS["cases"].as_array().unwrap().iter();
        let case = cases.find(|case| case["id"] == "eddsa").unwrap();
        case["token"].as_str().unwrap()
    });
    *TOKEN
}
