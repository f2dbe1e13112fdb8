//! The store with files of all kinds, manual clocks, and other processes.

mod disks;
mod documents;
mod errors;
mod files;
mod idle_connection;
mod log;
mod logins;
mod long;
mod owners;
mod processes;
mod waiting;

use std::fs::{self, Permissions};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::connection::Limits;
use super::place::Place;
use super::*;
use crate::testing::ManualClock;

/// 2023-11-14 22:13:20.
const START: u64 = 1_700_000_000;
const TTL: Duration = Duration::from_secs(30 * 60);
/// Long enough for operations that end soon, and short enough to wait for others.
const IMPATIENT: Limits = Limits {
    patience: Duration::from_millis(40),
    pages: 262_144,
    log: 256 << 20,
};

/// A new directory, the time, and the opened stores.
struct Scene {
    directory: PathBuf,
    clock: Arc<ManualClock>,
}

impl Scene {
    fn new() -> Self {
        static SCENES: AtomicU32 = AtomicU32::new(0);
        let number = SCENES.fetch_add(1, Ordering::Relaxed);
        let name = format!("portier-client-sqlite-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir(&directory).unwrap();
        set_mode(&directory, 0o700);
        Self {
            directory: directory.canonicalize().unwrap(),
            clock: Arc::new(ManualClock::at(START)),
        }
    }

    fn path(&self) -> PathBuf {
        self.directory.join("logins.db")
    }

    fn url(&self) -> String {
        url(&self.path())
    }

    fn open(&self) -> Result<SqliteStore> {
        SqliteStore::open(&self.url(), Arc::clone(&self.clock) as _)
    }

    fn open_with(&self, limits: Limits) -> Result<SqliteStore> {
        let place = Place::parse(&self.url())?;
        SqliteStore::at(place, Arc::clone(&self.clock) as _, limits)
    }

    /// The file, as another program sees it.
    fn raw(&self) -> rusqlite::Connection {
        let raw = rusqlite::Connection::open(self.path()).unwrap();
        raw.busy_timeout(Duration::from_secs(5)).unwrap();
        raw
    }

    fn rows(&self, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        self.raw().query_row(&sql, (), |row| row.get(0)).unwrap()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn url(path: &Path) -> String {
    format!("sqlite:///{}", path.display())
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;

    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;

    path.metadata().unwrap().permissions().mode() & 0o7777
}

fn key(number: u64) -> SessionKey {
    SessionKey::new("issuer", "client", &number.to_string())
}

fn record(number: u64) -> Taken {
    Taken::Record(number.to_string())
}

async fn put(store: &SqliteStore, number: u64, ttl: Duration) -> Result<()> {
    store.put(&key(number), number.to_string(), ttl).await
}

async fn take(store: &SqliteStore, number: u64) -> Result<Taken> {
    store.take(&key(number)).await
}

fn code<T>(result: Result<T>) -> Code {
    result.err().expect("an error").code()
}
