//! Origins, and where plain HTTP is allowed.

use url::{Host, Url};

use crate::error::{Code, Error, Result};

/// The origin of a broker: scheme, host and port (RFC 6454), as ASCII.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    text: String,
    url: Url,
}

impl Origin {
    /// Parses an origin; a trailing slash is accepted. Plain `http` is refused unless the host is this machine
    /// or `danger_allow_http` is set.
    pub(crate) fn parse(text: &str, danger_allow_http: bool) -> Result<Self> {
        let url = parse_url(text)
            .filter(|url| url.query().is_none() && is_bare(text))
            .ok_or_else(|| {
                Error::new(
                    Code::InvalidBroker,
                    "broker is not an origin, such as https://broker.portier.io, without path and white space",
                )
            })?;
        if !is_secure(&url) && !is_local(&url) && !danger_allow_http {
            return Err(Error::new(
                Code::InsecureUrl,
                "broker uses plain http; use https, or danger_allow_http for a test",
            ));
        }
        Ok(Self {
            text: url.origin().ascii_serialization(),
            url,
        })
    }

    /// The serialization, which is also the issuer of the broker's tokens.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the scheme is `https`.
    pub(crate) fn is_secure(&self) -> bool {
        is_secure(&self.url)
    }

    /// Whether the host is this machine.
    #[cfg(feature = "testing")]
    pub(crate) fn is_local(&self) -> bool {
        is_local(&self.url)
    }

    /// The URL of a path below this origin; `path` starts with a slash.
    pub(crate) fn join(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(path);
        url
    }

    /// Whether the URL is acceptable as an endpoint of this broker: `https` always, `http` only if the broker
    /// is `http`, too.
    pub(crate) fn trusts(&self, url: &Url) -> bool {
        is_secure(url) || !is_secure(&self.url)
    }
}

/// Parses an absolute `http` or `https` URL with a host, without user information and fragment, and without
/// characters that the URL parser would drop silently.
pub(crate) fn parse_url(text: &str) -> Option<Url> {
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) || text.contains('\\') {
        return None;
    }
    let (scheme, rest) = text.split_once("://")?;
    if rest.starts_with('/')
        || !(scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http"))
    {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next()?;
    let url = Url::parse(text).ok()?;
    // Port 0 cannot be used.
    let plain = !authority.contains('@')
        && url.has_host()
        && url.port() != Some(0)
        && url.fragment().is_none();
    plain.then_some(url)
}

/// Whether the authority is followed by at most one slash. The URL parser cannot tell, because it resolves
/// `/a/..` to `/`.
fn is_bare(text: &str) -> bool {
    text.split_once("://")
        .and_then(|(_, rest)| rest.split_once('/'))
        .is_none_or(|(_, path)| path.is_empty())
}

fn is_secure(url: &Url) -> bool {
    url.scheme() == "https"
}

/// Whether the URL's host is this machine: a loopback address, `localhost` or a name below it
/// (RFC 6761, section 6.3).
pub(crate) fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => is_local_name(name),
        None => false,
    }
}

/// Whether the name is `localhost` or below it.
pub(crate) fn is_local_name(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serializes_as_ascii_without_the_default_port() {
        for (text, origin) in [
            ("https://Broker.Example", "https://broker.example"),
            ("https://broker.example/", "https://broker.example"),
            ("https://broker.example:443", "https://broker.example"),
            (
                "https://broker.example:8443/",
                "https://broker.example:8443",
            ),
            ("https://bröker.example", "https://xn--brker-kua.example"),
            ("http://localhost:3333", "http://localhost:3333"),
            ("http://127.0.0.1:80", "http://127.0.0.1"),
            ("http://[::1]:3333", "http://[::1]:3333"),
        ] {
            assert_eq!(
                Origin::parse(text, false).unwrap().as_str(),
                origin,
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_what_is_not_an_origin() {
        for text in [
            "",
            "broker.example",
            "//broker.example",
            "ftp://broker.example",
            "https://",
            "https:///broker.example",
            "https:broker.example",
            "https://broker.example/path",
            "https://broker.example//",
            "https://broker.example/.",
            "https://broker.example/a/..",
            "https://broker.example/%2e",
            "https://broker.example/?q",
            "https://broker.example/#f",
            "https://user@broker.example",
            "https://@broker.example",
            "https://broker.example\\",
            "https://broker\t.example",
            " https://broker.example",
            "https://broker.example\n",
        ] {
            let error = Origin::parse(text, true).unwrap_err();
            assert_eq!(error.code(), Code::InvalidBroker, "{text}");
        }
    }

    #[test]
    fn plain_http_is_for_this_machine() {
        for text in [
            "http://broker.example",
            "http://localhost.example",
            "http://10.0.0.1",
        ] {
            let error = Origin::parse(text, false).unwrap_err();
            assert_eq!(error.code(), Code::InsecureUrl, "{text}");
            Origin::parse(text, true).unwrap();
        }
        Origin::parse("http://app.localhost:8000", false).unwrap();
    }

    #[test]
    fn nothing_listens_on_port_0() {
        assert!(parse_url("https://broker.example:0/").is_none());
        assert!(parse_url("https://broker.example:00/").is_none());
    }

    #[test]
    fn an_https_broker_has_https_endpoints() {
        let trusts = |broker: &str, text: &str| {
            let url = parse_url(text).unwrap();
            Origin::parse(broker, false).unwrap().trusts(&url)
        };
        assert!(trusts(
            "https://broker.example",
            "https://other.example/auth"
        ));
        assert!(!trusts(
            "https://broker.example",
            "http://other.example/auth"
        ));
        assert!(trusts("http://127.0.0.1:3333", "http://broker.test/auth"));
        assert!(parse_url("javascript:alert(1)").is_none());
        assert!(parse_url("/auth").is_none());
    }
}
