//! What health checks learn about the documents, and what they cause.

use super::*;
use crate::health::HealthCheck;

impl Scene {
    /// Makes a check, and waits for what it started in the background.
    async fn check(&self) -> (HealthCheck, HealthCheck) {
        let checked = self.documents.check();
        self.quiet().await;
        checked
    }
}

const PASS: HealthCheck = HealthCheck::PASS;

#[tokio::test]
async fn a_check_waits_for_nobody_and_fetches_in_the_background() {
    let scene = Scene::new();
    assert_eq!(scene.documents.check(), (PASS, PASS));
    assert_eq!(scene.requests(), (0, 0));
    scene.quiet().await;
    assert_eq!(scene.check().await, (PASS, PASS));
    assert_eq!(scene.requests(), (1, 1));
}

#[tokio::test]
async fn a_flood_of_checks_causes_no_more_requests_than_logins() {
    let scene = Scene::new();
    for _ in 0..1_000 {
        scene.documents.check();
    }
    scene.quiet().await;
    assert_eq!(scene.requests(), (1, 1));
    let broken = Scene::without_documents();
    for _ in 0..1_000 {
        broken.check().await;
    }
    assert_eq!(broken.requests(), (1, 0));
}

#[tokio::test]
async fn checks_keep_the_documents_of_an_idle_site_fresh() {
    let scene = Scene::new();
    scene.check().await;
    scene.clock.advance(HOUR / 5 * 4);
    scene.check().await;
    assert_eq!(scene.requests(), (2, 2));
}

#[tokio::test]
async fn a_process_fails_only_until_it_had_the_documents_once() {
    let scene = Scene::without_documents();
    scene.check().await;
    let never = HealthCheck::fail(Code::BrokerStatus);
    assert_eq!(scene.check().await, (never, PASS));

    scene.discovery_is(200, &[], DISCOVERY);
    scene.keys_are(200, &[], &key_set(&["one"]));
    scene.clock.advance(Duration::from_secs(30));
    scene.check().await;
    assert_eq!(scene.check().await, (PASS, PASS));

    scene.keys_fail();
    scene.clock.advance(HOUR);
    scene.check().await;
    let stale = HealthCheck::warn(Some(Code::BrokerUnreachable));
    assert_eq!(scene.check().await, (PASS, stale));
    // Also when the keys can no longer be used: the other processes have none either.
    scene.clock.advance(2 * DAY);
    scene.check().await;
    assert_eq!(scene.check().await, (PASS, stale));
    assert_eq!(code(scene.keys().await), Code::BrokerUnreachable);
}

#[test]
fn a_check_works_outside_of_a_runtime() {
    let scene = Scene::new();
    assert_eq!(scene.documents.check(), (PASS, PASS));
    assert_eq!(scene.requests(), (0, 0));
}
