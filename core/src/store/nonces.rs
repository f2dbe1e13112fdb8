//! Stores that make the nonces themselves, like those of older libraries.

use crate::error::Result;
use crate::future::BoxFuture;

/// Makes nonces, keeps an address with each, and accepts each nonce once, with its address.
///
/// Such a store keeps no records: logins have no `session` text, no binding to a browser, and no start time.
/// It is for stores that were written for another library; new stores should implement
/// [`Store`](super::Store).
pub trait NonceStore: Send + Sync {
    /// Makes an unpredictable nonce, and keeps the address with it.
    ///
    /// # Errors
    /// As [`Store::put`](super::Store::put).
    fn create<'a>(&'a self, email: &'a str) -> BoxFuture<'a, Result<String>>;

    /// Uses a nonce up: of any number of calls for one nonce, at most one succeeds, and only with the
    /// address of the nonce.
    ///
    /// # Errors
    /// [`SessionUnknown`](crate::Code::SessionUnknown) for an unknown nonce or another address, and as [`Store::take`](super::Store::take).
    fn consume<'a>(&'a self, nonce: &'a str, email: &'a str) -> BoxFuture<'a, Result<()>>;
}
