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
    let text = include_str!("../../../tests/vectors/discovery.json");
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
fn fet_41_what_is_not_utf_8_is_refused() {
    let body = b"{\"authorization_endpoint\":\"https://broker.example/\",\
        \"jwks_uri\":\"https://broker.example/\",\"x\":\"\xff\"}";
    let error = parse(body, "https://broker.example").unwrap_err();
    assert_eq!(error.code(), Code::BrokerDocument);
}

#[test]
fn messages_name_the_member_and_not_its_value() {
    let body = br#"{"authorization_endpoint":"https://user:word@broker.example/"}"#;
    let message = parse(body, "https://broker.example")
        .unwrap_err()
        .to_string();
    assert!(
        message.ends_with("member=authorization_endpoint"),
        "{message}"
    );
    assert!(!message.contains("word"), "{message}");
}

proptest! {
    #[test]
    fn any_octets_are_survived(body: Vec<u8>) {
        drop(parse(&body, "https://broker.example"));
    }
}
