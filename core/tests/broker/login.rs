//! Logins, from the address to the verified address.

use portier_client::testing::{KeyChoice, Mode};
use portier_client::{Algorithm, AuthenticateOptions, ResponseMode};
use serde_json::json;

use crate::site::{Browser, Site, code};

#[tokio::test]
async fn a_login_by_form_post_returns_the_verified_address() {
    let site = Site::new();
    let mut options = AuthenticateOptions::for_email(" Alice@EXAMPLE.com ");
    options.state = Some("a \"state\" & more".to_owned());
    options.session = Some("/next?page=1".to_owned());
    let url = site.client.authenticate_with(options).await.unwrap();
    let callback = Browser::new().open(&url).await.callback();
    let login = site.client.complete(callback, None).await.unwrap();
    assert_eq!(login.email, "alice@example.com");
    assert_eq!(login.email_original, "Alice@EXAMPLE.com");
    assert_eq!(login.state.as_deref(), Some("a \"state\" & more"));
    assert_eq!(login.session.as_deref(), Some("/next?page=1"));
    assert!((login.issued_at - 1_800_000_000.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn a_login_by_fragment_returns_the_verified_address() {
    let site = Site::with(Mode::Accept, |builder| {
        builder.response_mode(ResponseMode::Fragment)
    });
    let mut options = AuthenticateOptions::for_email("bob@example.com");
    options.state = Some("a+b c&d=e#f".to_owned());
    let url = site.client.authenticate_with(options).await.unwrap();
    let page = Browser::new().open(&url).await;
    assert_eq!(page.status, 303);
    let login = site.client.complete(page.callback(), None).await.unwrap();
    assert_eq!(login.email, "bob@example.com");
    assert_eq!(login.state.as_deref(), Some("a+b c&d=e#f"));
}

#[tokio::test]
async fn the_broker_signs_with_the_algorithm_that_was_asked_for() {
    for (algorithms, key) in [
        (vec![Algorithm::EdDsa], Algorithm::EdDsa),
        (vec![Algorithm::Rs256], Algorithm::Rs256),
    ] {
        let site = Site::with(Mode::Accept, |builder| builder.algorithms(algorithms));
        let url = site.client.authenticate("a@example.com").await.unwrap();
        assert_eq!(
            url.contains("id_token_signing_alg=EdDSA"),
            key == Algorithm::EdDsa
        );
        let callback = Browser::new().open(&url).await.callback();
        site.client.complete(callback, None).await.unwrap();
        let other = match key {
            Algorithm::EdDsa => Algorithm::Rs256,
            Algorithm::Rs256 => Algorithm::EdDsa,
        };
        let token = site.token(|options| options.algorithm = other).await;
        assert_eq!(code(site.client.verify(&token).await), "token_algorithm");
    }
}

#[tokio::test]
async fn a_person_continues_on_the_page() {
    let site = Site::with(Mode::Page, |builder| builder);
    let url = site
        .client
        .authenticate("\"o'<b>\"@example.com")
        .await
        .unwrap();
    let browser = Browser::new();
    let page = browser.open(&url).await;
    assert!(page.text.contains("localhost:8888"));
    assert!(
        page.text
            .contains("<strong>&#34;o&#39;&#60;b&#62;&#34;@example.com</strong>")
    );
    assert!(page.text.contains("anyone can sign in as anyone"));
    let answer = browser.submit(&page, &[("answer", "continue")]).await;
    let login = site.client.complete(answer.callback(), None).await.unwrap();
    assert_eq!(login.email, "\"o'<b>\"@example.com");
    assert_eq!(login.state, None);
}

#[tokio::test]
async fn the_page_asks_for_the_address_if_the_login_names_none() {
    let site = Site::with(Mode::Page, |builder| builder);
    let url = site
        .client
        .authenticate_with(AuthenticateOptions::default())
        .await
        .unwrap();
    let browser = Browser::new();
    let page = browser.open(&url).await;
    assert!(page.text.contains("name=\"email\""));
    let wrong = [("email", "nobody"), ("answer", "continue")];
    let page = browser.submit(&page, &wrong).await;
    assert!(page.text.contains("value=\"nobody\""));
    assert!(page.text.contains("This is not an e-mail address."));
    let right = [("email", "Eve@example.com"), ("answer", "continue")];
    let page = browser.submit(&page, &right).await;
    let login = site.client.complete(page.callback(), None).await.unwrap();
    assert_eq!(login.email, "eve@example.com");
    assert_eq!(login.email_original, "Eve@example.com");
}

#[tokio::test]
async fn a_cancelled_login_is_a_broker_error() {
    let page = Site::with(Mode::Page, |builder| builder);
    let url = page.client.authenticate("a@example.com").await.unwrap();
    let browser = Browser::new();
    let asked = browser.open(&url).await;
    let cancelled = browser.submit(&asked, &[("answer", "cancel")]).await;
    let error = page
        .client
        .complete(cancelled.callback(), None)
        .await
        .err()
        .unwrap();
    assert_eq!(error.code().as_str(), "broker_error");
    assert_eq!(error.broker_answer().unwrap().error, "access_denied");

    for mode in [ResponseMode::FormPost, ResponseMode::Fragment] {
        let site = Site::with(Mode::Refuse, |builder| builder.response_mode(mode));
        assert_eq!(code(site.log_in("a@example.com").await), "broker_error");
    }
}

#[tokio::test]
async fn a_token_completes_one_login_once() {
    let site = Site::new();
    let token = site.token(|_| {}).await;
    assert_eq!(
        site.client.verify(&token).await.unwrap(),
        "alice@example.com"
    );
    assert_eq!(code(site.client.verify(&token).await), "session_used");
}

#[tokio::test]
async fn a_token_for_another_login_or_site_is_refused() {
    let site = Site::new();
    for (claims, expected) in [
        (json!({ "aud": "http://localhost:9999" }), "token_audience"),
        (
            json!({ "aud": ["http://localhost:8888"] }),
            "token_audience",
        ),
        (json!({ "iss": "http://127.0.0.1:1" }), "token_issuer"),
        (json!({ "exp": 1 }), "token_expired"),
        (
            json!({ "nonce": "never-issued-here-never-issued-h" }),
            "session_unknown",
        ),
        (json!({ "email_verified": false }), "token_claim"),
        (
            json!({ "email_original": "mallory@example.com" }),
            "session_email",
        ),
    ] {
        let shown = claims.to_string();
        let token = site
            .token(|options| options.claims = claims.as_object().unwrap().clone())
            .await;
        assert_eq!(code(site.client.verify(&token).await), expected, "{shown}");
    }
}

#[tokio::test]
async fn a_token_with_another_signature_or_header_is_refused() {
    let site = Site::new();
    site.client.warm().await.unwrap();
    let current = site
        .broker
        .key_id(KeyChoice::Current, Algorithm::Rs256)
        .unwrap();
    let forged = site
        .token(|options| {
            options.key = KeyChoice::Stranger;
            options.header.insert("kid".to_owned(), json!(current));
        })
        .await;
    assert_eq!(code(site.client.verify(&forged).await), "token_signature");
    let unsigned = site
        .token(|options| {
            options.header.insert("alg".to_owned(), json!("none"));
        })
        .await;
    assert_eq!(code(site.client.verify(&unsigned).await), "token_algorithm");
    let no_key_id = site
        .token(|options| options.remove_header.push("kid".to_owned()))
        .await;
    assert_eq!(code(site.client.verify(&no_key_id).await), "token_header");
    let twice = site
        .token(|options| options.raw_payload = Some(r#"{"iss":"a","iss":"b"}"#.to_owned()))
        .await;
    assert_eq!(code(site.client.verify(&twice).await), "token_malformed");
}

#[tokio::test]
async fn a_login_has_to_be_completed_in_time() {
    let site = Site::new();
    let token = site.token(|_| {}).await;
    site.advance(600 + 181);
    assert_eq!(code(site.client.verify(&token).await), "token_expired");

    let token = site
        .token(|options| {
            options
                .claims
                .insert("exp".to_owned(), json!(2_000_000_000));
        })
        .await;
    site.advance(1801);
    assert_eq!(code(site.client.verify(&token).await), "session_unknown");
}
