//! Keys that rotate, vanish, or never existed.

use portier_client::testing::KeyChoice;
use serde_json::json;

use crate::site::{KEYS, Site, code};

#[tokio::test]
async fn a_rotation_fails_no_login_and_needs_no_fetch() {
    let site = Site::new();
    site.log_in("a@example.com").await.unwrap();
    let before = site.token(|_| {}).await;
    site.broker.rotate_keys().unwrap();
    site.log_in("a@example.com").await.unwrap();
    site.client.verify(&before).await.unwrap();
    assert_eq!(site.requests(KEYS), 1);
}

#[tokio::test]
async fn a_key_the_client_has_not_seen_is_fetched() {
    let site = Site::new();
    site.client.warm().await.unwrap();
    for _ in 0..3 {
        // The key that is next now was not published yet when the client looked.
        site.advance(6);
        site.broker.rotate_keys().unwrap();
        site.broker.rotate_keys().unwrap();
        site.log_in("a@example.com").await.unwrap();
    }
    assert_eq!(site.requests(KEYS), 4);
}

#[tokio::test]
async fn a_broker_that_restarts_with_new_keys_fails_no_login() {
    let site = Site::new();
    site.log_in("a@example.com").await.unwrap();
    site.advance(6);
    let old = site.token(|_| {}).await;
    site.broker.forget_keys().unwrap();
    site.log_in("a@example.com").await.unwrap();
    assert_eq!(site.requests(KEYS), 2);
    // What the old keys signed is void.
    site.advance(6);
    assert_eq!(code(site.client.verify(&old).await), "token_key_unknown");
}

#[tokio::test]
async fn forged_key_ids_cause_no_fetch() {
    let site = Site::new();
    site.log_in("a@example.com").await.unwrap();
    let used = site
        .token(|options| options.key = KeyChoice::Stranger)
        .await;
    for number in 0..20 {
        site.advance(6);
        let token = site
            .token(|options| {
                options.key = KeyChoice::Stranger;
                options
                    .header
                    .insert("kid".to_owned(), json!(format!("forged-{number}")));
                options.nonce = format!("forged-nonce-forged-nonce-{number:06}");
            })
            .await;
        assert_eq!(code(site.client.verify(&token).await), "token_key_unknown");
    }
    assert_eq!(site.requests(KEYS), 1);

    // With the nonce of a login that is pending, a fetch every five seconds is all there is.
    for _ in 0..20 {
        assert_eq!(code(site.client.verify(&used).await), "token_key_unknown");
    }
    assert_eq!(site.requests(KEYS), 2);
}
