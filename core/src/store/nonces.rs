//! Stores that make the nonces themselves, as those of older libraries do.

use crate::error::Result;
use crate::future::BoxFuture;

/// Makes nonces, keeps an address with each, and accepts each once with its address.
///
/// Such a store keeps no record: logins have neither a `session` text nor a binding to the
/// browser, and when they were started is not known. Meant for stores that were written for
/// another library; a new one should be a [`Store`](super::Store).
pub trait NonceStore: Send + Sync {
    /// Makes a nonce that nobody can guess, and keeps the address with it.
    ///
    /// # Errors
    /// As [`Store::put`](super::Store::put).
    fn create<'a>(&'a self, email: &'a str) -> BoxFuture<'a, Result<String>>;

    /// Uses a nonce up: of any number of calls for one nonce, at most one succeeds, and only with
    /// the address that was kept with it.
    ///
    /// # Errors
    /// [`SessionUnknown`](crate::Code::SessionUnknown) for a nonce that is not there or belongs to
    /// another address, and as [`Store::take`](super::Store::take).
    fn consume<'a>(&'a self, nonce: &'a str, email: &'a str) -> BoxFuture<'a, Result<()>>;
}
