//! What the doctor finds about a server.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use portier_client::doctor::{DoctorOptions, Finding, FindingId, Report, examine};

use crate::server::{Redis, limited};

async fn examined(url: &str) -> Report {
    let mut options = DoctorOptions::new("https://example.com/verify");
    options.store = Some(url.to_owned());
    options.offline = true;
    examine(options).await
}

async fn found_at(url: &str) -> Vec<FindingId> {
    let known = [FindingId::RedirectUri, FindingId::Offline, FindingId::Store];
    let findings = examined(url).await.findings;
    let ids = findings.iter().map(|finding| finding.id);
    ids.filter(|id| !known.contains(id)).collect()
}

fn store(report: &Report) -> &Finding {
    let mut findings = report.findings.iter();
    findings
        .find(|finding| finding.id == FindingId::Store)
        .unwrap()
}

/// A connection of another process.
fn connected(redis: &Redis, words: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", redis.port())).unwrap();
    for command in words.split(';') {
        stream
            .write_all(format!("{command}\r\n").as_bytes())
            .unwrap();
        let mut reply = [0; 5];
        stream.read_exact(&mut reply).unwrap();
        assert_eq!(&reply, b"+OK\r\n", "{command}");
    }
    stream
}

#[tokio::test]
async fn a_server_that_evicts_or_forgets_is_found() {
    let Some(redis) = Redis::start() else { return };
    limited(async {
        assert_eq!(
            found_at(&redis.url()).await,
            [FindingId::StoreNotPersistent]
        );
        let () = redis.tell(&["CONFIG", "SET", "maxmemory", "100mb"]);
        let () = redis.tell(&["CONFIG", "SET", "appendonly", "yes"]);
        for policy in [
            "allkeys-lru",
            "volatile-lru",
            "allkeys-random",
            "volatile-ttl",
        ] {
            let () = redis.tell(&["CONFIG", "SET", "maxmemory-policy", policy]);
            let found = examined(&redis.url()).await;
            let evicts = found
                .findings
                .iter()
                .find(|one| one.id == FindingId::StoreEvicts);
            assert_eq!(evicts.unwrap().values["policy"], policy);
            assert!(!found.is_healthy());
        }
        let () = redis.tell(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
        assert_eq!(found_at(&redis.url()).await, []);
    })
    .await;
}

#[tokio::test]
async fn the_server_tells_its_version_and_how_many_processes_use_it() {
    let Some(redis) = Redis::start() else { return };
    limited(async {
        let report = examined(&redis.url()).await;
        let mut versions = report.versions.iter();
        let (_, version) = versions.find(|(name, _)| name == "Redis").unwrap();
        assert_eq!(store(&report).values["version"], **version);
        assert!(store(&report).values["connected_clients"].as_u64().unwrap() > 0);
        assert_eq!(store(&report).values["processes"], 0);

        let _one = connected(&redis, "CLIENT SETNAME portier-client:1-00000001");
        let _two = connected(&redis, "CLIENT SETNAME portier-client:2-00000001");
        let _again = connected(&redis, "CLIENT SETNAME portier-client:2-00000001");
        let _elsewhere = connected(&redis, "CLIENT SETNAME portier-client:3-00000001;SELECT 1");
        let report = examined(&redis.url()).await;
        assert_eq!(store(&report).values["processes"], 2);
        let text = &store(&report).text;
        assert!(
            text.contains("2 other processes with portier-client"),
            "{text}"
        );
    })
    .await;
}

#[tokio::test]
async fn connections_of_a_store_have_a_name() {
    let Some(redis) = Redis::start() else { return };
    limited(async {
        let store = redis.store();
        crate::server::put(&store, 1).await.unwrap();
        let list: String = redis.tell(&["CLIENT", "LIST"]);
        let prefix = format!("name=portier-client:{}-", std::process::id());
        assert!(list.contains(&prefix), "{list}");
    })
    .await;
}

#[tokio::test]
async fn a_user_with_few_rights_learns_what_is_not_known() {
    let Some(redis) = Redis::start() else { return };
    let words = "ACL SETUSER app on >right ~portier:* +set +get +getdel +strlen +del";
    let () = redis.tell(&words.split(' ').collect::<Vec<_>>());
    limited(async {
        let url = format!("redis://app:right@127.0.0.1:{}", redis.port());
        assert_eq!(found_at(&url).await, [FindingId::StoreNotExamined]);
        let report = examined(&url).await;
        assert!(report.is_healthy());
        assert!(!store(&report).values.contains_key("processes"));
    })
    .await;
}

#[tokio::test]
async fn a_missing_and_a_wrong_password_are_told_apart() {
    let Some(redis) = Redis::start() else { return };
    let () = redis.tell(&["CONFIG", "SET", "requirepass", "right"]);
    limited(async {
        for (user, says) in [
            ("", "redis requires a password"),
            (":swordfish@", "redis refuses the user name or the password"),
        ] {
            let url = format!("redis://{user}127.0.0.1:{}", redis.port());
            let report = examined(&url).await;
            assert!(report.has(FindingId::StoreFailed));
            let text = report.to_text(false) + &report.to_json();
            assert!(text.contains(says), "{text}");
            assert!(!text.contains("swordfish"), "{text}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_replica_and_a_server_without_memory_are_found() {
    let Some(redis) = Redis::start() else { return };
    limited(async {
        let () = redis.tell(&["CONFIG", "SET", "maxmemory", "1"]);
        let report = examined(&redis.url()).await;
        assert!(
            report.to_text(false).contains("store.failed"),
            "{}",
            report.to_text(false)
        );
        let () = redis.tell(&["CONFIG", "SET", "maxmemory", "0"]);
        let () = redis.tell(&["REPLICAOF", "127.0.0.1", "1"]);
        assert_eq!(found_at(&redis.url()).await, [FindingId::StoreFailed]);
    })
    .await;
}
