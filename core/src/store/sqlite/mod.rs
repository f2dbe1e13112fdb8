//! Pending logins in an SQLite file, for several processes on one machine.

mod connection;
mod errors;
mod fork_check;
mod idle_connection;
mod operations;
mod place;
mod queue;
mod schema;
mod users;

use std::sync::Arc;
use std::time::Duration;

use self::connection::{Connection, Limits, Patience};
use self::operations::{Operation, Outcome};
use self::place::Place;
use self::queue::Queue;
use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::fork;
use crate::future::BoxFuture;
use crate::session_key::SessionKey;
use crate::store::contract::{SharedDocuments, Store, Taken};

/// Keeps pending logins, and the broker's documents, in an SQLite file that several processes on one machine
/// can share.
///
/// Committed data survives a crash and a loss of power. Calls that arrive together are written in one
/// transaction, on a blocking thread of the runtime, which needs its timer enabled. The file stays open for
/// up to a second after it was used. Each write removes a few expired logins. A used login is remembered
/// until it expires, and for at least 15 minutes.
///
/// ```
/// # fn main() -> Result<(), portier_client::Error> {
/// # let directory = std::env::temp_dir().join(format!("portier-client-{}", std::process::id()));
/// # std::fs::create_dir_all(&directory).unwrap();
/// # #[cfg(unix)]
/// # std::fs::set_permissions(&directory, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
/// # let url = format!("sqlite:///{}", directory.join("logins.db").display());
/// # let elsewhere = url;
/// use std::sync::Arc;
/// use portier_client::{Client, SqliteStore, SystemClock};
///
/// let url = "sqlite:////var/lib/site/logins.db";
/// # let url = &elsewhere;
/// let store = Arc::new(SqliteStore::open(url, Arc::new(SystemClock::new()))?);
/// let client = Client::builder("https://example.com/verify").store(store).build()?;
/// # drop(client);
/// # std::fs::remove_dir_all(directory).unwrap();
/// # Ok(())
/// # }
/// ```
pub struct SqliteStore {
    queue: Arc<Queue>,
}

impl SqliteStore {
    /// Opens the store of a URL, and creates it if it does not exist. The URL is `sqlite:///` and a path, which
    /// is relative unless it begins with another slash. The directory must exist, and only the user of this
    /// process and root may be able to replace files in it.
    ///
    /// # Errors
    /// [`Code::InvalidOption`] for an invalid URL, an unusable path, and a file of another program;
    /// [`Code::StoreUnavailable`] if the file is locked; [`Code::StoreFailed`] if it is damaged. Nothing is
    /// deleted or repaired.
    pub fn open(url: &str, clock: Arc<dyn Clock>) -> Result<Self> {
        let place = Place::parse(url)?;
        Self::at(place, clock, Limits::default())
    }

    fn at(place: Place, clock: Arc<dyn Clock>, limits: Limits) -> Result<Self> {
        let _busy = fork::busy();
        let mut patience = Patience::new(limits.patience);
        loop {
            let opened = Connection::open(&place, limits, &mut patience);
            match opened.and_then(|connection| connection.examine(&place)) {
                // It is closed by now.
                Err(_) if patience.gave_way() => fork::give_way(),
                examined => break examined?,
            }
        }
        Ok(Self {
            queue: Queue::new(place, clock, limits),
        })
    }

    /// How many other processes have the file of a store open now; `None` if the system does not tell.
    pub(crate) fn other_processes(url: &str) -> Option<usize> {
        users::other_processes(Place::parse(url).ok()?.path())
    }

    async fn run(&self, operation: Operation) -> Result<Outcome> {
        self.queue.run(operation).await
    }
}

impl Store for SqliteStore {
    fn put<'a>(
        &'a self,
        key: &'a SessionKey,
        record: String,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<()>> {
        let key = *key;
        Box::pin(async move {
            match self.run(Operation::Put { key, record, ttl }).await? {
                Outcome::Done => Ok(()),
                _ => Err(mixed_up()),
            }
        })
    }

    fn take<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Taken>> {
        Box::pin(async move {
            match self.run(Operation::Take { key: *key }).await? {
                Outcome::Taken(taken) => Ok(taken),
                _ => Err(mixed_up()),
            }
        })
    }

    fn contains<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Option<bool>>> {
        Box::pin(async move {
            match self.run(Operation::Contains { key: *key }).await? {
                Outcome::Is(pending) => Ok(Some(pending)),
                _ => Err(mixed_up()),
            }
        })
    }

    fn peek<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Option<Taken>>> {
        Box::pin(async move {
            match self.run(Operation::Peek { key: *key }).await? {
                Outcome::Taken(found) => Ok(Some(found)),
                _ => Err(mixed_up()),
            }
        })
    }

    fn documents(&self) -> Option<&dyn SharedDocuments> {
        Some(self)
    }

    fn limits_waiting(&self) -> bool {
        true
    }
}

impl SharedDocuments for SqliteStore {
    fn load<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<String>>> {
        let name = name.to_owned();
        Box::pin(async move {
            match self.run(Operation::Load { name }).await? {
                Outcome::Document(document) => Ok(document),
                _ => Err(mixed_up()),
            }
        })
    }

    fn save<'a>(
        &'a self,
        name: &'a str,
        document: String,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<()>> {
        let name = name.to_owned();
        Box::pin(async move {
            let save = Operation::Save {
                name,
                document,
                ttl,
            };
            match self.run(save).await? {
                Outcome::Done => Ok(()),
                _ => Err(mixed_up()),
            }
        })
    }

    fn lease<'a>(&'a self, name: &'a str, ttl: Duration) -> BoxFuture<'a, Result<bool>> {
        let name = name.to_owned();
        Box::pin(async move {
            match self.run(Operation::Lease { name, ttl }).await? {
                Outcome::Is(granted) => Ok(granted),
                _ => Err(mixed_up()),
            }
        })
    }

    fn release<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<()>> {
        let name = name.to_owned();
        Box::pin(async move {
            match self.run(Operation::Release { name }).await? {
                Outcome::Done => Ok(()),
                _ => Err(mixed_up()),
            }
        })
    }
}

fn mixed_up() -> Error {
    Error::new(
        Code::Internal,
        "the store returned the result of another operation",
    )
}

#[cfg(test)]
#[cfg(all(unix, feature = "testing"))]
mod tests;
