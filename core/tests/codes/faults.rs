//! The token endpoint of a broker that misbehaves, over real sockets.

use std::time::Duration;

use portier_client::testing::{Act, FaultServer};
use portier_client::{CallbackParams, Client, Code, Error, Flow};
use serde_json::json;
use url::Url;

/// A short time limit, for tests that wait for it.
const HASTY: Duration = Duration::from_secs(1);
/// A long time limit, which no test reaches.
const PATIENT: Duration = Duration::from_secs(30);
const JSON: (&str, &str) = ("content-type", "application/json");
const CLOSE: (&str, &str) = ("connection", "close");
const KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":"one",
    "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

/// The result of a login if the token endpoint behaves like this, and the number of token requests.
async fn outcome(acts: Vec<Act>, timeout: Duration) -> (Error, usize) {
    let server = FaultServer::start().await.unwrap();
    let origin = server.origin();
    let document = json!({
        "authorization_endpoint": format!("{origin}/auth"),
        "jwks_uri": format!("{origin}/keys.json"),
        "token_endpoint": format!("{origin}/token"),
        "response_types_supported": ["id_token", "code"],
        "response_modes_supported": ["form_post", "query"],
    });
    server.script([
        vec![Act::Read, Act::answer(200, &[CLOSE], &document.to_string())],
        vec![Act::Read, Act::answer(200, &[CLOSE], KEYS)],
        acts,
    ]);
    let client = Client::builder("https://example.com/verify")
        .broker(origin)
        .flow(Flow::Code)
        .timeout(timeout)
        .build()
        .unwrap();
    client.warm().await.unwrap();
    let url = client.authenticate("alice@example.com").await.unwrap();
    let url = Url::parse(&url).unwrap();
    let (_, state) = url.query_pairs().find(|(name, _)| name == "state").unwrap();
    let fields = [("code", "the code"), ("state", &state)];
    let params = CallbackParams::from_pairs(fields).unwrap();
    let first = client.complete(params.clone(), None);
    let first = tokio::time::timeout(PATIENT * 2, first).await.unwrap();
    let first = first.unwrap_err();
    let heads = server.requests();
    let posts = heads.iter().filter(|head| head.starts_with("POST /token"));
    let posts = posts.count();
    // The login is still pending: it is not used, and the broker is asked again.
    let second = client.complete(params, None);
    let second = tokio::time::timeout(PATIENT * 2, second).await.unwrap();
    assert_eq!(second.unwrap_err().code(), first.code());
    (first, posts)
}

#[tokio::test]
async fn a_token_request_that_may_have_been_received_is_not_repeated() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n";
    for (acts, code) in [
        (vec![Act::Read, Act::Cut], Code::BrokerUnreachable),
        (vec![Act::Read, Act::Reset], Code::BrokerUnreachable),
        (
            vec![Act::Read, Act::send(&head[..20]), Act::Cut],
            Code::BrokerUnreachable,
        ),
        (
            vec![Act::Read, Act::send(head), Act::Cut],
            Code::BrokerDocument,
        ),
        (
            vec![Act::Read, Act::send(head), Act::send("{"), Act::Reset],
            Code::BrokerDocument,
        ),
        (
            vec![Act::Read, Act::send("not HTTP\r\n\r\n")],
            Code::BrokerUnreachable,
        ),
    ] {
        let (error, requests) = outcome(acts.clone(), PATIENT).await;
        assert_eq!((error.code(), requests), (code, 1), "{acts:?}");
    }
}

#[tokio::test]
async fn a_slow_token_endpoint_is_given_up_in_time() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n";
    let drip = Act::Drip {
        bytes: vec![b' '; 1000],
        every: Duration::from_millis(20),
    };
    for acts in [
        vec![Act::Read, Act::Wait],
        vec![Act::Read, Act::send(head), Act::Wait],
        vec![Act::Read, Act::send(head), drip],
    ] {
        let (error, requests) = outcome(acts.clone(), HASTY).await;
        assert_eq!(
            (error.code(), requests),
            (Code::BrokerTimeout, 1),
            "{acts:?}"
        );
        assert!(error.retryable());
    }
}

#[tokio::test]
async fn an_invalid_answer_is_refused() {
    let answer = |headers: &[(&str, &str)], body: &str| Act::answer(200, headers, body);
    let endless = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
    for (acts, code) in [
        (
            vec![answer(
                &[JSON],
                r#"{"id_token":"a.b.c","id_token":"a.b.c"}"#,
            )],
            Code::BrokerDocument,
        ),
        (
            vec![answer(&[JSON], r#"{"id_token":["a.b.c"]}"#)],
            Code::BrokerDocument,
        ),
        (
            vec![answer(&[JSON], r#"[{"id_token":"a.b.c"}]"#)],
            Code::BrokerDocument,
        ),
        (
            vec![answer(
                &[("content-type", "text/html")],
                r#"{"id_token":"a.b.c"}"#,
            )],
            Code::BrokerDocument,
        ),
        (vec![answer(&[JSON], "")], Code::BrokerDocument),
        (
            vec![Act::send(endless), Act::Repeat(vec![b' '; 4096])],
            Code::BrokerDocument,
        ),
    ] {
        let acts = [vec![Act::Read], acts].concat();
        let (error, requests) = outcome(acts, PATIENT).await;
        assert_eq!((error.code(), requests), (code, 1), "{error}");
    }
}
