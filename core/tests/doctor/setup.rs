//! Options and stores that are wrong.

use portier_client::doctor::{DoctorOptions, FindingId, examine};

use crate::{found, found_in};

fn offline(redirect_uri: &str) -> DoctorOptions {
    let mut options = DoctorOptions::new(redirect_uri);
    options.offline = true;
    options
}

async fn found_offline(change: impl FnOnce(&mut DoctorOptions)) -> Vec<&'static str> {
    let mut options = offline("https://example.com/verify");
    options.has_secret = true;
    change(&mut options);
    found(options)
        .await
        .into_iter()
        .filter(|id| *id != "offline")
        .collect()
}

#[tokio::test]
async fn a_usual_site_is_healthy_offline() {
    assert_eq!(found_offline(|_| {}).await, [""; 0]);
}

#[tokio::test]
async fn invalid_options_are_found() {
    let changes: [fn(&mut DoctorOptions); 5] = [
        |options| options.redirect_uri = "example.com/verify".to_owned(),
        |options| options.redirect_uri = "https://example.com/verify#there".to_owned(),
        |options| options.broker = Some("https://broker.example/path".to_owned()),
        |options| options.broker = Some("http://broker.example".to_owned()),
        |options| options.ca_file = Some("/no/such/file.pem".into()),
    ];
    for change in changes {
        assert_eq!(found_offline(change).await, ["options.invalid"]);
    }
}

#[tokio::test]
async fn redirect_uris_with_a_trap_are_found() {
    for (uri, expected) in [
        ("http://example.com/verify", "redirect_uri.plain_http"),
        ("http://127.0.0.1:8080/verify", "redirect_uri.address"),
        ("https://[::1]/verify", "redirect_uri.address"),
        ("http://0.0.0.0:8080/verify", "redirect_uri.any_address"),
        ("http://[::]:8080/verify", "redirect_uri.any_address"),
        ("https://EXAMPLE.com:443/verify", "redirect_uri.spelling"),
        ("https://bücher.example/verify", "redirect_uri.spelling"),
    ] {
        let found = found_offline(|options| options.redirect_uri = uri.to_owned()).await;
        assert_eq!(found, [expected], "{uri}");
    }
    let local =
        found_offline(|options| options.redirect_uri = "http://localhost:1/verify".to_owned());
    assert_eq!(local.await, [""; 0]);
}

#[tokio::test]
async fn several_processes_need_more_than_memory() {
    let of = |processes, store: Option<&str>, has_secret| {
        let store = store.map(str::to_owned);
        found_offline(move |options| {
            options.processes = Some(processes);
            options.store = store;
            options.has_secret = has_secret;
        })
    };
    assert!(of(4, None, false).await.contains(&"processes.memory"));
    assert!(
        of(4, Some("memory:"), false)
            .await
            .contains(&"processes.memory")
    );
    assert_eq!(of(1, None, false).await, ["store.memory"]);
    assert_eq!(of(4, None, true).await, [""; 0]);
}

#[tokio::test]
async fn stores_that_do_not_work_are_found() {
    for (url, expected) in [
        ("mysql://localhost", "store.invalid"),
        ("redis://", "store.invalid"),
        ("sqlite:////no/such/folder/logins.db", "store.invalid"),
        ("redis://127.0.0.1:1", "store.failed"),
    ] {
        let found = found_offline(|options| options.store = Some(url.to_owned())).await;
        assert_eq!(found, [expected], "{url}");
    }
}

#[tokio::test]
async fn a_store_in_a_file_is_shared() {
    let folder = std::env::temp_dir().join(format!("portier-doctor-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let mut options = offline("https://example.com/verify");
    options.store = Some(format!("sqlite:///{}", folder.join("logins.db").display()));
    options.processes = Some(4);
    let report = examine(options).await;
    std::fs::remove_dir_all(&folder).unwrap();
    let is_good = report.has(FindingId::Store) || report.has(FindingId::StoreSlow);
    assert!(is_good, "{}", report.to_text(false));
    assert!(found_in(&report).is_subset(&["offline", "store.slow"].into()));
    let mut findings = report.findings.iter();
    let store = findings.find(|finding| finding.id.as_str().starts_with("store"));
    let processes = store.unwrap().values.get("processes");
    let expected = cfg!(target_os = "linux").then(|| 0.into());
    assert_eq!(processes, expected.as_ref());
}

#[tokio::test]
async fn no_password_and_no_secret_is_shown() {
    for store in [
        "redis://user:swordfish@127.0.0.1:1",
        "redis://user:swordfish@127.0.0.1:99999",
        "redis://user:swordfish@",
        "redis://user:swordfish@[::1",
        "redis://127.0.0.1:1?password=swordfish",
        "redis+sentinel://127.0.0.1:1/a?sentinel_password=swordfish&sentinel_password=swordfish",
        "rediss://user:swordfish@127.0.0.1:1?ca_file=/no/such/file",
        "postgresql://user:swordfish@localhost",
        "sqlite:////swordfish\0/logins.db",
    ] {
        let mut options = offline("https://example.com/verify");
        options.store = Some(store.to_owned());
        options.secret = Some("swordfish".to_owned());
        let asked = format!("{options:?}");
        let report = examine(options).await;
        assert!(report.has(FindingId::SecretInvalid));
        for text in [
            asked,
            report.to_text(true),
            report.to_json(),
            format!("{report:?}"),
        ] {
            assert!(!text.contains("swordfish"), "{text}");
        }
    }
}
