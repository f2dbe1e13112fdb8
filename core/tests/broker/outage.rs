//! A broker that is down, slow, or back again.

use std::time::Duration;

use portier_client::testing::{Fault, Mode};

use crate::site::{DISCOVERY, KEYS, Site, code};

fn unavailable() -> Fault {
    Fault {
        status: Some(503),
        ..Fault::default()
    }
}

#[tokio::test]
async fn one_503_is_retried() {
    let site = Site::new();
    site.broker.fail_next(DISCOVERY, 1, unavailable());
    site.broker.fail_next(KEYS, 1, unavailable());
    site.log_in("a@example.com").await.unwrap();
    assert_eq!(site.requests(DISCOVERY), 2);
    assert_eq!(site.requests(KEYS), 2);
}

#[tokio::test]
async fn a_broker_that_is_down_is_not_asked_during_the_pause() {
    let site = Site::new();
    site.broker.fail_next(DISCOVERY, 2, unavailable());
    assert_eq!(code(site.log_in("a@example.com").await), "broker_status");
    assert_eq!(code(site.log_in("a@example.com").await), "broker_status");
    assert_eq!(site.requests(DISCOVERY), 2);
    site.advance(60);
    site.log_in("a@example.com").await.unwrap();
}

#[tokio::test]
async fn a_slow_broker_is_given_up() {
    let site = Site::with(Mode::Accept, |builder| {
        builder.timeout(Duration::from_millis(200))
    });
    site.broker.hold(DISCOVERY);
    assert_eq!(code(site.log_in("a@example.com").await), "broker_timeout");
}

#[tokio::test]
async fn a_broker_that_stopped_is_unreachable() {
    let site = Site::new();
    site.broker.stop();
    assert_eq!(
        code(site.log_in("a@example.com").await),
        "broker_unreachable"
    );
}

#[tokio::test]
async fn junk_in_place_of_a_document_is_an_error() {
    let site = Site::new();
    for (path, body) in [(DISCOVERY, "<html>"), (KEYS, "{\"keys\":[]}")] {
        let junk = Fault {
            body: Some(body.to_owned()),
            ..Fault::default()
        };
        site.broker.fail_next(path, 1, junk);
        assert_eq!(code(site.client.warm().await), "broker_document", "{path}");
        site.advance(60);
    }
    site.client.warm().await.unwrap();
}

#[tokio::test]
async fn stale_documents_are_used_while_the_broker_is_down() {
    let site = Site::new();
    site.client.warm().await.unwrap();
    site.advance(25 * 60 * 60);
    site.broker.fail_next(DISCOVERY, 2, unavailable());
    site.broker.fail_next(KEYS, 2, unavailable());
    let token = site.token(|_| {}).await;
    site.client.verify(&token).await.unwrap();
    let stats = site.client.stats();
    assert!(stats.discovery.stale_serves > 0);
    assert!(stats.keys.stale_serves > 0);
}
