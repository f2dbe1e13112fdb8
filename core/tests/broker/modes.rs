//! How the development broker responds: to everybody, to some addresses, by a script.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use portier_client::testing::{
    DevBroker, DevBrokerOptions, Fault, KeyChoice, Mode, Scenario, SignInOptions,
};
use portier_client::{Algorithm, AuthenticateOptions, CallbackParams, Code, Flow, Login, Result};

use crate::site::{Browser, DISCOVERY, Site, code};

/// Signs in without a browser.
async fn sign_in(site: &Site, options: &SignInOptions) -> Result<Login> {
    let url = site.client.authenticate("alice@example.com").await?;
    let (_, fields) = site.broker.sign_in_with(&url, options).unwrap();
    let params = CallbackParams::from_pairs(fields).unwrap();
    site.client.complete(params, None).await
}

fn mode(text: &str) -> Mode {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_sign_in_without_a_browser_can_fail_in_both_flows() {
    for flow in [Flow::Code, Flow::Implicit] {
        let site = Site::with(Mode::Page, |builder| builder.flow(flow));
        for (text, expected) in [
            ("accept", "no error"),
            ("page", "no error"),
            ("expired", "token_expired"),
            ("refuse", "broker_error"),
            ("error:server_error", "broker_error"),
            ("as:mallory@example.com", "session_email"),
        ] {
            let options = SignInOptions {
                mode: mode(text),
                ..SignInOptions::default()
            };
            let outcome = sign_in(&site, &options).await;
            assert_eq!(code(outcome), expected, "{flow:?} {text}");
        }
        let other = SignInOptions {
            email: Some("Alice@Example.com".to_owned()),
            ..SignInOptions::default()
        };
        // The address has to be the typed one, letter by letter.
        assert_eq!(code(sign_in(&site, &other).await), "session_email");
    }
}

#[tokio::test]
async fn an_error_has_the_code_that_was_asked_for() {
    let site = Site::with(mode("error:temporarily_unavailable"), |builder| builder);
    let error = site.log_in("alice@example.com").await.err().unwrap();
    let answer = error.broker_answer().unwrap();
    assert_eq!(answer.error, "temporarily_unavailable");
}

#[tokio::test]
async fn accounts_have_their_own_modes() {
    let site = Site::with(Mode::Page, |builder| builder);
    for (pattern, text) in [
        ("*@blocked.example", "refuse"),
        ("friend@blocked.example", "accept"),
        ("late@example.com", "expired"),
    ] {
        site.broker.set_account(pattern, mode(text)).unwrap();
    }
    for (email, expected) in [
        ("eve@blocked.example", "broker_error"),
        ("Friend@blocked.example", "no error"),
        ("late@example.com", "token_expired"),
    ] {
        assert_eq!(code(site.log_in(email).await), expected, "{email}");
    }
    let refused = site.broker.set_account("no address", Mode::Accept);
    assert_eq!(refused.unwrap_err().code(), Code::InvalidOption);
}

#[tokio::test]
async fn an_address_that_is_typed_on_the_page_has_its_mode_too() {
    let site = Site::with(Mode::Page, |builder| builder);
    site.broker
        .set_account("eve@example.com", Mode::Refuse)
        .unwrap();
    let url = site
        .client
        .authenticate_with(AuthenticateOptions::default())
        .await;
    let url = url.unwrap();
    let browser = Browser::new();
    let asked = browser.open(&url).await;
    let typed = [("email", "eve@example.com"), ("answer", "continue")];
    let page = browser.submit(&asked, &typed).await;
    let outcome = site.client.complete(page.callback(), None).await;
    assert_eq!(code(outcome), "broker_error");
}

#[tokio::test]
async fn the_next_logins_follow_a_script() {
    let site = Site::new();
    site.broker.next_logins([Mode::Expired, Mode::Refuse]);
    for expected in ["token_expired", "broker_error", "no error", "no error"] {
        assert_eq!(code(site.log_in("alice@example.com").await), expected);
    }
}

#[tokio::test]
async fn a_broker_can_be_unreachable_for_a_while() {
    let site = Site::new();
    // A connection that is open is closed, too.
    let browser = Browser::new();
    browser.open(site.broker.origin()).await;
    site.broker.set_reachable(false);
    let outcome = site.log_in("alice@example.com").await;
    assert_eq!(code(outcome), "broker_unreachable");
    assert!(browser.try_open(site.broker.origin()).await.is_none());
    assert_eq!(site.requests("/"), 1);
    site.broker.set_reachable(true);
    site.advance(60);
    site.log_in("alice@example.com").await.unwrap();
}

#[test]
fn an_unreachable_broker_handles_no_request_of_an_open_connection() {
    let broker = DevBroker::spawn(DevBrokerOptions::default()).unwrap();
    let address = broker.origin().strip_prefix("http://").unwrap().to_owned();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(&address).unwrap();
        let request = format!("GET /ver.txt HTTP/1.1\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
        let before = broker.requests();
        broker.set_reachable(false);
        // It may have been closed already.
        let _ = stream.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(!String::from_utf8_lossy(&answer).contains("200 OK"));
        assert_eq!(broker.requests(), before);
        broker.set_reachable(true);
    }
}

#[tokio::test]
async fn a_reset_undoes_everything_but_the_keys() {
    let site = Site::new();
    let broker = &site.broker;
    let key = || broker.key_id(KeyChoice::Current, Algorithm::Rs256);
    let before = key().unwrap();
    broker.set_mode(Mode::Refuse);
    broker.set_account("*", Mode::Refuse).unwrap();
    broker.next_logins([Mode::Refuse]);
    broker.hold(DISCOVERY);
    broker.set_reachable(false);
    let fault = Fault {
        status: Some(404),
        ..Fault::default()
    };
    broker.fail_next(DISCOVERY, 5, fault);
    broker.reset();
    assert!(broker.requests().is_empty());
    assert!(broker.inbox().is_empty());
    site.log_in("alice@example.com").await.unwrap();
    assert_eq!(key().unwrap(), before);
}

const SCRIPT: &str = r#"{
    "mode": "refuse",
    "accounts": {"alice@example.com": "accept", "*@example.com": "expired"},
    "logins": ["error:server_error", "as:mallory@example.com"],
    "faults": {"/.well-known/openid-configuration": {"status": 503, "requests": 2}}
}"#;

#[tokio::test]
async fn a_script_sets_modes_accounts_next_logins_and_faults() {
    let site = Site::new();
    site.broker
        .apply(Scenario::from_json(SCRIPT).unwrap())
        .unwrap();
    for (email, expected) in [
        ("alice@example.com", "broker_status"),
        ("alice@example.com", "broker_error"),
        ("alice@example.com", "session_email"),
        ("alice@example.com", "no error"),
        ("bob@example.com", "token_expired"),
        ("bob@example.org", "broker_error"),
    ] {
        let outcome = site.log_in(email).await;
        assert_eq!(code(outcome), expected, "{email}");
        if expected == "broker_status" {
            site.advance(60);
        }
    }
}

#[tokio::test]
async fn a_script_can_be_sent_while_the_broker_runs() {
    let site = Site::new();
    let url = format!("{}/scenario", site.broker.origin());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let sent = http.put(&url).body(r#"{"logins": ["refuse"]}"#).send();
    assert_eq!(sent.await.unwrap().status(), 204);
    let outcome = site.log_in("alice@example.com").await;
    assert_eq!(code(outcome), "broker_error");
    let wrong = http
        .put(&url)
        .body(r#"{"login": []}"#)
        .send()
        .await
        .unwrap();
    assert_eq!(wrong.status(), 400);
    assert!(wrong.text().await.unwrap().contains("unknown field"));
    // A form of any site could send this.
    let posted = http.post(&url).body("{}").send().await.unwrap();
    assert_eq!(posted.status(), 405);
}

#[test]
fn the_script_of_the_manual_is_valid() {
    let manual = include_str!("../../docs/testing.md");
    let blocks = manual.split("```json\n").skip(1);
    let scripts: Vec<_> = blocks
        .map(|block| block.split("```").next().unwrap())
        .filter(|block| block.contains("\"logins\""))
        .collect();
    assert_eq!(scripts.len(), 1);
    let script = Scenario::from_json(scripts[0]).unwrap();
    assert_eq!(script.logins.unwrap().len(), 3);
}

#[test]
fn a_wrong_script_is_an_invalid_option() {
    for text in [
        "",
        "[]",
        r#"{"modes": "page"}"#,
        r#"{"mode": "sleep"}"#,
        r#"{"accounts": {"alice": "accept"}}"#,
        r#"{"logins": "accept"}"#,
        r#"{"faults": {"/auth": {"statuses": 1}}}"#,
    ] {
        let error = Scenario::from_json(text).unwrap_err();
        assert_eq!(error.code(), Code::InvalidOption, "{text}");
    }
}
