//! The development broker itself.

use portier_client::testing::{DevBroker, DevBrokerOptions, Fault, KeyChoice, MintOptions, Mode};
use portier_client::{Algorithm, Client, Code};
use serde_json::{Value, json};

use crate::site::{Browser, DISCOVERY, KEYS, Site};

const REQUEST: &str = "client_id=http%3A%2F%2Flocalhost%3A8888\
    &redirect_uri=http%3A%2F%2Flocalhost%3A8888%2Fverify&scope=openid%20email\
    &response_type=id_token&response_mode=form_post&nonce=n&login_hint=a%40example.com";

#[tokio::test]
async fn documents_have_the_headers_of_the_real_broker() {
    let site = Site::new();
    let browser = Browser::new();
    let discovery = browser
        .open(&format!("{}{DISCOVERY}", site.broker.origin()))
        .await;
    assert_eq!(
        discovery.header("cache-control"),
        "public, max-age=604800, s-maxage=0"
    );
    let keys = browser
        .open(&format!("{}{KEYS}", site.broker.origin()))
        .await;
    assert_eq!(keys.header("cache-control"), "public");
    assert_eq!(keys.header("date"), "Fri, 15 Jan 2027 08:00:00 GMT");
    assert_eq!(keys.header("expires"), "Sat, 16 Jan 2027 08:00:00 GMT");
    assert_eq!(keys.header("etag"), "");
}

#[tokio::test]
async fn pages_have_the_headers_of_the_real_broker() {
    let site = Site::with(Mode::Page, |builder| builder);
    let page = Browser::new()
        .open(&format!("{}/auth?{REQUEST}", site.broker.origin()))
        .await;
    assert_eq!(
        page.header("content-security-policy"),
        "sandbox allow-scripts allow-forms; default-src 'none'; script-src 'self'; \
         style-src 'self'; form-action *"
    );
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(page.header("cache-control"), "no-store");
}

#[tokio::test]
async fn the_callback_posts_a_state_even_if_there_is_none() {
    let site = Site::new();
    let page = Browser::new()
        .open(&format!("{}/auth?{REQUEST}", site.broker.origin()))
        .await;
    let fields = page.hidden_fields();
    assert!(fields.contains(&("state".to_owned(), String::new())));
}

#[tokio::test]
async fn a_request_that_cannot_be_answered_is_explained_to_the_person() {
    let site = Site::with(Mode::Page, |builder| builder);
    for (from, to, words) in [
        ("nonce=n", "nonce=n&nonce=n", "repeated"),
        ("8888%2Fverify", "9999%2Fverify", "not the origin"),
        ("client_id", "no_client_id", "no client_id"),
        ("form_post", "query", "response_mode"),
        ("localhost%3A8888%2F", "Localhost%3A8888%2F", "not written"),
        ("8888%2Fverify", "8888%3Fverify", "not written"),
    ] {
        let request = REQUEST.replace(from, to);
        let page = Browser::new()
            .open(&format!("{}/auth?{request}", site.broker.origin()))
            .await;
        assert_eq!(page.status, 400, "{request}");
        assert!(page.text.contains(words), "{}", page.text);
        assert!(!page.text.contains("<form"));
    }
}

#[tokio::test]
async fn other_errors_go_to_the_relying_party() {
    let site = Site::with(Mode::Page, |builder| builder);
    for (from, to, error) in [
        ("=id_token", "=token", "unsupported_response_type"),
        ("openid%20email", "openid", "invalid_scope"),
        ("nonce=n", "", "invalid_request"),
    ] {
        let request = REQUEST.replace(from, to);
        let page = Browser::new()
            .open(&format!("{}/auth?{request}", site.broker.origin()))
            .await;
        assert_eq!(page.callback().error.as_deref(), Some(error));
    }
}

#[tokio::test]
async fn an_invalid_address_goes_back_to_the_relying_party() {
    for mode in [Mode::Page, Mode::Accept] {
        let site = Site::with(mode, |builder| builder);
        for hint in [
            "alice%40example.com%2C",
            "mailto%3Aalice%40example.com",
            "alice%40localhost",
            "ali%E2%80%8Bce%40example.com",
            "%20alice%40example.com",
            "%22a%40b%22%40example.com",
        ] {
            let request = REQUEST.replace("a%40example.com", hint);
            let page = Browser::new()
                .open(&format!("{}/auth?{request}", site.broker.origin()))
                .await;
            assert_eq!(page.callback().error.as_deref(), Some("invalid_request"));
        }
    }
}

#[tokio::test]
async fn a_broker_can_be_reached_under_another_origin_than_it_listens_on() {
    let free = DevBroker::spawn(DevBrokerOptions::default()).unwrap();
    let port = free.port();
    free.stop();
    let broker = DevBroker::spawn(DevBrokerOptions {
        port,
        origin: Some(format!("http://LOCALHOST:{port}/")),
        mode: Mode::Accept,
        ..DevBrokerOptions::default()
    })
    .unwrap();
    assert_eq!(broker.origin(), format!("http://localhost:{port}"));
    let client = Client::builder("http://localhost:8888/verify")
        .broker(broker.origin())
        .build()
        .unwrap();
    let url = client.authenticate("alice@example.com").await.unwrap();
    assert!(url.starts_with(&format!("http://localhost:{port}/auth?")));
    let page = Browser::new().open(&url).await;
    let login = client.complete(page.callback(), None).await.unwrap();
    assert_eq!(login.email, "alice@example.com");
}

#[tokio::test]
async fn a_broker_under_another_name_is_refused_with_both_names() {
    let broker = DevBroker::spawn(DevBrokerOptions::default()).unwrap();
    let configured = format!("http://localhost:{}", broker.port());
    let client = Client::builder("http://localhost:8888/verify")
        .broker(&configured)
        .build()
        .unwrap();
    let error = client.warm().await.unwrap_err();
    assert_eq!(error.code(), Code::BrokerDocument);
    let message = error.to_string();
    assert!(message.contains(broker.origin()), "{message}");
    assert!(message.contains(&configured), "{message}");
}

#[test]
fn a_host_that_is_no_address_of_this_machine_is_a_clear_error() {
    // For documentation only (RFC 5737).
    let error = DevBroker::spawn(DevBrokerOptions {
        host: "192.0.2.1".parse().unwrap(),
        ..DevBrokerOptions::default()
    })
    .unwrap_err();
    assert_eq!(error.code(), Code::InvalidOption);
    assert!(error.to_string().ends_with("host=192.0.2.1"), "{error}");
}

#[tokio::test]
async fn the_key_set_has_the_previous_the_current_and_the_next_keys() {
    let site = Site::new();
    let url = format!("{}{KEYS}", site.broker.origin());
    let published = async || {
        let document: Value = serde_json::from_str(&Browser::new().open(&url).await.text).unwrap();
        let keys = document["keys"].as_array().unwrap().clone();
        keys.into_iter()
            .map(|key| key["kid"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let id = |choice| site.broker.key_id(choice, Algorithm::EdDsa).unwrap();
    let (current, next) = (id(KeyChoice::Current), id(KeyChoice::Next));
    assert_eq!(published().await.len(), 4);
    assert!(!published().await.contains(&id(KeyChoice::Stranger)));

    site.broker.rotate_keys().unwrap();
    assert_eq!(id(KeyChoice::Previous), current);
    assert_eq!(id(KeyChoice::Current), next);
    assert_eq!(published().await.len(), 6);
    assert!(published().await.contains(&current));

    site.broker.rotate_keys().unwrap();
    assert!(!published().await.contains(&current));
    site.broker.forget_keys().unwrap();
    assert!(!published().await.contains(&next));
}

#[test]
fn a_taken_port_is_a_clear_error() {
    let first = DevBroker::spawn(DevBrokerOptions::default()).unwrap();
    let on_its_port = || {
        DevBroker::spawn(DevBrokerOptions {
            port: first.port(),
            ..DevBrokerOptions::default()
        })
    };
    let error = on_its_port().err().unwrap();
    assert_eq!(error.code(), Code::InvalidOption);
    assert!(error.to_string().contains("the port is taken"), "{error}");
    first.stop();
    first.stop();
    on_its_port().unwrap();
}

#[test]
fn the_banner_says_what_it_is() {
    let broker = DevBroker::spawn(DevBrokerOptions::default()).unwrap();
    assert!(broker.banner().contains(broker.origin()));
    assert!(broker.banner().contains("development only"));
}

#[tokio::test]
async fn a_fault_affects_the_given_number_of_requests() {
    let site = Site::new();
    let url = format!("{}{KEYS}", site.broker.origin());
    let fault = Fault {
        status: Some(429),
        headers: vec![("Retry-After".to_owned(), "7".to_owned())],
        ..Fault::default()
    };
    site.broker.fail_next(KEYS, 2, fault);
    for status in [429, 429, 200] {
        let page = Browser::new().open(&url).await;
        assert_eq!(page.status, status);
        assert_eq!(page.header("retry-after") == "7", status == 429);
    }
    assert_eq!(site.requests(KEYS), 3);
}

#[tokio::test]
async fn options_for_a_token_may_be_json() {
    let site = Site::new();
    let url = site.client.authenticate("Alice@example.com").await.unwrap();
    let options = json!({ "url": url, "algorithm": "EdDSA", "claims": { "auth_time": 7 } });
    let options = MintOptions::from_json(&options.to_string()).unwrap();
    let token = site.broker.mint(&options).unwrap();
    assert_eq!(
        site.client.verify(&token).await.unwrap(),
        "alice@example.com"
    );
    for wrong in [
        "[]",
        r#"{"unknown":1}"#,
        r#"{"algorithm":"none"}"#,
        r#"{"key":"any"}"#,
        r#"{"url":"https://example.com/"}"#,
    ] {
        let error = MintOptions::from_json(wrong).unwrap_err();
        assert_eq!(error.code(), Code::InvalidOption, "{wrong}");
    }
}
