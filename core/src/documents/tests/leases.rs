//! Invalid leases: of a killed process, without expiry, or foreign.

use super::shared_cache::{Shelves, two};
use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// The paused clock of the runtime.
#[expect(
    clippy::disallowed_methods,
    reason = "the time of timers is what is measured"
)]
fn timers() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

/// Writes a lease for each stored document.
fn lease_all(shelves: &Shelves) {
    let mut content = shelves.content();
    let names: Vec<_> = content.documents.keys().cloned().collect();
    content.leases.extend(names);
}

#[tokio::test]
async fn a_stale_document_is_fetched_despite_a_lease() {
    let (shelves, one, two) = two();
    one.keys().await.unwrap();
    let old = two.keys().await.unwrap();
    lease_all(&shelves);
    two.clock.advance(HOUR);
    two.keys_are(200, &[], &key_set(&["two"]));
    let new = two.keys().await.unwrap();
    assert!(!Arc::ptr_eq(&old, &new));
    assert_eq!(ids(&new), ["two"]);
    assert_eq!(two.requests(), (2, 2));
    let stats = two.documents.stats();
    assert_eq!((stats.keys.stale_serves, stats.keys.failures), (0, 0));
    // The other processes load it from the store despite the lease.
    assert_eq!(ids(&one.keys().await.unwrap()), ["two"]);
    assert_eq!(two.requests(), (2, 2));
}

#[tokio::test]
async fn a_lease_is_respected_no_longer_than_its_duration() {
    let (shelves, one, two) = two();
    one.discovery().await.unwrap();
    two.discovery().await.unwrap();
    lease_all(&shelves);
    two.clock.advance(HOUR * 4 / 5);
    for second in 0..30 {
        two.discovery().await.unwrap();
        two.quiet().await;
        assert_eq!(two.requests(), (1, 0), "{second}");
        two.clock.advance(SECOND);
    }
    two.discovery().await.unwrap();
    two.quiet().await;
    assert_eq!(two.requests(), (2, 0));
    // The lease is over for all processes.
    assert!(shelves.content().leases.is_empty());
    assert_eq!(two.documents.stats().discovery.failures, 0);
}

#[tokio::test(start_paused = true)]
async fn a_cold_process_waits_once_for_both_documents() {
    let (shelves, one, two) = two();
    one.keys().await.unwrap();
    lease_all(&shelves);
    shelves.content().documents.clear();
    let before = timers();
    two.keys().await.unwrap();
    let waited = before.elapsed();
    assert!(waited > 9 * SECOND && waited < 11 * SECOND, "{waited:?}");
    assert_eq!(two.requests(), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_missing_key_waits_for_a_lease_once() {
    let (shelves, one, two) = two();
    one.keys().await.unwrap();
    let mut seen = two.keys().await.unwrap();
    lease_all(&shelves);
    let before = timers();
    for round in 0..3 {
        two.clock.advance(6 * SECOND);
        two.keys_are(200, &[], &key_set(&[&format!("{round}")]));
        seen = two.documents.refresh_for_key(&seen, "none").await.unwrap();
        assert_eq!(ids(&seen), [round.to_string()]);
    }
    let waited = before.elapsed();
    assert!(waited < 11 * SECOND, "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_missing_key_is_fetched_while_a_refresh_waits_for_a_lease() {
    let (shelves, one, two) = two();
    one.keys().await.unwrap();
    let seen = two.keys().await.unwrap();
    lease_all(&shelves);
    two.clock.advance(HOUR * 4 / 5);
    two.keys_are(200, &[], &key_set(&["two"]));
    // This starts the refresh, for which another process seems to hold the lease.
    two.keys().await.unwrap();
    let newer = two.documents.refresh_for_key(&seen, "two").await.unwrap();
    assert_eq!(ids(&newer), ["two"]);
    assert_eq!(two.documents.stats().keys.failures, 0);
}
