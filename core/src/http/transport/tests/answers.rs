//! Requests and retries.

use super::*;
use crate::tls::Listed;

#[tokio::test]
async fn an_answer_comes_back_whole() {
    let said = answer(200, "etag: \"v1\"\r\n", "{}");
    let (result, server) = outcome([Act::Say(said)], PATIENT).await;
    let response = result.unwrap();
    assert_eq!((response.status, &response.body[..]), (200, &b"{}"[..]));
    assert_eq!(response.headers["etag"], "\"v1\"");
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].starts_with("GET /keys.json HTTP/1.1\r\n"));
    let version = env!("CARGO_PKG_VERSION");
    assert!(requests[0].contains(&format!("user-agent: portier-client/{version}\r\n")));
}

#[tokio::test]
async fn content_encodings_are_not_accepted() {
    for encoding in ["gzip", "br", "zstd", "identity, gzip", "nonsense"] {
        let said = answer(200, &format!("content-encoding: {encoding}\r\n"), "{}");
        let (result, server) = outcome([Act::Say(said)], PATIENT).await;
        assert_eq!(code(&result), Code::BrokerDocument, "{encoding}");
        let request = server.requests()[0].to_ascii_lowercase();
        assert!(!request.contains("accept-encoding"), "{request}");
    }
    let said = answer(200, "content-encoding: Identity\r\n", "{}");
    outcome([Act::Say(said)], PATIENT).await.0.unwrap();
}

#[tokio::test]
async fn the_user_agent_can_be_chosen() {
    let server = Server::start([Act::Say(answer(200, "", "{}"))]).await;
    let options = |user_agent: &str| HttpOptions {
        user_agent: Some(user_agent.to_owned()),
        ..options("http://127.0.0.1")
    };
    let transport = HttpTransport::new(options("example/1.0")).unwrap();
    get(&transport, &server.url()).await.unwrap();
    assert!(server.requests()[0].contains("user-agent: example/1.0\r\n"));
    let error = HttpTransport::new(options("two\r\nlines")).err().unwrap();
    assert_eq!(error.code(), Code::InvalidOption);
}

#[tokio::test]
async fn a_gateway_error_is_retried_once() {
    for status in [502, 503, 504] {
        let script = [
            Act::Say(answer(status, "", "sorry")),
            Act::Say(answer(200, "", "{}")),
        ];
        let (result, server) = outcome(script, PATIENT).await;
        assert_eq!(result.unwrap().status, 200);
        assert_eq!(server.requests().len(), 2);
        let (result, server) = outcome([Act::Say(answer(status, "", ""))], PATIENT).await;
        assert_eq!(result.unwrap().status, status);
        assert_eq!(server.requests().len(), 2);
    }
}

#[tokio::test]
async fn an_answer_with_retry_after_is_not_retried_at_once() {
    let said = answer(503, "retry-after: 5\r\n", "");
    let (result, server) = outcome([Act::Say(said)], PATIENT).await;
    assert_eq!(result.unwrap().headers["retry-after"], "5");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn other_statuses_are_answers() {
    for status in [204, 304, 400, 401, 404, 410, 429, 500, 501, 511] {
        let said = format!("HTTP/1.1 {status} Status\r\nconnection: close\r\n\r\n");
        let (result, server) = outcome([Act::Say(said)], PATIENT).await;
        assert_eq!(result.unwrap().status, status);
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_connection_closed_without_an_answer_is_retried_once() {
    let script = [Act::Say(String::new()), Act::Say(answer(200, "", "{}"))];
    let (result, server) = outcome(script, PATIENT).await;
    assert_eq!(result.unwrap().status, 200);
    assert_eq!(server.requests().len(), 2);
    let (result, server) = outcome([Act::Say(String::new())], PATIENT).await;
    assert_eq!(code(&result), Code::BrokerUnreachable);
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_connection_closed_while_idle_is_replaced() {
    // Each connection serves one request, although the first answer offers to keep it open.
    let server = Server::start([Act::Say(answer(200, "", "{}"))]).await;
    let transport = transport(PATIENT);
    for _ in 0..5 {
        get(&transport, &server.url()).await.unwrap();
    }
    assert_eq!(server.requests().len(), 5);
}

#[tokio::test]
async fn a_refused_connection_is_unreachable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let url = format!("http://{address}/keys.json");
    let result = get(&transport(PATIENT), &url).await;
    assert_eq!(code(&result), Code::BrokerUnreachable);
    let error = result.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no connection to the broker host=127.0.0.1"
    );
    assert!(
        whole(&error).to_lowercase().contains("refused"),
        "{}",
        whole(&error)
    );
}

#[tokio::test]
async fn a_server_without_tls_is_unreachable() {
    let server = Server::start([Act::Say(answer(200, "", "{}"))]).await;
    let url = server.url().replace("http:", "https:");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("https://{}/", listener.local_addr().unwrap());
    assert_eq!(
        code(&get(&transport(HASTY), &silent).await),
        Code::BrokerTimeout
    );
    drop(listener);
    // The request never ends for a server that reads it as text.
    assert_eq!(
        code(&get(&transport(HASTY), &url).await),
        Code::BrokerTimeout
    );
    let error = get(&transport(PATIENT), &silent).await.unwrap_err();
    assert_eq!(error.code(), Code::BrokerUnreachable);
}

#[test]
fn a_transport_serves_one_runtime_after_another() {
    let transport = transport(PATIENT);
    for _ in 0..3 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let script = [Act::SayAndWait(answer(200, "", "{}"))];
            let server = Server::start(script).await;
            get(&transport, &server.url()).await.unwrap();
        });
    }
}

#[test]
fn a_ca_file_without_certificates_is_an_invalid_option() {
    let directory = std::env::temp_dir().join(format!("portier-client-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("ca.pem");
    let with = |text: Option<&str>| {
        match text {
            Some(text) => std::fs::write(&path, text).unwrap(),
            None => drop(std::fs::remove_file(&path)),
        }
        Listed::of_option(Some(&path)).unwrap_err().code()
    };
    let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for text in [Some(""), Some("no PEM"), Some(no_certificate), None] {
        assert_eq!(with(text), Code::InvalidOption, "{text:?}");
    }
    std::fs::remove_dir_all(&directory).unwrap();
}
