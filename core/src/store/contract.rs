//! What a store has to do.

use std::time::Duration;

use super::nonces::NonceStore;
use crate::error::Result;
use crate::future::BoxFuture;
use crate::session_key::SessionKey;

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

    /// What [`Store::take`] would find under `key`, without taking it; `None` from a store that
    /// cannot tell.
    ///
    /// # Errors
    /// As [`Store::take`].
    fn peek<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Option<Taken>>> {
        let _ = key;
        Box::pin(async { Ok(None) })
    }

    /// How many logins are pending, from a store that counts them at no cost; expired ones count
    /// until they are removed.
    fn pending(&self) -> Option<usize> {
        None
    }

    /// Whether the records are in the memory of this process, where no other process finds them.
    fn is_local(&self) -> bool {
        false
    }

    /// Whether the store itself limits how long it takes; the client then waits for it as long as it
    /// takes. For one that does not, [`Builder::store_timeout`](crate::Builder::store_timeout) does.
    fn limits_waiting(&self) -> bool {
        false
    }

    /// Where the processes that use this store share the broker's documents, if they do.
    fn documents(&self) -> Option<&dyn SharedDocuments> {
        None
    }

    /// For a store that makes the nonces itself: a client calls these methods in place of
    /// [`Store::put`], [`Store::take`] and [`Store::contains`].
    fn nonces(&self) -> Option<&dyn NonceStore> {
        None
    }
}

/// Keeps the broker's documents for all processes that use one store.
///
/// A name is 43 characters of URL-safe base64; a document is opaque text. All of this only saves
/// requests: when it fails, the client asks the broker itself.
pub trait SharedDocuments: Send + Sync {
    /// The document, unless its time has passed.
    ///
    /// # Errors
    /// As [`Store::take`].
    fn load<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<String>>>;

    /// Keeps a document for `ttl`, in place of the one that is there.
    ///
    /// # Errors
    /// As [`Store::put`].
    fn save<'a>(
        &'a self,
        name: &'a str,
        document: String,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<()>>;

    /// Says whether the caller is the one who fetches the document: the first to ask is, until
    /// `ttl` has passed or [`SharedDocuments::release`] is called.
    ///
    /// # Errors
    /// As [`Store::put`].
    fn lease<'a>(&'a self, name: &'a str, ttl: Duration) -> BoxFuture<'a, Result<bool>>;

    /// Ends the lease, so that the next to ask may fetch.
    ///
    /// # Errors
    /// As [`Store::put`].
    fn release<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<()>>;
}

/// What [`Store::take`] or [`Store::peek`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The record; once it was taken it is gone from the store.
    Record(String),
    /// The record was taken before. A store that does not remember says [`Taken::Unknown`].
    Used,
    /// There is no such record, or its time has passed.
    Unknown,
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    /// Has nothing but what a store must have.
    struct Bare;

    impl Store for Bare {
        fn put<'a>(
            &'a self,
            _: &'a SessionKey,
            _: String,
            _: Duration,
        ) -> BoxFuture<'a, Result<()>> {
            Box::pin(async { Ok(()) })
        }

        fn take<'a>(&'a self, _: &'a SessionKey) -> BoxFuture<'a, Result<Taken>> {
            Box::pin(async { Ok(Taken::Unknown) })
        }
    }

    #[test]
    fn a_store_claims_nothing_that_it_does_not_say() {
        let key = SessionKey::new("issuer", "client", "nonce");
        assert_eq!(Bare.contains(&key).now_or_never().unwrap().unwrap(), None);
        assert_eq!(Bare.peek(&key).now_or_never().unwrap().unwrap(), None);
        assert_eq!(Bare.pending(), None);
        assert!(!Bare.is_local() && !Bare.limits_waiting());
        assert!(Bare.documents().is_none() && Bare.nonces().is_none());
    }
}
