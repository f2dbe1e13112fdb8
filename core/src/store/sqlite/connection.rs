//! An open file of a store.

use std::mem;
use std::thread;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{OpenFlags, Transaction, TransactionBehavior, ffi};

use super::errors::{Purpose, is_busy, translate};
use super::fork_check::ForkCheck;
use super::place::{Identity, Place};
use super::schema::{self, Header};
use crate::error::{Code, Error, Result};
use crate::fork;

/// The pauses between attempts to get a lock. SQLite's own pauses grow to a tenth of a second, so that a
/// busy process could starve the others.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);
const LONGEST_WAIT: Duration = Duration::from_millis(8);
/// How long a write waits for readers that prevent a checkpoint of the write-ahead log.
const READERS_WAIT: Duration = Duration::from_millis(50);

/// FULL: a commit survives a loss of power; otherwise a login could be used twice. The log is kept short,
/// because the first process that opens the file reads all of it.
const SETTINGS: &str = "
PRAGMA synchronous = FULL;
PRAGMA fullfsync = ON;
PRAGMA checkpoint_fullfsync = ON;
PRAGMA secure_delete = FAST;
PRAGMA temp_store = MEMORY;
PRAGMA cell_size_check = ON;
PRAGMA journal_size_limit = 4194304;
PRAGMA wal_autocheckpoint = 256;
";

/// How long an operation may still wait for other processes.
pub(super) struct Patience {
    left: Duration,
    gave_way: bool,
}

impl Patience {
    pub(super) fn new(left: Duration) -> Self {
        Self {
            left,
            gave_way: false,
        }
    }

    /// Whether a fork of this process ended the waiting since the last call. The operation can be retried
    /// after the fork.
    pub(super) fn gave_way(&mut self) -> bool {
        mem::take(&mut self.gave_way)
    }

    /// Pauses, if there is time left.
    fn wait(&mut self, wait: Duration) -> bool {
        if self.left.is_zero() {
            return false;
        }
        if fork::is_waiting() {
            self.gave_way = true;
            return false;
        }
        thread::sleep(wait);
        self.left = self.left.saturating_sub(wait);
        true
    }
}

/// The limits of a store.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// How long an operation waits for other processes.
    pub(super) patience: Duration,
    /// The maximum size of the file, in pages of 4 KiB.
    pub(super) pages: u32,
    /// The size of the write-ahead log, in bytes, from which new logins are refused.
    pub(super) log: u64,
}

impl Default for Limits {
    /// Two seconds; 1 GiB, which is enough for millions of pending logins; 256 MiB for the log.
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(2),
            pages: 262_144,
            log: 256 << 20,
        }
    }
}

pub(super) struct Connection {
    file: rusqlite::Connection,
    limits: Limits,
    identity: Option<Identity>,
    /// Dropped after the connection.
    _fork_check: ForkCheck,
}

impl Connection {
    /// Opens the file of a store, and creates it if it does not exist.
    ///
    /// # Errors
    /// Those of [`SqliteStore::open`](super::SqliteStore::open).
    pub(super) fn open(place: &Place, limits: Limits, patience: &mut Patience) -> Result<Self> {
        let fork_check = ForkCheck::enter()?;
        let opening = |error| translate(&error, Purpose::Opening, place);
        if let Some(draft) = place.prepare()? {
            let mut connection = Self::open(draft.place(), limits, patience)?;
            connection
                .patiently(patience, Self::shorten_log)
                .map_err(opening)?;
            drop(connection);
            draft.publish(place)?;
            if place.prepare()?.is_some() {
                return Err(Error::new(
                    Code::StoreUnavailable,
                    "the store's file was removed at once",
                ));
            }
        }
        let flags = OpenFlags::from_iter([
            OpenFlags::SQLITE_OPEN_READ_WRITE,
            OpenFlags::SQLITE_OPEN_NO_MUTEX,
            OpenFlags::SQLITE_OPEN_NOFOLLOW,
            OpenFlags::SQLITE_OPEN_EXRESCODE,
        ]);
        let connection =
            rusqlite::Connection::open_with_flags(place.path(), flags).map_err(opening)?;
        if connection.is_readonly("main").map_err(opening)? {
            // SQLite has opened it only to read it.
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_READONLY), None);
            return Err(opening(error));
        }
        let mut connection = Self {
            file: connection,
            limits,
            identity: place.identity(),
            _fork_check: fork_check,
        };
        connection
            .patiently(patience, Self::configure)
            .map_err(opening)?;
        let header = connection.header(patience).map_err(opening)?;
        schema::check(header, place)?;
        Ok(connection)
    }

    /// Whether the open file is still the one at its path.
    pub(super) fn is_at(&self, place: &Place) -> bool {
        self.identity.is_some() && self.identity == place.identity()
    }

    /// Checks the content of an open file.
    ///
    /// # Errors
    /// [`Code::StoreFailed`].
    pub(super) fn examine(&self, place: &Place) -> Result<()> {
        let mode: String = self
            .file
            .query_row("PRAGMA journal_mode", (), |row| row.get(0))
            .map_err(|error| translate(&error, Purpose::Opening, place))?;
        if mode != "wal" {
            let fact = format!("the store's file system has no write-ahead log mode={mode}");
            return Err(place.refused(&fact));
        }
        schema::examine(&self.file, place)
    }

    #[cfg(test)]
    pub(super) fn setting(&self, name: &str) -> String {
        let read = |row: &rusqlite::Row<'_>| {
            let value: rusqlite::types::Value = row.get(0)?;
            Ok(match value {
                rusqlite::types::Value::Integer(number) => number.to_string(),
                rusqlite::types::Value::Text(text) => text,
                other => format!("{other:?}"),
            })
        };
        self.file.pragma_query_value(None, name, read).unwrap()
    }

    /// Runs `work` in one transaction.
    pub(super) fn transact<T>(
        &mut self,
        patience: &mut Patience,
        behavior: TransactionBehavior,
        mut work: impl FnMut(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.patiently(patience, |connection| {
            let transaction = connection.file.transaction_with_behavior(behavior)?;
            let result = work(&transaction)?;
            transaction.commit()?;
            Ok(result)
        })
    }

    /// Whether the write-ahead log is too long, and a reader prevents a checkpoint.
    pub(super) fn log_is_full(
        &mut self,
        place: &Place,
        patience: &mut Patience,
    ) -> rusqlite::Result<bool> {
        if place.log_length() <= self.limits.log {
            return Ok(false);
        }
        let mut short = Patience::new(READERS_WAIT.min(self.limits.patience));
        match self.patiently(&mut short, Self::shorten_log) {
            Err(error) if is_busy(&error) => {
                patience.gave_way = short.gave_way();
                if patience.gave_way {
                    Err(error)
                } else {
                    Ok(true)
                }
            }
            shortened => shortened.map(|()| false),
        }
    }

    /// Makes a checkpoint: copies the write-ahead log into the file, and empties it.
    fn shorten_log(&mut self) -> rusqlite::Result<()> {
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        let busy: i64 = self.file.query_row(checkpoint, (), |row| row.get(0))?;
        if busy == 0 {
            return Ok(());
        }
        let busy = ffi::Error::new(ffi::SQLITE_BUSY);
        Err(rusqlite::Error::SqliteFailure(busy, None))
    }

    fn configure(&mut self) -> rusqlite::Result<()> {
        let connection = &self.file;
        connection.busy_timeout(Duration::ZERO)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        // Otherwise, SQLite would compile a statement again each time that its `LIMIT` is bound.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        // Otherwise, each last connection that closes would make a checkpoint and delete the log.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.execute_batch(SETTINGS)?;
        connection.pragma_update(None, "max_page_count", self.limits.pages)
    }

    /// Reads the header. An empty file is initialized.
    fn header(&mut self, patience: &mut Patience) -> rusqlite::Result<Header> {
        let header = self.patiently(patience, |connection| schema::header(&connection.file))?;
        if header != Header::Empty {
            return Ok(header);
        }
        self.patiently(patience, |connection| {
            let wal = "PRAGMA journal_mode = WAL";
            connection.file.query_row(wal, (), |_| Ok(()))?;
            schema::create(&mut connection.file)
        })?;
        schema::header(&self.file)
    }

    /// Retries an operation that fails because the file is locked, until the time is over.
    fn patiently<T>(
        &mut self,
        patience: &mut Patience,
        mut work: impl FnMut(&mut Self) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let mut wait = SHORTEST_WAIT;
        loop {
            match work(self) {
                Err(error) if is_busy(&error) && patience.wait(wait) => {
                    wait = (wait + SHORTEST_WAIT).min(LONGEST_WAIT);
                }
                result => return result,
            }
        }
    }
}
