//! The stores of pending logins.

mod contract;
mod entries;
mod memory;
mod nonces;
#[cfg(feature = "redis")]
mod redis;
mod sharing;
#[cfg(feature = "sqlite")]
mod sqlite;
mod timed;

use std::sync::Arc;

pub use self::contract::{SharedDocuments, Store, Taken};
pub use self::memory::MemoryStore;
pub use self::nonces::NonceStore;
#[cfg(feature = "redis")]
pub use self::redis::RedisStore;
use self::sharing::LoginsOnly;
#[cfg(feature = "sqlite")]
pub use self::sqlite::SqliteStore;
pub use self::timed::MAX_RECORD_BYTES;
pub(crate) use self::timed::Timed;
use crate::clock::{Clock, SystemClock};
use crate::error::{Code, Error, Result};

/// Opens a store by its URL, to share it between clients. The URLs are the same in all languages, and for
/// [`Builder::store_url`](crate::Builder::store_url). With `?documents=off`, a shared store keeps only
/// pending logins.
///
/// # Errors
/// [`Code::InvalidOption`] if the URL is not valid. The message never shows the URL, which may contain a
/// password.
pub fn open_store(url: &str) -> Result<Arc<dyn Store>> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    open(url, &clock)
}

pub(crate) fn open(url: &str, clock: &Arc<dyn Clock>) -> Result<Arc<dyn Store>> {
    // Values from files and environment variables may end with a line break.
    if url.trim() != url {
        return Err(unknown());
    }
    let (shares_documents, url) = sharing::split(url)?;
    let store = open_scheme(&url, clock)?;
    Ok(if shares_documents {
        store
    } else {
        Arc::new(LoginsOnly(store))
    })
}

/// How many other processes have the file of a store open now; `None` if the store is no file, or the system does not
/// tell. It blocks.
pub(crate) fn processes_with_file(url: &str) -> Option<usize> {
    let (_, url) = sharing::split(url).ok()?;
    #[cfg(feature = "sqlite")]
    return SqliteStore::other_processes(&url);
    #[cfg(not(feature = "sqlite"))]
    {
        let _ = url;
        None
    }
}

fn open_scheme(url: &str, clock: &Arc<dyn Clock>) -> Result<Arc<dyn Store>> {
    let (scheme, _) = url.split_once(':').unwrap_or((url, ""));
    match scheme {
        "memory" if url == "memory:" => Ok(Arc::new(MemoryStore::new(Arc::clone(clock)))),
        #[cfg(feature = "redis")]
        scheme if redis::url::is_redis(scheme) => Ok(Arc::new(RedisStore::new(url)?)),
        #[cfg(feature = "sqlite")]
        "sqlite" => Ok(Arc::new(SqliteStore::open(url, Arc::clone(clock))?)),
        _ => Err(unknown()),
    }
}

fn unknown() -> Error {
    Error::new(
        Code::InvalidOption,
        "store is not the URL of a store, such as sqlite:////var/lib/site/logins.db, redis://localhost:6379 or memory:, without white space",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_store_url_is_refused() {
        assert!(open_store("memory:").is_ok());
        for url in [
            "",
            "memory",
            "memory:x",
            "memory://",
            "file:///a",
            "redis",
            "sqlite",
            " memory:",
            "memory:\n",
            "redis://localhost\n",
            "sqlite:////tmp/logins.db ",
            "postgresql://localhost",
        ] {
            let error = open_store(url).err().unwrap();
            assert_eq!(error.code(), Code::InvalidOption, "{url}");
            // Each kind of store has its own message.
            let text = error.to_string();
            let is_redis = cfg!(feature = "redis") && url == "redis";
            assert_eq!(text.contains("Redis"), is_redis, "{url}: {text}");
        }
    }
}
