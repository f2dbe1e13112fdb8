//! The client against a server that misbehaves, over real sockets.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::path::PathBuf;
use std::time::Duration;

use portier_client::doctor::{DoctorOptions, FindingId, examine};
use portier_client::testing::{Act, Authority, DeafServer, FaultServer, control};
use portier_client::{Client, Code};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A short time limit, for tests that wait for it.
const HASTY: Duration = Duration::from_millis(500);
/// A long time limit, which no test reaches.
const PATIENT: Duration = Duration::from_secs(30);

/// The error of `warm()`; `None` if it succeeds.
async fn warmed(origin: &str, timeout: Duration, ca_file: Option<PathBuf>) -> Option<Code> {
    let mut builder = Client::builder("https://example.com/verify")
        .broker(origin)
        .timeout(timeout);
    if let Some(path) = ca_file {
        builder = builder.ca_file(path);
    }
    let client = builder.build().unwrap();
    let warmed = tokio::time::timeout(PATIENT * 2, client.warm())
        .await
        .unwrap();
    warmed.err().map(|error| error.code())
}

/// The authority's certificate in a file, as long as this lives.
struct CaFile(PathBuf);

impl CaFile {
    fn new(authority: &Authority, name: &str) -> Self {
        let process = std::process::id();
        let path = std::env::temp_dir().join(format!("portier-client-{process}-{name}.pem"));
        std::fs::write(&path, authority.pem()).unwrap();
        Self(path)
    }
}

impl Drop for CaFile {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}

fn discovery(server: &FaultServer) -> Act {
    let origin = server.origin();
    let body = json!({
        "authorization_endpoint": format!("{origin}/auth"),
        "jwks_uri": format!("{origin}/keys.json"),
    });
    Act::answer(200, &[("connection", "close")], &body.to_string())
}

const KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":"one",
    "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

#[tokio::test]
async fn documents_come_from_a_server_that_behaves() {
    let server = FaultServer::start().await.unwrap();
    let keys = Act::answer(200, &[], KEYS);
    server.script([[Act::Read, discovery(&server)], [Act::Read, keys]]);
    assert_eq!(warmed(server.origin(), PATIENT, None).await, None);
    assert!(server.requests()[1].starts_with("GET /keys.json HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_network_that_drops_all_packets_is_a_timeout() {
    let server = DeafServer::start().await.unwrap();
    let outcome = warmed(server.origin(), HASTY, None).await;
    assert_eq!(outcome, Some(Code::BrokerTimeout));
}

#[tokio::test]
async fn a_handshake_that_stalls_is_a_timeout() {
    let server = FaultServer::start().await.unwrap();
    server.script([[Act::Wait]]);
    let origin = server.origin().replace("http:", "https:");
    assert_eq!(
        warmed(&origin, HASTY, None).await,
        Some(Code::BrokerTimeout)
    );
}

#[tokio::test]
async fn old_versions_and_null_ciphers_are_refused() {
    for (version, cipher) in [(1, [0x00, 0x2f]), (2, [0x00, 0x2f]), (3, [0x00, 0x3b])] {
        let mut hello = vec![22, 3, version, 0, 42, 2, 0, 0, 38, 3, version];
        hello.extend([7; 32]);
        hello.extend([0, cipher[0], cipher[1], 0]);
        let server = FaultServer::start().await.unwrap();
        server.script([[Act::Send(hello), Act::Wait]]);
        let origin = server.origin().replace("http:", "https:");
        let outcome = warmed(&origin, PATIENT, None).await;
        assert_eq!(outcome, Some(Code::BrokerUnreachable), "{version}");
        // There is one retry, and no weaker protocol.
        assert_eq!(server.connections(), 2);
    }
}

#[tokio::test]
async fn a_truncated_body_without_a_length_is_refused() {
    let server = FaultServer::start().await.unwrap();
    let half = Act::send(format!(
        "HTTP/1.1 200 OK\r\n\r\n{}",
        &KEYS[..KEYS.len() - 1]
    ));
    server.script([[Act::Read, discovery(&server)], [Act::Read, half]]);
    let outcome = warmed(server.origin(), PATIENT, None).await;
    assert_eq!(outcome, Some(Code::BrokerDocument));
}

#[tokio::test]
async fn a_slow_body_does_not_extend_the_deadline() {
    let server = FaultServer::start().await.unwrap();
    let head = Act::send("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n");
    let drip = Act::Drip {
        bytes: vec![b' '; 1000],
        every: Duration::from_millis(20),
    };
    server.script([[Act::Read, head, drip]]);
    let outcome = warmed(server.origin(), HASTY, None).await;
    assert_eq!(outcome, Some(Code::BrokerTimeout));
}

#[tokio::test]
async fn http_2_is_not_spoken() {
    let authority = Authority::new().unwrap();
    let ca = CaFile::new(&authority, "http-2");
    let certificate = authority.certificate("127.0.0.1").unwrap();
    let both = certificate.clone().protocols(&["h2", "http/1.1"]);
    let server = FaultServer::start_tls(&both).await.unwrap();
    let keys = Act::answer(200, &[], KEYS);
    server.script([[Act::Read, discovery(&server)], [Act::Read, keys]]);
    assert_eq!(
        warmed(server.origin(), PATIENT, Some(ca.0.clone())).await,
        None
    );

    let only = FaultServer::start_tls(&certificate.protocols(&["h2"]))
        .await
        .unwrap();
    let outcome = warmed(only.origin(), PATIENT, Some(ca.0.clone())).await;
    assert_eq!(outcome, Some(Code::BrokerUnreachable));

    // SETTINGS and GOAWAY.
    let plain = FaultServer::start().await.unwrap();
    let frames = b"\0\0\0\x04\0\0\0\0\0\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0";
    plain.script([[Act::Read, Act::send(frames)]]);
    let outcome = warmed(plain.origin(), PATIENT, None).await;
    assert_eq!(outcome, Some(Code::BrokerUnreachable));
}

#[tokio::test]
async fn a_server_is_controlled_by_lines_of_json() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let port = tokio::spawn(control::serve(listener));
    let (reading, mut writing) = TcpStream::connect(address).await.unwrap().into_split();
    let mut answers = BufReader::new(reading).lines();
    let mut told = async |command: Value| -> Value {
        let line = format!("{command}\n");
        writing.write_all(line.as_bytes()).await.unwrap();
        let answer = answers.next_line().await.unwrap().unwrap();
        serde_json::from_str(&answer).unwrap()
    };
    let early = told(json!("report")).await;
    assert_eq!(early["error"], "the server was not started");
    assert!(told(json!({ "no": 1 })).await["error"].is_string());
    let origin = told(json!({ "start": {} })).await["origin"].clone();
    let script = json!({ "script": [
        ["read", { "answer": { "status": 500, "headers": [["connection", "close"]] } }],
        ["read", "reset"],
    ] });
    assert_eq!(told(script).await, json!({}));
    let origin = origin.as_str().unwrap();
    let outcome = warmed(origin, PATIENT, None).await;
    assert_eq!(outcome, Some(Code::BrokerStatus));
    let outcome = warmed(origin, PATIENT, None).await;
    assert_eq!(outcome, Some(Code::BrokerUnreachable));
    assert_eq!(
        told(json!("report")).await["requests"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    let secure = told(json!({ "start": { "host": "127.0.0.1" } })).await;
    assert!(
        secure["ca"]
            .as_str()
            .unwrap()
            .starts_with("-----BEGIN CERTIFICATE-----")
    );
    let deaf = told(json!({ "start": { "deaf": true } })).await["origin"].clone();
    let outcome = warmed(deaf.as_str().unwrap(), HASTY, None).await;
    assert_eq!(outcome, Some(Code::BrokerTimeout));
    port.abort();
}

#[tokio::test]
async fn the_doctor_finds_a_certificate_that_is_not_trusted() {
    let certificate = Authority::new().unwrap().certificate("127.0.0.1").unwrap();
    let server = FaultServer::start_tls(&certificate).await.unwrap();
    let mut options = DoctorOptions::new("https://example.com/verify");
    options.broker = Some(server.origin().to_owned());
    let report = examine(options).await;
    assert!(
        report.has(FindingId::BrokerCertificate),
        "{}",
        report.to_text(false)
    );
}
