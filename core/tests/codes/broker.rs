//! A failing broker, and brokers with more or fewer features than the code flow needs.

use std::sync::Arc;
use std::time::Duration;

use portier_client::testing::{DevBrokerOptions, Fault, MockTransport};
use portier_client::{Client, Code, Flow};

use crate::{HERE, Site, sites};

#[tokio::test]
async fn a_failing_broker_uses_no_login_up() {
    for site in sites() {
        let json = ("content-type".to_owned(), "application/json".to_owned());
        for (status, body, headers, code) in [
            (503, "", vec![], Code::BrokerStatus),
            (429, "", vec![], Code::BrokerStatus),
            (500, "", vec![], Code::BrokerStatus),
            (400, "not JSON", vec![], Code::BrokerStatus),
            (
                302,
                "",
                vec![("location".to_owned(), "/token".to_owned())],
                Code::BrokerStatus,
            ),
            (
                307,
                "",
                vec![("location".to_owned(), "/token".to_owned())],
                Code::BrokerStatus,
            ),
            (200, "{}", vec![json.clone()], Code::BrokerDocument),
            (200, "not JSON", vec![json.clone()], Code::BrokerDocument),
            (200, r#"{"id_token":"a.b.c"}"#, vec![], Code::BrokerDocument),
            (
                200,
                r#"{"id_token":7}"#,
                vec![json.clone()],
                Code::BrokerDocument,
            ),
            (
                200,
                r#"{"id_token":"a.b.c"}"#,
                vec![json.clone()],
                Code::TokenMalformed,
            ),
            (
                400,
                r#"{"error":"invalid_client"}"#,
                vec![json.clone()],
                Code::BrokerError,
            ),
            (
                401,
                r#"{"error":"invalid_client"}"#,
                vec![json.clone()],
                Code::BrokerError,
            ),
            (
                400,
                r#"{"error":"invalid_grant"}"#,
                vec![json.clone()],
                Code::CodeRefused,
            ),
        ] {
            let params = site.answer(Some(HERE)).await;
            let before = site.token_requests();
            let fault = Fault {
                status: Some(status),
                body: Some(body.to_owned()),
                headers,
                ..Fault::default()
            };
            site.broker.fail_next("/token", 1, fault);
            let error = site.refused(&params, Some(HERE)).await;
            assert_eq!(error.code(), code, "{status} {body}");
            assert_eq!(site.token_requests(), before + 1, "one try, no redirect");
            // The code was not redeemed: the same callback completes the login.
            site.complete(&params, Some(HERE)).await.unwrap();
        }
    }
}

#[tokio::test]
async fn no_code_is_redeemed_while_the_keys_are_unavailable() {
    for site in sites() {
        let params = site.answer(Some(HERE)).await;
        let fault = Fault {
            status: Some(500),
            ..Fault::default()
        };
        site.broker.fail_next("/keys.json", 1, fault);
        let error = site.refused(&params, Some(HERE)).await;
        assert_eq!(error.code(), Code::BrokerStatus);
        assert_eq!(site.token_requests(), 0);
        // The broker is asked again after a pause.
        site.clock.advance(Duration::from_secs(60));
        site.complete(&params, Some(HERE)).await.unwrap();
    }
}

#[tokio::test]
async fn a_slow_broker_is_given_up() {
    let site = Site::with(DevBrokerOptions::default(), |builder| {
        builder.timeout(Duration::from_secs(5))
    });
    site.client.warm().await.unwrap();
    let params = site.answer(Some(HERE)).await;
    site.broker.hold("/token");
    let error = site.refused(&params, Some(HERE)).await;
    assert_eq!(error.code(), Code::BrokerTimeout);
    assert!(error.retryable());
    site.broker.release("/token");
}

#[tokio::test]
async fn a_call_that_is_dropped_completes_nothing() {
    for site in sites() {
        let params = site.answer(Some(HERE)).await;
        site.client.warm().await.unwrap();
        site.broker.hold("/token");
        let call = site.complete(&params, Some(HERE));
        assert!(
            tokio::time::timeout(Duration::from_millis(200), call)
                .await
                .is_err()
        );
        site.broker.release("/token");
        let error = site
            .complete(&params, Some(HERE))
            .await
            .err()
            .map(|error| error.code());
        assert!(matches!(error, None | Some(Code::CodeRefused)));
    }
}

#[tokio::test]
async fn a_broker_with_pkce_gets_a_challenge_and_its_verifier() {
    let options = DevBrokerOptions {
        pkce: true,
        ..DevBrokerOptions::default()
    };
    let site = Site::with(options, |builder| builder);
    let url = site.start(Some(HERE)).await;
    assert!(url.contains("code_challenge_method=S256"));
    let params = site.sign_in(&url);
    site.complete(&params, Some(HERE)).await.unwrap();

    let stolen = site.start(Some(HERE)).await;
    let (before, rest) = stolen.split_once("code_challenge=").unwrap();
    let changed = format!("{before}code_challenge=A{}", &rest[1..]);
    let error = site.refused(&site.sign_in(&changed), Some(HERE)).await;
    assert_eq!(error.code(), Code::CodeRefused);
}

#[tokio::test]
async fn a_broker_without_codes_is_reported_and_the_implicit_flow_works() {
    let transport = Arc::new(MockTransport::new());
    let document = r#"{"issuer":"https://broker.example","authorization_endpoint":"https://broker.example/auth",
        "jwks_uri":"https://broker.example/keys.json","token_endpoint":"https://broker.example/token",
        "response_types_supported":["id_token"],"response_modes_supported":["form_post","query"]}"#;
    let url = "https://broker.example/.well-known/openid-configuration";
    transport.respond(url, 200, &[], document).unwrap();
    let builder = Client::builder("https://example.com/verify")
        .broker("https://broker.example")
        .transport(transport);
    let codes = builder.clone().flow(Flow::Code).build().unwrap();
    let error = codes.authenticate("alice@example.com").await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidOption);
    let implicit = builder.build().unwrap();
    let url = implicit.authenticate("alice@example.com").await.unwrap();
    assert!(url.contains("response_type=id_token"));
}
