use proptest::prelude::*;

use super::*;

fn parse(body: &[u8], broker: &str) -> Result<Discovery> {
    Discovery::parse(body, &Origin::parse(broker, false).unwrap())
}

#[test]
fn vectors() {
    #[derive(serde::Deserialize)]
    struct File {
        cases: Vec<Case>,
    }
    #[derive(serde::Deserialize)]
    struct Case {
        id: String,
        broker: String,
        body: String,
        expect: serde_json::Value,
    }
    let text = include_str!("../../vectors/discovery.json");
    let file: File = serde_json::from_str(text).unwrap();
    assert!(file.cases.len() >= 40);
    for case in &file.cases {
        let understood = match parse(case.body.as_bytes(), &case.broker) {
            Ok(discovery) => {
                assert_eq!(discovery.raw, case.body, "{}", case.id);
                serde_json::json!({
                    "authorization_endpoint": discovery.authorization_endpoint.as_str(),
                    "jwks_uri": discovery.jwks_uri.as_str(),
                    "response_modes": discovery.response_modes,
                    "signing_algorithms": discovery.signing_algorithms,
                    "accepts_signing_alg_param": discovery.accepts_signing_alg_param,
                })
            }
            Err(error) => serde_json::json!({ "code": error.code().as_str() }),
        };
        assert_eq!(understood, case.expect, "{}", case.id);
    }
}

#[test]
fn invalid_utf_8_is_refused() {
    let body = b"{\"authorization_endpoint\":\"https://broker.example/\",\
        \"jwks_uri\":\"https://broker.example/\",\"x\":\"\xff\"}";
    let error = parse(body, "https://broker.example").unwrap_err();
    assert_eq!(error.code(), Code::BrokerDocument);
}

#[test]
fn a_refusal_shows_what_was_found_and_what_was_configured() {
    let endpoints = r#""jwks_uri":"https://broker.example/keys.json""#;
    let auth = r#""authorization_endpoint":"https://broker.example/auth""#;
    for (body, member, found) in [
        (
            format!(r#"{{"issuer":"http://127.0.0.1:3333",{auth},{endpoints}}}"#),
            "issuer",
            "http://127.0.0.1:3333",
        ),
        (
            format!(r#"{{"issuer":"https://Broker.example/",{auth},{endpoints}}}"#),
            "issuer",
            "https://Broker.example/",
        ),
        (
            format!(r#"{{"authorization_endpoint":"/auth",{endpoints}}}"#),
            "authorization_endpoint",
            "/auth",
        ),
        (
            format!(r#"{{{auth},"jwks_uri":"http://broker.example/keys.json"}}"#),
            "jwks_uri",
            "http://broker.example/keys.json",
        ),
        (
            format!(r#"{{{auth},"jwks_uri":"x\ny\u202e"}}"#),
            "jwks_uri",
            "x\\ny\\u{202e}",
        ),
    ] {
        let error = parse(body.as_bytes(), "https://broker.example").unwrap_err();
        let message = error.to_string();
        let values = format!("member={member} found={found} broker=https://broker.example");
        assert!(message.ends_with(&values), "{message}");
    }
}

#[test]
fn a_refusal_shows_no_long_value_and_none_that_may_hold_a_password() {
    let long = "x".repeat(9999);
    for value in ["https://user:word@broker.example/", long.as_str()] {
        let body = format!(r#"{{"authorization_endpoint":"{value}"}}"#);
        let error = parse(body.as_bytes(), "https://broker.example").unwrap_err();
        let message = error.to_string();
        assert!(
            message.contains("member=authorization_endpoint"),
            "{message}"
        );
        assert!(
            !message.contains("word") && message.len() < 500,
            "{message}"
        );
    }
}

#[test]
fn a_web_page_in_place_of_the_document_is_named_as_such() {
    for (body, says_page) in [
        ("<!doctype html><title>Sign in</title>", true),
        ("\r\n <html></html>", true),
        ("Not Found", false),
        ("", false),
    ] {
        let error = parse(body.as_bytes(), "https://broker.example").unwrap_err();
        let message = error.to_string();
        assert_eq!(message.contains("it is a web page"), says_page, "{message}");
        assert!(message.ends_with("member=document"), "{message}");
    }
}

proptest! {
    #[test]
    fn no_bytes_cause_a_panic(body: Vec<u8>) {
        drop(parse(&body, "https://broker.example"));
    }
}
