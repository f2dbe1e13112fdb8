//! The operations of a store in SQL. Each runs in a transaction of the caller.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension as _, params};

use super::errors::Purpose;
use crate::error::{Code, Error, Result};
use crate::session_key::SessionKey;
use crate::store::contract::Taken;

/// How far in the future a row may have been written. Rows further ahead were written by a wrong clock.
const TOLERANCE: i64 = 5 * 60 * 1000;
/// The minimum time for which a used login is remembered. It is longer than the token is valid: ten minutes
/// at Portier's broker, and five more with the leeway of clients.
const REMEMBERED: i64 = 15 * 60 * 1000;
/// The maximum lifetime of a row.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// The maximum length of a text that is read into memory, in bytes: more than any that is written.
const LONGEST_TEXT: i64 = 2 * 1024 * 1024;
/// The maximum number of expired rows that a write removes from each table. It is more than one, so that
/// removal is faster than insertion.
pub(super) const EXPIRED_PER_WRITE: usize = 2;

/// A time in milliseconds since 1970.
const YEAR_10000: i64 = 253_402_300_800_000;

pub(super) enum Operation {
    Put {
        key: SessionKey,
        record: String,
        ttl: Duration,
    },
    Take {
        key: SessionKey,
    },
    Contains {
        key: SessionKey,
    },
    Peek {
        key: SessionKey,
    },
    Load {
        name: String,
    },
    Save {
        name: String,
        document: String,
        ttl: Duration,
    },
    Lease {
        name: String,
        ttl: Duration,
    },
    Release {
        name: String,
    },
}

#[derive(Debug)]
pub(super) enum Outcome {
    Done,
    Is(bool),
    Taken(Taken),
    Document(Option<String>),
}

impl Operation {
    pub(super) fn writes(&self) -> bool {
        !matches!(
            self,
            Self::Contains { .. } | Self::Peek { .. } | Self::Load { .. }
        )
    }

    pub(super) fn purpose(&self) -> Purpose {
        match self {
            Self::Put { .. } | Self::Save { .. } => Purpose::Adding,
            _ => Purpose::Other,
        }
    }

    /// Whether repeating the operation makes the file and its log grow without limit. A take writes only once
    /// per login.
    pub(super) fn grows(&self) -> bool {
        self.writes() && !matches!(self, Self::Take { .. })
    }

    /// Runs the operation. The outer result is about the database, the inner one about the operation.
    pub(super) fn run(
        &self,
        connection: &Connection,
        now: Millis,
    ) -> rusqlite::Result<Result<Outcome>> {
        match self {
            Self::Put { key, record, ttl } => put(connection, now, key, record, *ttl),
            Self::Take { key } => take(connection, now, key).map(|taken| taken.map(Outcome::Taken)),
            Self::Contains { key } => contains(connection, now, key).map(Outcome::Is).map(Ok),
            Self::Peek { key } => peek(connection, now, key).map(|found| found.map(Outcome::Taken)),
            Self::Load { name } => load(connection, now, name).map(Outcome::Document).map(Ok),
            Self::Save {
                name,
                document,
                ttl,
            } => save(connection, now, name, document, *ttl),
            Self::Lease { name, ttl } => {
                lease(connection, now, name, *ttl).map(Outcome::Is).map(Ok)
            }
            Self::Release { name } => release(connection, name),
        }
    }
}

fn put(
    connection: &Connection,
    now: Millis,
    key: &SessionKey,
    record: &str,
    ttl: Duration,
) -> rusqlite::Result<Result<Outcome>> {
    let sql = "INSERT INTO logins (key, record, started, deadline) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (key) DO NOTHING";
    let row = params![key.as_bytes(), record, now.0, now.after(ttl)];
    let added = connection.prepare_cached(sql)?.execute(row)?;
    Ok(if added == 1 {
        Ok(Outcome::Done)
    } else {
        Err(Error::new(Code::StoreFailed, "the nonce exists already"))
    })
}

/// The `DELETE` decides which caller gets the login; the rest of the transaction only remembers that it was
/// taken. A record that is too long is left alone.
fn take(connection: &Connection, now: Millis, key: &SessionKey) -> rusqlite::Result<Result<Taken>> {
    let sql = "DELETE FROM logins
        WHERE key = ?1 AND octet_length(record) <= ?4 AND deadline > ?2 AND started <= ?3
        RETURNING record, started, deadline";
    let row = params![key.as_bytes(), now.0, now.tolerated(), LONGEST_TEXT];
    let taken: Option<(String, i64, i64)> = connection
        .prepare_cached(sql)?
        .query_row(row, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((record, started, deadline)) = taken else {
        // Only what the `DELETE` returned is given to the caller.
        return peek(connection, now, key).map(|found| match found? {
            Taken::Record(_) => Ok(Taken::Unknown),
            other => Ok(other),
        });
    };
    let sql = "INSERT INTO logins (key, record, started, deadline) VALUES (?1, NULL, ?2, ?3)";
    let remembered = deadline.max(now.0.saturating_add(REMEMBERED));
    connection
        .prepare_cached(sql)?
        .execute(params![key.as_bytes(), started, remembered])?;
    Ok(Ok(Taken::Record(record)))
}

/// What a take would return.
fn peek(connection: &Connection, now: Millis, key: &SessionKey) -> rusqlite::Result<Result<Taken>> {
    let sql = "SELECT octet_length(record), CASE WHEN octet_length(record) <= ?4 THEN record END
        FROM logins WHERE key = ?1 AND deadline > ?2 AND started <= ?3";
    let row = params![key.as_bytes(), now.0, now.tolerated(), LONGEST_TEXT];
    let found: Option<(Option<i64>, Option<String>)> = connection
        .prepare_cached(sql)?
        .query_row(row, |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(match found {
        None => Ok(Taken::Unknown),
        Some((None, _)) => Ok(Taken::Used),
        Some((Some(_), Some(record))) => Ok(Taken::Record(record)),
        Some((Some(length), None)) => Err(Error::new(
            Code::StoreFailed,
            format_args!(
                "the store has a longer text than any record limit={LONGEST_TEXT} length={length}"
            ),
        )),
    })
}

fn contains(connection: &Connection, now: Millis, key: &SessionKey) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM logins
        WHERE key = ?1 AND record IS NOT NULL AND deadline > ?2 AND started <= ?3)";
    let row = params![key.as_bytes(), now.0, now.tolerated()];
    connection
        .prepare_cached(sql)?
        .query_row(row, |row| row.get(0))
}

/// A document that is too long is ignored.
fn load(connection: &Connection, now: Millis, name: &str) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT document FROM documents
        WHERE name = ?1 AND octet_length(document) <= ?4 AND deadline > ?2 AND started <= ?3";
    connection
        .prepare_cached(sql)?
        .query_row(params![name, now.0, now.tolerated(), LONGEST_TEXT], |row| {
            row.get(0)
        })
        .optional()
}

fn save(
    connection: &Connection,
    now: Millis,
    name: &str,
    document: &str,
    ttl: Duration,
) -> rusqlite::Result<Result<Outcome>> {
    let sql = "INSERT OR REPLACE INTO documents (name, document, started, deadline)
        VALUES (?1, ?2, ?3, ?4)";
    connection
        .prepare_cached(sql)?
        .execute(params![name, document, now.0, now.after(ttl)])?;
    Ok(Ok(Outcome::Done))
}

fn lease(
    connection: &Connection,
    now: Millis,
    name: &str,
    ttl: Duration,
) -> rusqlite::Result<bool> {
    let sql = "INSERT INTO leases (name, started, deadline) VALUES (?1, ?2, ?3)
        ON CONFLICT (name) DO UPDATE SET started = excluded.started, deadline = excluded.deadline
        WHERE deadline <= excluded.started OR started > ?4";
    let row = params![name, now.0, now.after(ttl), now.tolerated()];
    Ok(connection.prepare_cached(sql)?.execute(row)? == 1)
}

fn release(connection: &Connection, name: &str) -> rusqlite::Result<Result<Outcome>> {
    connection
        .prepare_cached("DELETE FROM leases WHERE name = ?1")?
        .execute([name])?;
    Ok(Ok(Outcome::Done))
}

/// Removes some rows that have expired, or that were written by a clock far ahead. Returns their number.
pub(super) fn remove_expired(
    connection: &Connection,
    now: Millis,
    most: usize,
) -> rusqlite::Result<usize> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let impossible = now.after(LONGEST).saturating_add(TOLERANCE);
    let mut removed = 0;
    for sql in [
        "DELETE FROM logins WHERE rowid IN
            (SELECT rowid FROM logins WHERE deadline <= ?1 ORDER BY deadline LIMIT ?2)",
        "DELETE FROM documents WHERE rowid IN
            (SELECT rowid FROM documents WHERE deadline <= ?1 ORDER BY deadline LIMIT ?2)",
        "DELETE FROM leases WHERE rowid IN
            (SELECT rowid FROM leases WHERE deadline <= ?1 ORDER BY deadline LIMIT ?2)",
    ] {
        let mut statement = connection.prepare_cached(sql)?;
        removed += statement.execute(params![now.0, most])?;
    }
    let sql = "DELETE FROM logins WHERE rowid IN
        (SELECT rowid FROM logins WHERE deadline > ?1 ORDER BY deadline DESC LIMIT ?2)";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(removed + statement.execute(params![impossible, most])?)
}

/// Milliseconds since 1970.
#[derive(Clone, Copy)]
pub(super) struct Millis(i64);

impl Millis {
    /// # Errors
    /// [`Code::StoreFailed`] before 1970 and after the end of 9999.
    pub(super) fn new(time: SystemTime) -> Result<Self> {
        let since = time.duration_since(UNIX_EPOCH).ok().map(millis);
        since
            .filter(|since| *since < YEAR_10000)
            .map(Self)
            .ok_or_else(|| Error::new(Code::StoreFailed, "the clock shows an invalid time"))
    }

    fn after(self, ttl: Duration) -> i64 {
        self.0.saturating_add(millis(ttl.min(LONGEST)))
    }

    fn tolerated(self) -> i64 {
        self.0.saturating_add(TOLERANCE)
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
