//! The tables, and the header by which a file of a store is recognized.

use rusqlite::{Connection, TransactionBehavior};

use super::errors::{Purpose, translate};
use super::place::Place;
use crate::error::Result;

/// `PtCl`.
const APPLICATION: i64 = 0x5074_436c;
const VERSION: i64 = 1;

/// Times are in milliseconds since 1970. `record` is NULL after a login was taken. The tables have row ids:
/// without them, SQLite would read whole rows into memory to compare keys, however long the rows are.
const TABLES: &str = "
CREATE TABLE logins (
    key BLOB PRIMARY KEY,
    record TEXT,
    started INTEGER NOT NULL,
    deadline INTEGER NOT NULL
) STRICT;
CREATE INDEX logins_by_deadline ON logins (deadline);
CREATE TABLE documents (
    name TEXT PRIMARY KEY,
    document TEXT NOT NULL,
    started INTEGER NOT NULL,
    deadline INTEGER NOT NULL
) STRICT;
CREATE INDEX documents_by_deadline ON documents (deadline);
CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    started INTEGER NOT NULL,
    deadline INTEGER NOT NULL
) STRICT;
CREATE INDEX leases_by_deadline ON leases (deadline);
";

/// The size in pages up to which a file is checked completely when it is opened: 16 MiB.
const EXAMINED_PAGES: i64 = 4096;

/// The header of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    /// The file is empty.
    Empty,
    Ours,
    /// A store of another version.
    OtherVersion(i64),
    /// A file of another program.
    Foreign,
}

pub(super) fn header(connection: &Connection) -> rusqlite::Result<Header> {
    let sql = "SELECT (SELECT application_id FROM pragma_application_id),
        (SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_schema)";
    let mut statement = connection.prepare_cached(sql)?;
    let (application, version, objects): (i64, i64, i64) =
        statement.query_row((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(match (application, version) {
        (0, 0) if objects == 0 => Header::Empty,
        (APPLICATION, VERSION) => Header::Ours,
        (APPLICATION, version) => Header::OtherVersion(version),
        _ => Header::Foreign,
    })
}

/// Creates the tables, unless another process was faster.
pub(super) fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if header(&transaction)? == Header::Empty {
        transaction.execute_batch(TABLES)?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()
}

/// Refuses a file that is not a store of this version.
pub(super) fn check(header: Header, place: &Place) -> Result<()> {
    match header {
        Header::Ours => Ok(()),
        Header::Empty => Err(place.failed("the store has no tables")),
        Header::OtherVersion(version) => Err(place.refused(&format!(
            "the store was made by another version of this library \
             expected={VERSION} found={version}"
        ))),
        Header::Foreign => Err(place.refused("the store's file is another program's database")),
    }
}

/// Checks the whole file, unless it is large.
pub(super) fn examine(connection: &Connection, place: &Place) -> Result<()> {
    let opening = |error| translate(&error, Purpose::Opening, place);
    if definitions(connection).map_err(opening)? != expected().map_err(opening)? {
        return Err(place.failed("the store has unexpected tables"));
    }
    let pages: i64 = connection
        .query_row("PRAGMA page_count", (), |row| row.get(0))
        .map_err(opening)?;
    if pages > EXAMINED_PAGES {
        return Ok(());
    }
    let verdict: String = connection
        .query_row("PRAGMA quick_check(1)", (), |row| row.get(0))
        .map_err(opening)?;
    if verdict == "ok" {
        return Ok(());
    }
    Err(place.failed("the store's file is damaged"))
}

fn definitions(connection: &Connection) -> rusqlite::Result<Vec<Option<String>>> {
    let mut statement = connection.prepare("SELECT sql FROM sqlite_schema ORDER BY type, name")?;
    let rows = statement.query_map((), |row| row.get(0))?;
    rows.collect()
}

fn expected() -> rusqlite::Result<Vec<Option<String>>> {
    let connection = Connection::open_in_memory()?;
    connection.execute_batch(TABLES)?;
    definitions(&connection)
}
