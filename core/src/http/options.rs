//! The options of the transport over the network.

use std::time::Duration;

use crate::origin::Origin;
use crate::tls::Listed;

/// The options of [`HttpTransport`](super::HttpTransport).
pub(crate) struct HttpOptions {
    /// The time limit of one request, from the first look-up to the last byte, including the retry.
    pub(crate) timeout: Duration,
    /// The broker. If it is `https`, plain `http` is refused, also in redirects.
    pub(crate) broker: Origin,
    /// Whether plain `http` is allowed for other hosts than this machine.
    pub(crate) danger_allow_http: bool,
    /// The certificates to trust in addition to the system's.
    pub(crate) listed: Listed,
    pub(crate) user_agent: Option<String>,
}
