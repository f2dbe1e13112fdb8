//! Where pending logins wait.

mod entries;
mod memory;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

pub use self::memory::MemoryStore;
use crate::error::Result;
pub use crate::nonce::SessionKey;

/// A future that a trait object can return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Keeps small records until a deadline and gives each away exactly once.
///
/// A record is opaque text. A key is a digest of the nonce, the broker and the relying party, so
/// that whoever reads the store learns no nonce, and clients can share one store.
pub trait Store: Send + Sync + 'static {
    /// Keeps `record` under `key` for `ttl`.
    ///
    /// # Errors
    /// [`StoreFull`](crate::Code::StoreFull), [`StoreUnavailable`](crate::Code::StoreUnavailable),
    /// or [`StoreFailed`](crate::Code::StoreFailed), which includes a key that is taken already.
    fn put<'a>(
        &'a self,
        key: &'a SessionKey,
        record: String,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<()>>;

    /// Removes the record and returns it, in one step: of any number of calls for one key, at most
    /// one gets [`Taken::Record`].
    ///
    /// # Errors
    /// [`StoreUnavailable`](crate::Code::StoreUnavailable) or
    /// [`StoreFailed`](crate::Code::StoreFailed); the record may or may not be gone then.
    fn take<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Taken>>;

    /// Whether a record waits under `key`; `None` from a store that cannot tell.
    ///
    /// # Errors
    /// As [`Store::take`].
    fn contains<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Option<bool>>> {
        let _ = key;
        Box::pin(async { Ok(None) })
    }

    /// How many logins are pending, from a store that counts them at no cost; expired ones count
    /// until they are removed.
    fn pending(&self) -> Option<usize> {
        None
    }
}

/// What [`Store::take`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The record; it is gone from the store now.
    Record(String),
    /// The record was taken before. A store that does not remember says [`Taken::Unknown`].
    Used,
    /// There is no such record, or its time has passed.
    Unknown,
}
