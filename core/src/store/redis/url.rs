//! The URLs of Redis stores.

mod query;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use url::Host;

use self::query::Query;
use super::connection::{Address, ConnectOptions, Credentials};
use super::identity;
use super::tls::Tls;
use crate::error::{Code, Error, Result};

const DEFAULT_PREFIX: &str = "portier:";
const MAX_PREFIX_BYTES: usize = 128;
const REDIS_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;
const MAX_REPLICAS: u32 = 10;

/// The checked content of a URL.
pub(super) struct Settings {
    pub(super) target: Target,
    pub(super) options: ConnectOptions,
    /// The prefix of all keys.
    pub(super) prefix: String,
    /// How many replicas have to confirm that a login is used up.
    pub(super) replicas: u32,
}

/// The servers of a URL.
pub(super) enum Target {
    /// One server.
    Single(Address),
    /// The primary of a service, according to the Sentinels.
    Sentinel {
        sentinels: Vec<Address>,
        service: String,
        /// For connections to the Sentinels.
        options: ConnectOptions,
    },
    /// Some nodes of a cluster.
    Cluster(Vec<Address>),
}

impl Settings {
    /// Parses a URL. Errors do not show it, because a password may be anywhere in a malformed URL.
    ///
    /// # Errors
    /// [`Code::InvalidOption`].
    pub(super) fn parse(url: &str) -> Result<Self> {
        let parts = Parts::split(url)?;
        let mut query = Query::parse(parts.query, parts.user)?;
        let prefix = match query.take("prefix") {
            Some(prefix) => check_prefix(prefix)?,
            None => DEFAULT_PREFIX.to_owned(),
        };
        let replicas = match query.take("replicas") {
            Some(number) => number
                .parse()
                .ok()
                .filter(|number| *number <= MAX_REPLICAS)
                .ok_or_else(|| invalid("replicas is not a number from 0 to 10"))?,
            None => 0,
        };
        let mut options = ConnectOptions {
            tls: tls(parts.secure, &mut query)?.map(Arc::new),
            credentials: credentials(parts.user)?,
            database: 0,
            probe: Some(format!("{prefix}probe")),
        };
        let target = match parts.kind {
            Kind::Single => {
                let [host] = <[&str; 1]>::try_from(parts.hosts()).map_err(|_| {
                    invalid("one host is expected; see redis+cluster and redis+sentinel")
                })?;
                options.database = database(parts.path.trim_start_matches('/'))?;
                Target::Single(address(host, REDIS_PORT)?)
            }
            Kind::Unix => {
                if !parts.authority.is_empty() || parts.path.len() < 2 {
                    return Err(invalid("a unix socket needs an absolute path"));
                }
                if let Some(number) = query.take("db") {
                    options.database = database(&number)?;
                }
                options.credentials = paired(query.take("username"), query.take("password"))?;
                Target::Single(Address::Unix(PathBuf::from(decoded(parts.path)?)))
            }
            Kind::Cluster => {
                if !matches!(parts.path, "" | "/" | "/0") {
                    return Err(invalid("a cluster has no numbered databases"));
                }
                Target::Cluster(addresses(parts.hosts(), REDIS_PORT)?)
            }
            Kind::Sentinel => {
                let path = parts.path.strip_prefix('/').unwrap_or_default();
                let (service, number) = path.split_once('/').unwrap_or((path, ""));
                if service.is_empty() {
                    return Err(invalid(
                        "the path has to name the service that Sentinel watches",
                    ));
                }
                options.database = database(number)?;
                Target::Sentinel {
                    sentinels: addresses(parts.hosts(), SENTINEL_PORT)?,
                    service: decoded(service)?,
                    options: ConnectOptions {
                        tls: options.tls.clone(),
                        credentials: paired(
                            query.take("sentinel_username"),
                            query.take("sentinel_password"),
                        )?,
                        database: 0,
                        probe: None,
                    },
                }
            }
        };
        query.finish()?;
        Ok(Self {
            target,
            options,
            prefix,
            replicas,
        })
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Single,
    Unix,
    Sentinel,
    Cluster,
}

/// The parts of a URL, still percent-encoded. URL parsers do not support several hosts.
struct Parts<'a> {
    kind: Kind,
    secure: bool,
    /// The text before the last `@`, if there is one.
    user: Option<&'a str>,
    authority: &'a str,
    path: &'a str,
    query: &'a str,
}

impl<'a> Parts<'a> {
    fn split(url: &'a str) -> Result<Self> {
        let (scheme, rest) = url
            .split_once("://")
            .ok_or_else(|| invalid("a Redis URL begins like redis://"))?;
        let (kind, secure) = kind(scheme).ok_or_else(|| invalid("the scheme is unknown"))?;
        if url
            .chars()
            .any(|c| c.is_control() || c.is_whitespace() || c == '#' || c == '\\')
        {
            return Err(invalid("a character has to be percent-encoded"));
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (user, authority) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (Some(user), hosts),
            None => (None, authority),
        };
        Ok(Self {
            kind,
            secure,
            user,
            authority,
            path,
            query,
        })
    }

    fn hosts(&self) -> Vec<&'a str> {
        self.authority.split(',').collect()
    }
}

/// Whether a scheme is one of Redis stores.
pub(in crate::store) fn is_redis(scheme: &str) -> bool {
    kind(scheme).is_some()
}

fn kind(scheme: &str) -> Option<(Kind, bool)> {
    let (protocol, kind) = match scheme.split_once('+') {
        None => (scheme, Kind::Single),
        Some((protocol, "unix")) => (protocol, Kind::Unix),
        Some((protocol, "sentinel")) => (protocol, Kind::Sentinel),
        Some((protocol, "cluster")) => (protocol, Kind::Cluster),
        Some(_) => return None,
    };
    match (protocol, kind) {
        ("redis" | "valkey", kind) => Some((kind, false)),
        ("rediss" | "valkeys", Kind::Unix) => None,
        ("rediss" | "valkeys", kind) => Some((kind, true)),
        _ => None,
    }
}

fn tls(secure: bool, query: &mut Query<'_>) -> Result<Option<Tls>> {
    let ca_file = query.take("ca_file");
    let (cert_file, key_file) = (query.take("cert_file"), query.take("key_file"));
    if !secure {
        return match ca_file.or(cert_file).or(key_file) {
            Some(_) => Err(invalid("ca_file, cert_file and key_file need rediss")),
            None => Ok(None),
        };
    }
    let identity = match (&cert_file, &key_file) {
        (None, None) => None,
        (Some(cert_file), Some(key_file)) => {
            Some(identity::read(Path::new(cert_file), Path::new(key_file))?)
        }
        _ => return Err(invalid("cert_file and key_file are given together")),
    };
    Tls::new(ca_file.as_deref().map(Path::new), identity).map(Some)
}

fn credentials(user: Option<&str>) -> Result<Credentials> {
    let Some(user) = user else {
        return Ok(Credentials::default());
    };
    let (username, password) = user.split_once(':').ok_or_else(|| {
        invalid("a user has no password; write a password without a user as :password@")
    })?;
    let username = (!username.is_empty())
        .then(|| decoded(username))
        .transpose()?;
    paired(username, Some(decoded(password)?))
}

fn paired(username: Option<String>, password: Option<String>) -> Result<Credentials> {
    if password.as_deref() == Some("") || (username.is_some() && password.is_none()) {
        return Err(invalid("a user has no password"));
    }
    Ok(Credentials { username, password })
}

fn addresses(hosts: Vec<&str>, default_port: u16) -> Result<Vec<Address>> {
    hosts
        .into_iter()
        .map(|host| address(host, default_port))
        .collect()
}

fn address(text: &str, default_port: u16) -> Result<Address> {
    let wrong = || invalid("a host is missing or invalid");
    // The colons of an IPv6 address are inside of brackets.
    let split = text
        .rfind(':')
        .filter(|at| !text.get(*at..).is_some_and(|rest| rest.contains(']')));
    let (host, port) = match split {
        Some(at) => {
            let port = text.get(at + 1..).and_then(|port| port.parse().ok());
            let port = port
                .filter(|port| *port != 0)
                .ok_or_else(|| invalid("a port is not a number from 1 to 65535"))?;
            (text.get(..at).unwrap_or_default(), port)
        }
        None => (text, default_port),
    };
    let host = match Host::parse(host).map_err(|_| wrong())? {
        Host::Domain(domain) => domain,
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    };
    Ok(Address::Tcp(host, port))
}

fn database(text: &str) -> Result<u32> {
    if text.is_empty() {
        return Ok(0);
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits
        .then(|| text.parse().ok())
        .flatten()
        .ok_or_else(|| invalid("the database is not a number"))
}

fn check_prefix(prefix: String) -> Result<String> {
    if prefix.len() > MAX_PREFIX_BYTES || prefix.chars().any(char::is_control) {
        return Err(invalid("prefix is too long or has control characters"));
    }
    Ok(prefix)
}

fn decoded(text: &str) -> Result<String> {
    percent_decode_str(text)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| invalid("percent-encoded text is not UTF-8"))
}

fn invalid(fact: &str) -> Error {
    Error::new(
        Code::InvalidOption,
        format_args!("store is not the URL of a Redis store: {fact}"),
    )
}

#[cfg(test)]
mod tests;
