//! What the environment of the process decides. It cannot be changed from within, so the request is
//! made in a child.

use std::process::{Command, Stdio};

use super::*;

const URL: &str = "PORTIER_CLIENT_TEST_URL";
const THIS: &str = "http::transport::tests::environment::child";

/// Makes the request it is told to make; does nothing when it runs as a test like any other.
#[tokio::test]
async fn child() {
    let Ok(url) = std::env::var(URL) else {
        return;
    };
    let origin = url.parse::<url::Url>().unwrap().origin();
    let transport = HttpTransport::new(options(&origin.ascii_serialization()));
    match get(&transport.unwrap(), &url).await {
        Ok(response) => println!("<status={}>", response.status),
        Err(error) => println!("<{}: {error}>", error.code().as_str()),
    }
}

/// What the request comes to in a process with these variables.
async fn in_environment(url: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", THIS, "--nocapture"])
        .env_clear()
        .env(URL, url)
        .envs(variables.iter().copied())
        .stderr(Stdio::null());
    // The server that answers runs in this very runtime.
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = String::from_utf8(output.await.unwrap().stdout).unwrap();
    let (_, outcome) = output.split_once('<').expect(&output);
    outcome.split('>').next().unwrap().to_owned()
}

#[tokio::test]
async fn proxies_are_those_of_the_environment() {
    let proxy = Server::start([Act::Say(answer(200, "", "{}"))]).await;
    let address = format!("http://{}", proxy.address);
    for name in ["http_proxy", "ALL_PROXY"] {
        let outcome = in_environment("http://broker.test/keys.json", &[(name, &address)]).await;
        assert_eq!(outcome, "status=200", "{name}");
    }
    let requests = proxy.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests[0].starts_with("GET http://broker.test/keys.json HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_broker_on_this_machine_is_not_asked_through_a_proxy() {
    let server = Server::start([Act::Say(answer(200, "", "{}"))]).await;
    let outcome = in_environment(&server.url(), &[("http_proxy", "http://127.0.0.1:9")]).await;
    assert_eq!(outcome, "status=200");
}

#[tokio::test]
async fn fet_60_a_dead_proxy_is_unreachable_and_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let proxy = format!("http://someone:word@{address}");
    for (url, name) in [
        ("http://broker.test/", "http_proxy"),
        ("https://broker.test/", "HTTPS_PROXY"),
    ] {
        let outcome = in_environment(url, &[(name, &proxy)]).await;
        assert_eq!(
            outcome,
            "broker_unreachable: no connection to the broker; the environment sets a proxy \
             host=broker.test"
        );
    }
}

#[tokio::test]
async fn fet_63_without_a_trust_store_there_is_no_https_but_plain_http() {
    let server = Server::start([Act::Say(answer(200, "", "{}"))]).await;
    let nowhere = [("SSL_CERT_FILE", "/nowhere"), ("SSL_CERT_DIR", "/nowhere")];
    assert_eq!(in_environment(&server.url(), &nowhere).await, "status=200");
    let secure = server.url().replace("http:", "https:");
    let outcome = in_environment(&secure, &nowhere).await;
    assert_eq!(
        outcome,
        "broker_unreachable: TLS cannot be set up; is a trust store installed"
    );
}
