//! Logins in a file that other processes lock, restore and read.
#![cfg(all(unix, feature = "sqlite", feature = "testing"))]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;

use portier_client::testing::{DevBroker, DevBrokerOptions, MintOptions};
use portier_client::{AuthenticateOptions, Client, Code};

struct Site {
    broker: DevBroker,
    client: Client,
    directory: PathBuf,
}

impl Site {
    fn new(name: &str) -> Self {
        let name = format!("portier-client-{name}-{}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&directory)
            .unwrap();
        let broker = DevBroker::spawn(DevBrokerOptions::default()).unwrap();
        let client = Client::builder("https://example.com/verify")
            .broker(broker.origin())
            .store_url(format!("sqlite:///{}/logins.db", directory.display()))
            .build()
            .unwrap();
        Self {
            broker,
            client,
            directory,
        }
    }

    fn file(&self) -> PathBuf {
        self.directory.join("logins.db")
    }

    /// Starts a login and returns its token.
    async fn token(&self) -> String {
        let url = self.client.authenticate("alice@example.com").await.unwrap();
        let options = MintOptions::for_url(&url).unwrap();
        self.broker.mint(&options).unwrap()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

#[tokio::test]
async fn without_its_store_no_login_starts_or_completes() {
    let site = Site::new("locked");
    let token = site.token().await;
    let other = rusqlite::Connection::open(site.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (started, completed) = tokio::join!(
        site.client.authenticate("alice@example.com"),
        site.client.verify(&token)
    );
    for code in [started.unwrap_err().code(), completed.unwrap_err().code()] {
        assert_eq!(code, Code::StoreUnavailable);
    }
    other.execute_batch("ROLLBACK").unwrap();
    site.client.verify(&token).await.unwrap();
}

/// The manual warns of this.
#[tokio::test]
async fn a_restored_file_restores_used_logins() {
    let site = Site::new("restored");
    let token = site.token().await;
    let other = rusqlite::Connection::open(site.file()).unwrap();
    let backup = site.directory.join("backup.db");
    let sql = format!("VACUUM INTO '{}'", backup.display());
    other.execute_batch(&sql).unwrap();
    drop(other);
    site.client.verify(&token).await.unwrap();
    let again = site.client.verify(&token).await.unwrap_err();
    assert_eq!(again.code(), Code::SessionUsed);
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(site.directory.join(format!("logins.db{suffix}")));
    }
    fs::rename(backup, site.file()).unwrap();
    site.client.verify(&token).await.unwrap();
}

#[tokio::test]
async fn a_text_that_is_too_long_reaches_no_store() {
    let site = Site::new("long");
    let mut options = AuthenticateOptions::for_email("alice@example.com");
    options.session = Some("x".repeat(1024 * 1024));
    let refused = site.client.authenticate_with(options).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidOption);
    let file = rusqlite::Connection::open(site.file()).unwrap();
    let count: i64 = file
        .query_row("SELECT count(*) FROM logins", (), |row| row.get(0))
        .unwrap();
    assert_eq!(count, 0);
}

#[tokio::test]
async fn the_file_tells_no_nonce() {
    let site = Site::new("secret");
    let url = site.client.authenticate("alice@example.com").await.unwrap();
    let options = MintOptions::for_url(&url).unwrap();
    let mut content = fs::read(site.file()).unwrap();
    content.extend(fs::read(site.directory.join("logins.db-wal")).unwrap());
    let has = |text: &str| {
        content
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    assert!(has("alice@example.com"));
    assert!(!has(&options.nonce));
}
