//! The contract of stores.

use std::time::Duration;

use super::nonces::NonceStore;
use crate::error::Result;
use crate::future::BoxFuture;
use crate::session_key::SessionKey;

/// Keeps small records until a deadline, and returns each record exactly once.
///
/// A record is opaque text. A key is a digest of the nonce, the broker and the relying party, so that the
/// content of a store reveals no nonce, and clients can share a store.
pub trait Store: Send + Sync + 'static {
    /// Keeps `record` under `key` for `ttl`.
    ///
    /// # Errors
    /// [`StoreFull`](crate::Code::StoreFull), [`StoreUnavailable`](crate::Code::StoreUnavailable),
    /// or [`StoreFailed`](crate::Code::StoreFailed), also if the key exists already.
    fn put<'a>(
        &'a self,
        key: &'a SessionKey,
        record: String,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<()>>;

    /// Removes the record and returns it, atomically: of any number of calls for one key, at most one gets
    /// [`Taken::Record`].
    ///
    /// # Errors
    /// [`StoreUnavailable`](crate::Code::StoreUnavailable) or
    /// [`StoreFailed`](crate::Code::StoreFailed); the record may or may not have been removed.
    fn take<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Taken>>;

    /// Whether there is a record under `key`; `None` if the store cannot tell.
    ///
    /// # Errors
    /// As [`Store::take`].
    fn contains<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Option<bool>>> {
        let _ = key;
        Box::pin(async { Ok(None) })
    }

    /// What [`Store::take`] would return for `key`, without removing the record; `None` if the store cannot
    /// tell.
    ///
    /// # Errors
    /// As [`Store::take`].
    fn peek<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Option<Taken>>> {
        let _ = key;
        Box::pin(async { Ok(None) })
    }

    /// How many logins are pending, if the store can count them cheaply. Expired ones count until they are
    /// removed.
    fn pending(&self) -> Option<usize> {
        None
    }

    /// Whether the records are in the memory of this process, where no other process can find them.
    fn is_local(&self) -> bool {
        false
    }

    /// Whether the store limits the time of its calls itself. If it does not, the client does so with
    /// [`Builder::store_timeout`](crate::Builder::store_timeout).
    fn limits_waiting(&self) -> bool {
        false
    }

    /// The broker's documents, if the processes that use this store share them.
    fn documents(&self) -> Option<&dyn SharedDocuments> {
        None
    }

    /// For a store that makes the nonces itself. A client calls these methods instead of [`Store::put`],
    /// [`Store::take`] and [`Store::contains`].
    fn nonces(&self) -> Option<&dyn NonceStore> {
        None
    }
}

/// Keeps the broker's documents for all processes that use a store.
///
/// A name is 43 characters of URL-safe base64; a document is opaque text. This only saves requests: if it
/// fails, the client fetches the documents itself.
pub trait SharedDocuments: Send + Sync {
    /// The document, unless it has expired.
    ///
    /// # Errors
    /// As [`Store::take`].
    fn load<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<String>>>;

    /// Keeps a document for `ttl`, and replaces an existing one.
    ///
    /// # Errors
    /// As [`Store::put`].
    fn save<'a>(
        &'a self,
        name: &'a str,
        document: String,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<()>>;

    /// Takes the lease, which allows one caller to fetch the document. Returns `false` if another caller
    /// holds it. A lease ends after `ttl`, or with [`SharedDocuments::release`].
    ///
    /// # Errors
    /// As [`Store::put`].
    fn lease<'a>(&'a self, name: &'a str, ttl: Duration) -> BoxFuture<'a, Result<bool>>;

    /// Ends the lease.
    ///
    /// # Errors
    /// As [`Store::put`].
    fn release<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<()>>;
}

/// What [`Store::take`] or [`Store::peek`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The record; [`Store::take`] has removed it from the store.
    Record(String),
    /// The record was taken before. A store that does not remember this returns [`Taken::Unknown`].
    Used,
    /// There is no such record, or it has expired.
    Unknown,
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    /// Implements only the required methods.
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
    fn the_optional_methods_of_a_store_return_nothing() {
        let key = SessionKey::new("issuer", "client", "nonce");
        assert_eq!(Bare.contains(&key).now_or_never().unwrap().unwrap(), None);
        assert_eq!(Bare.peek(&key).now_or_never().unwrap().unwrap(), None);
        assert_eq!(Bare.pending(), None);
        assert!(!Bare.is_local() && !Bare.limits_waiting());
        assert!(Bare.documents().is_none() && Bare.nonces().is_none());
    }
}
