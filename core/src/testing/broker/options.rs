//! The options of the development broker.

use std::fmt;
use std::net::{AddrParseError, IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::Mode;
use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::origin::Origin;

/// How long relying parties may cache the keys.
const KEYS_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The options of a [`DevBroker`](super::DevBroker).
#[derive(Clone)]
pub struct DevBrokerOptions {
    /// The address to listen on; `127.0.0.1` by default. If it is not a loopback address, anybody
    /// who can reach this machine can sign in as anyone.
    pub host: IpAddr,
    /// The port to listen on; 0, the default, chooses a free one.
    pub port: u16,
    /// The origin under which browsers and sites reach the broker, for example
    /// `http://localhost:3333`. It is the issuer, and the base of the endpoints. The default
    /// consists of `host` and the port.
    pub origin: Option<String>,
    /// How it answers a request to sign in; by default it shows a page.
    pub mode: Mode,
    /// How far ahead `Expires` of the key set lies; 24 hours by default.
    pub keys_lifetime: Duration,
    /// Whether it lists the PKCE method `S256`, and then requires a `code_verifier`. Off by
    /// default, as in the real broker.
    pub pkce: bool,
    /// Whether it prints the mails that its pages wait for, for a person at a terminal. Off by default.
    pub prints_mails: bool,
    /// The clock of the broker alone. By default it is that of the system, and the broker can move its time and
    /// that of its clients; see [`DevBroker::advance_time`](super::DevBroker::advance_time).
    pub clock: Option<Arc<dyn Clock>>,
}

impl Default for DevBrokerOptions {
    fn default() -> Self {
        Self {
            host: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            origin: None,
            mode: Mode::default(),
            keys_lifetime: KEYS_LIFETIME,
            pkce: false,
            prints_mails: false,
            clock: None,
        }
    }
}

impl DevBrokerOptions {
    /// Reads an address to listen on: an IP address, such as `0.0.0.0` or `::1`.
    ///
    /// # Errors
    /// [`Code::InvalidOption`].
    pub fn parse_host(text: &str) -> Result<IpAddr> {
        text.parse().map_err(|cause: AddrParseError| {
            let problem = "host is not an IP address, such as 127.0.0.1 or 0.0.0.0";
            Error::new(Code::InvalidOption, problem).with_source(cause)
        })
    }

    pub(super) fn public_origin(&self, port: u16) -> Result<Origin> {
        let Some(origin) = &self.origin else {
            let host = match self.host {
                IpAddr::V4(host) if host.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(host) if host.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
                host => host,
            };
            return Origin::parse(&format!("http://{}", SocketAddr::new(host, port)), true);
        };
        Origin::parse(origin, true).map_err(|cause| {
            let problem = "origin is not an origin, such as http://localhost:3333";
            Error::new(Code::InvalidOption, problem).with_source(cause)
        })
    }
}

impl fmt::Debug for DevBrokerOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DevBrokerOptions")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("origin", &self.origin)
            .field("mode", &self.mode)
            .field("keys_lifetime", &self.keys_lifetime)
            .field("pkce", &self.pkce)
            .field("prints_mails", &self.prints_mails)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(host: &str, origin: Option<&str>) -> Result<String> {
        let options = DevBrokerOptions {
            host: DevBrokerOptions::parse_host(host)?,
            origin: origin.map(str::to_owned),
            ..DevBrokerOptions::default()
        };
        Ok(options.public_origin(3333)?.as_str().to_owned())
    }

    #[test]
    fn the_origin_is_the_option_or_the_listening_address() {
        for (host, given, expected) in [
            ("127.0.0.1", None, "http://127.0.0.1:3333"),
            ("192.0.2.1", None, "http://192.0.2.1:3333"),
            ("0.0.0.0", None, "http://127.0.0.1:3333"),
            ("::", None, "http://[::1]:3333"),
            ("::1", None, "http://[::1]:3333"),
            (
                "0.0.0.0",
                Some("http://LOCALHOST:3333/"),
                "http://localhost:3333",
            ),
            (
                "127.0.0.1",
                Some("https://broker.example"),
                "https://broker.example",
            ),
        ] {
            assert_eq!(origin(host, given).unwrap(), expected);
        }
    }

    #[test]
    fn a_wrong_host_or_origin_is_an_invalid_option() {
        for host in ["", "localhost", "127.0.0.1:3333", "::1%lo", "[::1]", "0"] {
            let error = origin(host, None).unwrap_err();
            assert_eq!(error.code(), Code::InvalidOption, "{host}");
        }
        for given in [
            "",
            "localhost:3333",
            "http://localhost:3333/auth",
            "ftp://localhost",
        ] {
            let error = origin("127.0.0.1", Some(given)).unwrap_err();
            assert_eq!(error.code(), Code::InvalidOption, "{given}");
        }
    }
}
