//! Keys that rotate, disappear, or never existed.

use portier_client::Algorithm;
use portier_client::testing::{Fault, KeyChoice, MintOptions};
use serde_json::json;

use crate::site::{Browser, DISCOVERY, KEYS, Site, code};

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
        // The next key was not published yet when the client fetched the keys.
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
    // Tokens of the old keys are invalid.
    site.advance(6);
    assert_eq!(code(site.client.verify(&old).await), "token_key_unknown");
}

/// So that tests which start a broker each do not wait for an RSA key each.
#[tokio::test]
async fn brokers_of_a_process_share_their_first_keys() {
    let (one, other) = (Site::new(), Site::new());
    let ids = |site: &Site| {
        [Algorithm::Rs256, Algorithm::EdDsa]
            .map(|algorithm| site.broker.key_id(KeyChoice::Current, algorithm).unwrap())
    };
    assert_eq!(ids(&one), ids(&other));
    other.broker.forget_keys().unwrap();
    assert!(ids(&one).iter().all(|id| !ids(&other).contains(id)));
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

    // With the nonce of a pending login, there is at most one fetch in five seconds.
    site.advance(6);
    for _ in 0..20 {
        assert_eq!(code(site.client.verify(&used).await), "token_key_unknown");
    }
    assert_eq!(site.requests(KEYS), 2);
}

#[tokio::test]
async fn processes_with_different_keys_accept_the_same_tokens() {
    let site = Site::new();
    site.client.warm().await.unwrap();
    site.broker.rotate_keys().unwrap();
    let other = Site::client_of(&site.broker, &site.clock);
    other.warm().await.unwrap();
    site.log_in("a@example.com").await.unwrap();
    let url = other.authenticate("b@example.com").await.unwrap();
    let token = site.broker.mint(&MintOptions::for_url(&url).unwrap());
    other.verify(&token.unwrap()).await.unwrap();
    assert_eq!(site.requests(KEYS), 2);
}

#[tokio::test]
async fn a_moved_endpoint_does_not_affect_a_pending_login() {
    let site = Site::new();
    let token = site.token(|_| {}).await;
    site.advance(5 * 60);
    let origin = site.broker.origin();
    let moved = Fault {
        body: Some(format!(
            r#"{{"authorization_endpoint":"{origin}/moved","jwks_uri":"{origin}/keys.json"}}"#
        )),
        ..Fault::default()
    };
    site.broker.fail_next(DISCOVERY, 1, moved);
    let fresh = Site::client_of(&site.broker, &site.clock);
    let url = fresh.authenticate("b@example.com").await.unwrap();
    assert!(url.starts_with(&format!("{origin}/moved?")), "{url}");
    site.client.verify(&token).await.unwrap();
}

#[tokio::test]
async fn a_key_id_with_another_key_is_fetched_once_the_set_is_old() {
    let site = Site::new();
    site.client.warm().await.unwrap();
    let forged = site
        .token(|options| {
            let current = site
                .broker
                .key_id(KeyChoice::Current, Algorithm::Rs256)
                .unwrap();
            options.header.insert("kid".to_owned(), json!(current));
            options.key = KeyChoice::Stranger;
        })
        .await;
    for (age, fetches) in [(0, 1), (299, 1), (1, 2), (6, 2), (299, 3)] {
        site.advance(age);
        for _ in 0..3 {
            assert_eq!(code(site.client.verify(&forged).await), "token_signature");
        }
        assert_eq!(site.requests(KEYS), fetches, "{age}");
    }
    // Without a pending login, nothing is fetched, whatever the age of the set.
    let stranger = site
        .token(|options| {
            let current = site
                .broker
                .key_id(KeyChoice::Current, Algorithm::Rs256)
                .unwrap();
            options.header.insert("kid".to_owned(), json!(current));
            options.key = KeyChoice::Stranger;
            options.nonce = "forged-nonce-forged-nonce-forged".to_owned();
        })
        .await;
    site.advance(600);
    assert_eq!(code(site.client.verify(&stranger).await), "token_signature");
    assert_eq!(site.requests(KEYS), 3);
}

#[tokio::test]
async fn a_token_of_a_reused_key_id_is_accepted_after_the_fetch() {
    let site = Site::new();
    let id = site
        .broker
        .key_id(KeyChoice::Current, Algorithm::Rs256)
        .unwrap();
    // The client has another key with this id.
    let other = site
        .broker
        .key_id(KeyChoice::Next, Algorithm::Rs256)
        .unwrap();
    let url = format!("{}{KEYS}", site.broker.origin());
    let document = Browser::new().open(&url).await;
    let swapped = document.text.replace(&id, "gone").replace(&other, &id);
    site.broker.fail_next(
        KEYS,
        1,
        Fault {
            body: Some(swapped),
            ..Fault::default()
        },
    );
    site.client.warm().await.unwrap();
    let token = site.token(|_| {}).await;
    assert_eq!(code(site.client.verify(&token).await), "token_signature");
    site.advance(300);
    site.client.verify(&token).await.unwrap();
}
