//! Many logins at once.

use std::sync::Arc;
use std::time::Duration;

use portier_client::testing::MintOptions;
use tokio::task::JoinSet;

use crate::site::{DISCOVERY, KEYS, Site, code};

#[tokio::test(flavor = "multi_thread")]
async fn exactly_one_of_64_parallel_uses_of_a_token_succeeds() {
    let site = Site::new();
    site.client.warm().await.unwrap();
    let token: Arc<str> = site.token(|_| {}).await.into();
    let mut uses = JoinSet::new();
    for _ in 0..64 {
        let (client, token) = (site.client.clone(), token.clone());
        uses.spawn(async move { code(client.verify(&token).await) });
    }
    let mut outcomes = uses.join_all().await;
    outcomes.sort_unstable();
    assert_eq!(outcomes.remove(0), "no error");
    assert!(outcomes.iter().all(|outcome| *outcome == "session_used"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_200_cold_logins_fetches_each_document() {
    let site = Arc::new(Site::new());
    let mut logins = JoinSet::new();
    for number in 0..200 {
        let site = Arc::clone(&site);
        logins.spawn(async move {
            let email = format!("person-{number}@example.com");
            let url = site.client.authenticate(&email).await.unwrap();
            let token = site
                .broker
                .mint(&MintOptions::for_url(&url).unwrap())
                .unwrap();
            assert_eq!(site.client.verify(&token).await.unwrap(), email);
        });
    }
    assert_eq!(logins.join_all().await.len(), 200);
    assert_eq!(site.requests(DISCOVERY), 1);
    assert_eq!(site.requests(KEYS), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_gives_up_does_not_fail_the_others() {
    let site = Arc::new(Site::new());
    site.broker.hold(DISCOVERY);
    let first = tokio::spawn({
        let site = Arc::clone(&site);
        async move { site.client.authenticate("first@example.com").await }
    });
    while site.requests(DISCOVERY) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let second = tokio::spawn({
        let site = Arc::clone(&site);
        async move { site.client.authenticate("second@example.com").await }
    });
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    site.broker.release(DISCOVERY);
    second.await.unwrap().unwrap();
    assert_eq!(site.requests(DISCOVERY), 1);
}
