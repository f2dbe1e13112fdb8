//! The vectors around tokens and key sets: callbacks, configurations, documents, examples of RFCs.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use portier_client::testing::{ManualClock, MockTransport};
use portier_client::{
    Algorithm, AuthenticateOptions, CallbackParams, Client, Code, Error, FieldValue, ResponseMode,
};
use serde_json::{Value, json};

use crate::Vectors;

fn read(name: &str) -> Vectors {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let text = fs::read_to_string(directory.join(name)).unwrap();
    Vectors(serde_json::from_str(&text).unwrap())
}

/// The code of an error, and the claim that is wrong, if there is one.
pub(crate) fn code(error: &Error) -> Value {
    let mut found = json!({ "code": error.code().as_str() });
    if let Some((claim, reason)) = error.claim().zip(error.claim_reason()) {
        found["claim"] = claim.into();
        found["reason"] = reason.as_str().into();
    }
    found
}

#[tokio::test]
async fn callbacks_are_answered_as_the_vectors_say() {
    let vectors = read("callbacks.json");
    for case in vectors.cases() {
        let text = |name: &str| case["start"][name].as_str().map(str::to_owned);
        let mut start = AuthenticateOptions::for_email(vectors.text("login_email"));
        start.session = text("session");
        start.browser = text("browser");
        let client = vectors.started_with(start, &Value::Null).await;
        let mut outcomes = Vec::new();
        for attempt in case["attempts"].as_array().unwrap() {
            let pairs = attempt["params"].as_array().unwrap().iter();
            let pairs = pairs.map(|pair| (pair[0].as_str().unwrap(), field_value(&pair[1])));
            let outcome = match CallbackParams::from_pairs(pairs) {
                Ok(params) => client.complete(params, attempt["browser"].as_str()).await,
                Err(error) => Err(error),
            };
            outcomes.push(match outcome {
                Ok(login) => json!({
                    "email": login.email,
                    "state": login.state,
                    "session": login.session,
                    "same_browser": login.same_browser,
                }),
                Err(error) => code(&error),
            });
        }
        assert_eq!(Value::from(outcomes), case["expect"], "{}", case["id"]);
    }
}

fn field_value(value: &Value) -> FieldValue {
    if let Some(text) = value.as_str() {
        return text.into();
    }
    assert!(value["file"].is_string(), "{value}");
    FieldValue::NotText
}

#[test]
fn configurations_are_judged_as_the_vectors_say() {
    let mut negative = 0;
    let mut wrong = Vec::new();
    for case in read("configurations.json").cases() {
        let outcome = match configured(case) {
            None => {
                negative += 1;
                continue;
            }
            Some(Ok(client)) => json!({
                "redirect_uri": client.redirect_uri(),
                "client_id": client.client_id(),
                "broker": client.broker(),
            }),
            Some(Err(error)) => code(&error),
        };
        if outcome != case["expect"] {
            wrong.push(format!("{} {outcome}", case["id"]));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(negative, 3);
}

/// A client with the options of the case; `None` if one is a duration Rust does not have.
fn configured(case: &Value) -> Option<Result<Client, Error>> {
    let options = &case["options"];
    let mut builder = Client::builder(case["redirect_uri"].as_str().unwrap())
        .broker(case["broker"].as_str().unwrap())
        .transport(Arc::new(MockTransport::new()))
        .clock(Arc::new(ManualClock::at(0)))
        .danger_allow_http(options["danger_allow_http"] == true);
    let seconds = |name: &str| options[name].as_f64().map(Duration::try_from_secs_f64);
    if let Some(leeway) = seconds("leeway") {
        builder = builder.leeway(leeway.ok()?);
    }
    if let Some(ttl) = seconds("session_ttl") {
        builder = builder.session_ttl(ttl.ok()?);
    }
    if let Some(timeout) = seconds("timeout") {
        builder = builder.timeout(timeout.ok()?);
    }
    if let Some(mode) = options["response_mode"].as_str() {
        match mode.parse::<ResponseMode>() {
            Ok(mode) => builder = builder.response_mode(mode),
            Err(error) => return Some(Err(error)),
        }
    }
    if let Some(names) = options["algorithms"].as_array() {
        let parse = |name: &Value| name.as_str().unwrap().parse::<Algorithm>();
        match names.iter().map(parse).collect::<Result<Vec<_>, _>>() {
            Ok(algorithms) => builder = builder.algorithms(algorithms),
            Err(error) => return Some(Err(error)),
        }
    }
    Some(builder.build())
}

#[tokio::test]
async fn broken_documents_are_refused_as_the_vectors_say() {
    let vectors = read("broken_documents.json");
    let broker = vectors.text("broker");
    for case in vectors.cases() {
        let transport = MockTransport::new();
        let url = format!("{broker}/.well-known/openid-configuration");
        let body = case["body"].as_str().unwrap().to_owned();
        transport.respond(&url, 200, &[], body).unwrap();
        let client = Client::builder("https://rp.example/verify")
            .broker(broker)
            .transport(Arc::new(transport))
            .build()
            .unwrap();
        match client.discover().await {
            Ok(document) => {
                assert_eq!(document, case["body"].as_str().unwrap(), "{}", case["id"]);
                assert!(case["expect"]["code"].is_null(), "{}", case["id"]);
            }
            Err(error) => assert_eq!(code(&error), case["expect"], "{}", case["id"]),
        }
    }
}

#[tokio::test]
async fn examples_of_rfcs_are_no_login_tokens() {
    let setting = Vectors::tokens();
    let client = setting.started(&Value::Null).await;
    for case in read("rfc_examples.json").cases() {
        let error = client.verify(case["token"].as_str().unwrap()).await;
        assert_eq!(code(&error.unwrap_err()), case["expect"], "{}", case["id"]);
    }
}

/// The codes that depend on a server, a store or a bug, and not on a document or a token.
const NOT_BY_DATA: [Code; 5] = [
    Code::BrokerTimeout,
    Code::BrokerUnreachable,
    Code::StoreUnavailable,
    Code::StoreFull,
    Code::Internal,
];

#[test]
fn every_code_that_input_data_can_cause_is_in_the_vectors() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let mut seen = HashSet::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        for case in read(path.file_name().unwrap().to_str().unwrap()).cases() {
            let expect = &case["expect"];
            let outcomes = expect
                .as_array()
                .map_or(vec![expect], |all| all.iter().collect());
            let codes = outcomes
                .iter()
                .filter_map(|outcome| outcome["code"].as_str());
            seen.extend(codes.map(str::to_owned));
            let steps = case["steps"].as_array().into_iter().flatten();
            let codes = steps.filter_map(|step| step["expect"]["error"].as_str());
            seen.extend(codes.map(str::to_owned));
        }
    }
    for code in Code::ALL {
        let expected = !NOT_BY_DATA.contains(code);
        assert_eq!(seen.contains(code.as_str()), expected, "{}", code.as_str());
    }
}
