//! Settings from the environment of the process. It cannot be changed from within, so each request
//! is made in a child process.

use std::process::{Command, Stdio};

use super::tls::{Authority, VALID, document};
use super::*;

const URL: &str = "PORTIER_CLIENT_TEST_URL";
/// Set for requests that must time out early.
const IN_HASTE: &str = "PORTIER_CLIENT_TEST_IN_HASTE";
const THIS: &str = "http::transport::tests::environment::child";

/// In a child process, makes the request; does nothing if it runs as an ordinary test.
#[tokio::test]
async fn child() {
    let Ok(url) = std::env::var(URL) else {
        return;
    };
    let origin = url.parse::<url::Url>().unwrap().origin();
    let timeout = match std::env::var_os(IN_HASTE) {
        Some(_) => HASTY,
        None => PATIENT,
    };
    let options = options(&origin.ascii_serialization());
    let transport = HttpTransport::new(HttpOptions { timeout, ..options });
    match get(&transport.unwrap(), &url).await {
        Ok(response) => println!("<status={}>", response.status),
        Err(error) => println!("<{}: {}>", error.code().as_str(), whole(&error)),
    }
}

/// The result of a request in a process with these variables.
async fn in_environment(url: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", THIS, "--nocapture"])
        .env_clear()
        .env(URL, url)
        .envs(variables.iter().copied())
        .stderr(Stdio::null());
    // The server runs in the same runtime.
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

/// Only the message of the error, with its code.
async fn error_in_environment(url: &str, variables: &[(&str, &str)]) -> String {
    let outcome = in_environment(url, variables).await;
    assert!(!outcome.contains("hunter2"), "{outcome}");
    let (message, _) = outcome.split_once(" host=").expect(&outcome);
    message.to_owned()
}

#[tokio::test]
async fn an_unreachable_proxy_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    for (url, name, scheme) in [
        ("http://broker.test/", "http_proxy", "http"),
        ("https://broker.test/", "HTTPS_PROXY", "http"),
        ("https://broker.test/", "HTTPS_PROXY", "https"),
        ("https://broker.test/", "ALL_PROXY", "socks5h"),
    ] {
        let proxy = format!("{scheme}://someone:hunter2@{address}");
        let message = error_in_environment(url, &[(name, &proxy)]).await;
        assert_eq!(
            message,
            format!("broker_unreachable: no connection to the proxy proxy={address}")
        );
    }
}

#[tokio::test]
async fn a_proxy_whose_name_cannot_be_resolved_is_named() {
    // A label that is too long is not sent to a name server.
    let name = format!("{}.test", "x".repeat(64));
    for scheme in ["http", "socks5h"] {
        let proxy = format!("{scheme}://someone:hunter2@{name}:3128");
        let message =
            error_in_environment("https://broker.test/", &[("https_proxy", &proxy)]).await;
        assert_eq!(
            message,
            format!("broker_unreachable: the proxy's name cannot be resolved proxy={name}:3128")
        );
    }
}

#[tokio::test]
async fn a_refusal_of_the_proxy_is_not_taken_for_one_of_the_broker() {
    for (status, fact) in [
        (403, "the proxy did not connect to the broker"),
        (502, "the proxy did not connect to the broker"),
        (407, "the proxy requires a valid user name and password"),
    ] {
        let proxy = Server::start([Act::Say(answer(status, "", "no"))]).await;
        let variable = format!("http://someone:hunter2@{}", proxy.address);
        let variables = [("HTTPS_PROXY", &*variable)];
        let message = error_in_environment("https://broker.test/", &variables);
        let expected = format!("broker_unreachable: {fact} proxy={}", proxy.address);
        assert_eq!(message.await, expected);
        let request = proxy.requests().remove(0);
        assert!(request.starts_with("CONNECT broker.test:443 "), "{request}");
        // "someone:hunter2" in base64 (RFC 7617).
        assert!(request.contains("Basic c29tZW9uZTpodW50ZXIy"), "{request}");
    }
    let proxy = Server::start([Act::Say(answer(407, "", "no"))]).await;
    let variable = format!("http://{}", proxy.address);
    let message = error_in_environment("http://broker.test/", &[("http_proxy", &variable)]).await;
    assert!(
        message.contains("the proxy requires a valid user name"),
        "{message}"
    );
}

#[tokio::test]
async fn a_proxy_that_hangs_is_named() {
    for url in ["http://broker.test/", "https://broker.test/"] {
        let proxy = Server::start([Act::SayAndWait(String::new())]).await;
        let variable = format!("http://someone:hunter2@{}", proxy.address);
        let variables = [(IN_HASTE, "1"), ("ALL_PROXY", &variable)];
        let outcome = in_environment(url, &variables).await;
        assert!(outcome.starts_with("broker_timeout: "), "{outcome}");
        assert!(
            outcome.contains(&format!("proxy={}", proxy.address)),
            "{outcome}"
        );
    }
}

#[tokio::test]
async fn an_invalid_proxy_is_not_bypassed() {
    // Anything that answers at the broker's address would count as the broker.
    let server = Server::start([Act::Say(answer(200, "", "{}"))]).await;
    let url = format!(
        "http://0.0.0.0:{}/",
        server.address.split_once(':').unwrap().1
    );
    assert_eq!(in_environment(&url, &[]).await, "status=200");
    for value in ["http://", "ftp://someone:hunter2@127.0.0.1:9", "no proxy"] {
        let outcome = in_environment(&url, &[("http_proxy", value)]).await;
        assert!(
            outcome.starts_with("broker_unreachable: the environment variable http_proxy "),
            "{outcome}"
        );
        assert!(!outcome.contains("hunter2"), "{outcome}");
        let except = [("http_proxy", value), ("NO_PROXY", "0.0.0.0")];
        assert_eq!(in_environment(&url, &except).await, "status=200");
    }
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn quotation_marks_and_spaces_around_the_value_of_a_proxy_are_ignored() {
    let proxy = Server::start([Act::Say(answer(200, "", "{}"))]).await;
    for value in [
        format!("http://{}\n", proxy.address),
        format!(" \"{}\" ", proxy.address),
    ] {
        let outcome = in_environment("http://broker.test/", &[("http_proxy", &value)]).await;
        assert_eq!(outcome, "status=200", "{value:?}");
    }
    assert_eq!(proxy.requests().len(), 2);
}

#[tokio::test]
async fn socks_proxies_are_used() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        // RFC 1928 and RFC 1929: a user name and a password, and a name to connect to.
        let mut greeting = [0; 3];
        stream.read_exact(&mut greeting).await.unwrap();
        assert_eq!(greeting, [5, 1, 2]);
        stream.write_all(&[5, 2]).await.unwrap();
        let mut credentials = [0; 17];
        stream.read_exact(&mut credentials).await.unwrap();
        assert_eq!(&credentials, b"\x01\x07someone\x07hunter2");
        stream.write_all(&[1, 0]).await.unwrap();
        let mut target = [0; 18];
        stream.read_exact(&mut target).await.unwrap();
        assert_eq!(&target, b"\x05\x01\0\x03\x0bbroker.test\0P");
        let granted = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        stream.write_all(&granted).await.unwrap();
        let act = Act::Say(answer(200, "", "{}"));
        serve(stream, act, Arc::default()).await;
    });
    let proxy = format!("socks5h://someone:hunter2@{address}");
    let outcome = in_environment("http://broker.test/", &[("ALL_PROXY", &proxy)]).await;
    assert_eq!(outcome, "status=200");
    tasks.join_next().await.unwrap().unwrap();
}

#[tokio::test]
async fn without_a_trust_store_there_is_no_https_but_plain_http() {
    let server = Server::start([Act::Say(answer(200, "", "{}"))]).await;
    let nowhere = [("SSL_CERT_FILE", "/nowhere"), ("SSL_CERT_DIR", "/nowhere")];
    assert_eq!(in_environment(&server.url(), &nowhere).await, "status=200");
}

/// On other systems the variables are not read.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_variable_without_authorities_is_named_with_its_path() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    let folder = std::env::temp_dir().join(format!("portier-client-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    std::fs::write(path("empty.pem"), "").unwrap();
    let mode = Mode::RUSR | Mode::WUSR;
    mknodat(CWD, path("pipe"), FileType::Fifo, mode, 0).unwrap();
    let (file, directory) = ("SSL_CERT_FILE", "SSL_CERT_DIR");
    let here = folder.to_str().unwrap();
    for (variables, fact) in [
        (
            vec![(file, "/nowhere/ca.pem\n".to_owned())],
            "SSL_CERT_FILE names a file that does not exist path=/nowhere/ca.pem\\n".to_owned(),
        ),
        (
            vec![(file, path("empty.pem"))],
            format!(
                "SSL_CERT_FILE names a file that is empty path={}",
                path("empty.pem")
            ),
        ),
        (
            vec![(file, path("pipe"))],
            format!(
                "SSL_CERT_FILE names a pipe, which can be read only once; name a file path={}",
                path("pipe")
            ),
        ),
        (
            vec![(file, here.to_owned())],
            format!("SSL_CERT_FILE names a file that is a folder, not a file path={here}"),
        ),
        (
            vec![(file, String::new())],
            "SSL_CERT_FILE is set and empty; unset it".to_owned(),
        ),
        (
            vec![(directory, "/nowhere".to_owned())],
            "SSL_CERT_DIR names a folder that does not exist path=/nowhere".to_owned(),
        ),
        (
            vec![(directory, here.to_owned())],
            format!("SSL_CERT_DIR names a folder without certificates path={here}"),
        ),
    ] {
        let variables: Vec<_> = variables
            .iter()
            .map(|(name, value)| (*name, &**value))
            .collect();
        let outcome = in_environment("https://127.0.0.1/", &variables).await;
        let begins = format!(
            "broker_unreachable: TLS cannot be set up: there are no certificate authorities; {fact}"
        );
        assert!(outcome.starts_with(&begins), "{outcome}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn a_variable_of_other_programs_is_named_where_a_certificate_is_refused() {
    let authority = Authority::new("of-others");
    let server = authority.server("127.0.0.1", VALID, document()).await;
    for name in ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"] {
        for (value, is_named) in [("/etc/corporate.pem", true), ("", false)] {
            let outcome = in_environment(&server.url(), &[(name, value)]).await;
            assert!(outcome.contains("list it in ca_file"), "{outcome}");
            let fact = format!("; {name} is set, but is not read here");
            assert_eq!(outcome.contains(&fact), is_named, "{outcome}");
        }
    }
    assert!(server.requests().is_empty());
}

/// As a text editor on Windows saves it.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_of_authorities_may_begin_with_a_byte_order_mark() {
    let authority = Authority::new("marked");
    let server = authority.server("127.0.0.1", VALID, document()).await;
    let text = std::fs::read_to_string(&authority.file).unwrap();
    std::fs::write(&authority.file, format!("\u{feff}{text}")).unwrap();
    let file = authority.file.to_str().unwrap();
    let outcome = in_environment(&server.url(), &[("SSL_CERT_FILE", file)]).await;
    assert_eq!(outcome, "status=200");
}
