//! The hosts of `NO_PROXY`.

use std::ffi::OsString;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use ::http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use url::{Host, Url};

use super::trimmed;

/// The entries of the first variable that has some.
#[derive(Default)]
pub(super) struct Exceptions {
    name: &'static str,
    entries: Vec<Exception>,
    /// The numbers of the entries that are not understood, from 1.
    misunderstood: Vec<usize>,
}

/// An entry that was understood.
struct Exception {
    port: Option<u16>,
    hosts: Hosts,
}

enum Hosts {
    All,
    Range(RangeInclusive<IpAddr>),
    /// Matches all hosts except those of the entry.
    AllExcept(Box<Matcher>),
}

impl Exceptions {
    pub(super) fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        ["no_proxy", "NO_PROXY"]
            .into_iter()
            .filter_map(|name| Some(Self::parse(name, &variable(name)?.to_string_lossy())))
            .find(|exceptions| !exceptions.is_empty())
            .unwrap_or_default()
    }

    /// Parses a list. Besides commas and spaces, Windows separates with `;`, and Java with `|`.
    fn parse(name: &'static str, value: &str) -> Self {
        let mut exceptions = Self {
            name,
            ..Self::default()
        };
        let entries = value
            .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|'))
            .map(trimmed)
            .filter(|entry| !entry.is_empty());
        for (index, entry) in entries.enumerate() {
            match Exception::parse(entry) {
                Some(exception) => exceptions.entries.push(exception),
                None => exceptions.misunderstood.push(index + 1),
            }
        }
        exceptions
    }

    fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.misunderstood.is_empty()
    }

    pub(super) fn include(&self, url: &Url) -> bool {
        self.entries.iter().any(|entry| entry.includes(url))
    }

    /// The name of the variable, and the numbers of the entries that match no host, if there are any.
    pub(super) fn misunderstood(&self) -> Option<(&'static str, &[usize])> {
        (!self.misunderstood.is_empty()).then_some((self.name, &self.misunderstood))
    }
}

impl Exception {
    /// Parses a name, an address, a network or a range of addresses, with or without a port. A name includes its
    /// subdomains, with or without a leading `.` or `*.`.
    fn parse(entry: &str) -> Option<Self> {
        if is_network(entry) {
            let unbracketed = entry.replace(['[', ']'], "");
            return Some(Self::matching(&unbracketed, None));
        }
        if let Some(range) = range(entry) {
            let hosts = Hosts::Range(range);
            return Some(Self { port: None, hosts });
        }
        let entry = entry.split_once("://").map_or(entry, |(_, rest)| rest);
        let (entry, path) = entry.split_once('/').unwrap_or((entry, ""));
        let (host, port) = split_port(entry)?;
        let name = host.trim_start_matches(['*', '.']);
        let name = name.strip_suffix('.').unwrap_or(name);
        if name.is_empty() {
            let hosts = Hosts::All;
            return host.starts_with('*').then_some(Self { port, hosts });
        }
        let name = if name.contains(':') {
            let address = name.parse::<IpAddr>().ok()?;
            // Not a length of a network.
            if !path.is_empty() {
                return None;
            }
            address.to_string()
        } else {
            match Host::parse(name).ok()? {
                // Patterns such as 10.* are no names, and the beginning of an address is no address.
                Host::Domain(name) if name.contains('*') => return None,
                Host::Ipv4(address) if name != address.to_string() || !path.is_empty() => {
                    return None;
                }
                host => host.to_string(),
            }
        };
        Some(Self::matching(&name, port))
    }

    fn matching(pattern: &str, port: Option<u16>) -> Self {
        let others = Matcher::builder().all("http://proxy").no(pattern).build();
        let hosts = Hosts::AllExcept(Box::new(others));
        Self { port, hosts }
    }

    fn includes(&self, url: &Url) -> bool {
        if self.port.is_some() && self.port != url.port_or_known_default() {
            return false;
        }
        let host = url.host_str().unwrap_or_default().trim_end_matches('.');
        match &self.hosts {
            Hosts::All => true,
            Hosts::Range(range) => {
                let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
                address.is_ok_and(|address| range.contains(&address))
            }
            Hosts::AllExcept(others) => {
                let uri = format!("http://{host}").parse::<Uri>();
                uri.is_ok_and(|uri| others.intercept(&uri).is_none())
            }
        }
    }
}

/// Whether it is a network, such as `10.0.0.0/8` or `[2001:db8::]/32`.
fn is_network(entry: &str) -> bool {
    let Some((address, length)) = entry.split_once('/') else {
        return false;
    };
    let unbracketed = address
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let longest = match unbracketed.unwrap_or(address).parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    length.parse::<u8>().is_ok_and(|length| length <= longest)
}

/// A range such as `192.0.2.10-192.0.2.20`, which Node.js supports.
fn range(entry: &str) -> Option<RangeInclusive<IpAddr>> {
    let (first, last) = entry.split_once('-')?;
    let (first, last): (IpAddr, IpAddr) = (first.parse().ok()?, last.parse().ok()?);
    (first.is_ipv4() == last.is_ipv4() && first <= last).then_some(first..=last)
}

/// Takes the port from the end of an entry, and the brackets off an IPv6 address.
fn split_port(entry: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match entry.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            match rest.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if rest.is_empty() => (host, None),
                None => return None,
            }
        }
        // More than one colon is an IPv6 address.
        None => match entry.split_once(':') {
            Some((host, port)) if !port.contains(':') => (host, Some(port)),
            _ => (entry, None),
        },
    };
    match port {
        None | Some("*" | "") => Some((host, None)),
        Some(port) => Some((host, Some(port.parse().ok()?))),
    }
}
