//! The proxy for a URL, from the environment.
//!
//! `hyper-util` matches the names and networks of `NO_PROXY`. It could also read the other variables, but it
//! ignores an invalid value, and would bypass the proxy.

use std::env;
use std::ffi::OsString;
use std::fmt;

use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

use self::exceptions::Exceptions;
use crate::error::{Code, Error, Result};

mod exceptions;

const SCHEMES: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];

/// The proxies of the environment when the client was created.
pub(super) struct Proxies {
    http: Setting,
    https: Setting,
    exceptions: Exceptions,
    /// The settings of the system, which apply if no variable is set.
    system: Option<Matcher>,
}

#[derive(Clone)]
enum Setting {
    None,
    Proxy(Proxy),
    /// A variable with an invalid value, and the reason.
    Unusable(&'static str, &'static str),
}

/// A proxy. It is displayed as host and port, because the URL may contain a password.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Proxy(Url);

impl Proxies {
    pub(super) fn from_environment() -> Self {
        Self {
            // Other systems have only the variables.
            system: cfg!(any(windows, target_os = "macos")).then(Matcher::from_system),
            ..Self::from_variables(|name| env::var_os(name))
        }
    }

    fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        // In a CGI program, HTTP_PROXY is the `Proxy` header of the request, which the client controls. On
        // Windows, names of variables are case-insensitive.
        let is_cgi = variable("REQUEST_METHOD").is_some();
        let http: &[&str] = match (is_cgi, cfg!(windows)) {
            (true, true) => &[],
            (true, false) => &["http_proxy"],
            (false, _) => &["http_proxy", "HTTP_PROXY"],
        };
        let all = setting(&variable, &["all_proxy", "ALL_PROXY"]);
        let or_all = |setting| match setting {
            Setting::None => all.clone(),
            setting => setting,
        };
        Self {
            http: or_all(setting(&variable, http)),
            https: or_all(setting(&variable, &["https_proxy", "HTTPS_PROXY"])),
            exceptions: Exceptions::from_variables(&variable),
            system: None,
        }
    }

    /// The variable with the exceptions, and the numbers of its entries that match no host.
    pub(super) fn misunderstood(&self) -> Option<(&'static str, &[usize])> {
        self.exceptions.misunderstood()
    }

    /// The proxy for a URL, if there is one.
    ///
    /// # Errors
    /// [`Code::BrokerUnreachable`] if the variable is invalid: the proxy must not be bypassed.
    pub(super) fn proxy_for(&self, url: &Url) -> Result<Option<Proxy>> {
        let setting = match url.scheme() {
            "https" => &self.https,
            _ => &self.http,
        };
        if self.exceptions.include(url) {
            return Ok(None);
        }
        match setting {
            Setting::None => Ok(self
                .system
                .as_ref()
                .and_then(|system| of_system(system, url))),
            Setting::Proxy(proxy) => Ok(Some(proxy.clone())),
            Setting::Unusable(name, fact) => Err(Error::new(
                Code::BrokerUnreachable,
                format_args!("the environment variable {name} {fact}"),
            )),
        }
    }
}

impl Proxy {
    /// Parses the value of a variable; an empty value means no proxy.
    fn parse(value: &str) -> Result<Option<Self>, &'static str> {
        const NO_URL: &str = "is not the URL of a proxy, such as http://proxy.example:3128";
        let value = trimmed(value);
        if value.is_empty() {
            return Ok(None);
        }
        if value.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(NO_URL);
        }
        let has_scheme = value.contains("://");
        let with_scheme = if has_scheme {
            value.to_owned()
        } else {
            format!("http://{value}")
        };
        // The URL parser ends the host at any of these, and would take a part of the password as the host.
        let (_, rest) = with_scheme.split_once("://").unwrap_or_default();
        let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
        if rest.get(end..).is_some_and(|after| after.contains('@')) {
            return Err("has special characters in a user name or password; percent-encode them");
        }
        let url = Url::parse(&with_scheme).map_err(|_| NO_URL)?;
        if value.contains('\\') {
            return Err(NO_URL);
        }
        if !SCHEMES.contains(&url.scheme()) {
            return Err("names a kind of proxy that is not supported; \
                 use http, https, socks4, socks4a, socks5 or socks5h");
        }
        let has_host = url.host_str().is_some_and(|host| !host.is_empty());
        let has_path = !matches!(url.path(), "" | "/");
        if !has_host || url.port() == Some(0) || (has_path && !has_scheme) {
            return Err(NO_URL);
        }
        Ok(Some(Self(url)))
    }

    pub(super) fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    pub(super) fn to_reqwest(&self) -> reqwest::Result<reqwest::Proxy> {
        reqwest::Proxy::all(self.0.clone())
    }
}

/// The host and the port.
impl fmt::Display for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Only SOCKS (RFC 1928) has no default port in the URL parser.
        let port = self.0.port_or_known_default().unwrap_or(1080);
        write!(formatter, "{}:{port}", self.host())
    }
}

/// The first variable that is not empty. Lower case comes first, as for curl, Python and Node.
fn setting(variable: impl Fn(&str) -> Option<OsString>, names: &[&'static str]) -> Setting {
    for name in names {
        let Some(value) = variable(name) else {
            continue;
        };
        let proxy = match value.to_str() {
            Some(value) => Proxy::parse(value),
            None => Err("is not UTF-8"),
        };
        match proxy {
            Ok(None) => {}
            Ok(Some(proxy)) => return Setting::Proxy(proxy),
            Err(fact) => return Setting::Unusable(name, fact),
        }
    }
    Setting::None
}

/// Removes the quotation marks, spaces and line ends that env files may leave around a value.
fn trimmed(value: &str) -> &str {
    value.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\''))
}

fn of_system(system: &Matcher, url: &Url) -> Option<Proxy> {
    let proxy = system.intercept(&url.as_str().parse().ok()?)?;
    Some(Proxy(Url::parse(&proxy.uri().to_string()).ok()?))
}

#[cfg(test)]
mod tests;
