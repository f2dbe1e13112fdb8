//! The requests to the broker, for the tracing of a site.

use super::Client;
use crate::http::SentRequest;

impl Client {
    /// Takes the requests to the broker that have ended since the last call, at most the last thousand. Nothing is
    /// recorded before the first call, which returns none.
    ///
    /// It is for programs that make spans or metrics of them. In Rust, the same is in the spans of `tracing`; see
    /// [`events`](crate::events).
    pub fn take_requests(&self) -> Vec<SentRequest> {
        self.inner.sent.take(&*self.inner.clock)
    }
}
