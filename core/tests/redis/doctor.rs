//! What the doctor finds about a server.

use portier_client::doctor::{DoctorOptions, FindingId, examine};

use crate::server::{Redis, limited};

async fn found(redis: &Redis) -> Vec<FindingId> {
    let mut options = DoctorOptions::new("https://example.com/verify");
    options.store = Some(redis.url());
    options.offline = true;
    let findings = examine(options).await.findings;
    let store = findings
        .iter()
        .find(|finding| finding.id == FindingId::Store)
        .unwrap();
    assert!(store.values["connected_clients"].as_u64().unwrap() > 0);
    let known = [FindingId::RedirectUri, FindingId::Offline, FindingId::Store];
    let ids = findings.iter().map(|finding| finding.id);
    ids.filter(|id| !known.contains(id)).collect()
}

#[tokio::test]
async fn a_server_that_evicts_or_forgets_is_found() {
    let Some(redis) = Redis::start() else { return };
    limited(async {
        assert_eq!(found(&redis).await, [FindingId::StoreNotPersistent]);
        let () = redis.tell(&["CONFIG", "SET", "maxmemory", "100mb"]);
        let () = redis.tell(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
        let () = redis.tell(&["CONFIG", "SET", "appendonly", "yes"]);
        assert_eq!(found(&redis).await, [FindingId::StoreEvicts]);
        let () = redis.tell(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
        assert_eq!(found(&redis).await, []);
    })
    .await;
}
