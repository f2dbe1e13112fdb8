//! The errors of failed requests.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use url::Url;

use super::proxy::Proxy;
use super::ssrf_guard::Refusal;
use crate::error::{Code, Error};
use crate::tls::certificate_fault;

pub(super) fn failed(cause: reqwest::Error, url: &Url, proxy: Option<&Proxy>) -> Error {
    if let Some(refusal) = refusal_in(&cause) {
        return refused(refusal, url).with_source(cause.without_url());
    }
    let (code, fact) = if certificate_fault(&cause).is_some() {
        (
            Code::BrokerUnreachable,
            "the broker's certificate is refused",
        )
    } else if proxy.is_some() {
        through_proxy(&cause)
    } else if cause.is_timeout() {
        (Code::BrokerTimeout, "no connection to the broker in time")
    } else if cause.is_dns() {
        (
            Code::BrokerUnreachable,
            "the broker's name cannot be resolved",
        )
    } else if cause.is_connect() {
        (Code::BrokerUnreachable, "no connection to the broker")
    } else {
        (Code::BrokerUnreachable, "the broker sent no valid answer")
    };
    at(code, fact, url, proxy).with_source(cause.without_url())
}

fn through_proxy(cause: &reqwest::Error) -> (Code, &'static str) {
    if cause.is_timeout() {
        return (
            Code::BrokerTimeout,
            "no connection to the broker in time through the proxy",
        );
    }
    // The libraries distinguish these by private types, and not always by a source.
    let text = format!("{cause:?}");
    let fact = if text.contains("dns error") {
        "the proxy's name cannot be resolved"
    } else if text.contains("tcp connect error") {
        "no connection to the proxy"
    } else if text.contains("ProxyAuthRequired") || text.contains("V5(Auth") {
        WANTS_CREDENTIALS
    } else if cause.is_connect() {
        "the proxy did not connect to the broker"
    } else {
        "the broker sent no valid answer through the proxy"
    };
    (Code::BrokerUnreachable, fact)
}

const WANTS_CREDENTIALS: &str = "the proxy requires a valid user name and password";

pub(super) fn proxy_wants_credentials(proxy: &Proxy, url: &Url) -> Error {
    at(Code::BrokerUnreachable, WANTS_CREDENTIALS, url, Some(proxy))
}

pub(super) fn timed_out(timeout: Duration, proxy: Option<&Proxy>) -> Error {
    let timeout = timeout.as_secs_f64();
    let text = match proxy {
        None => format!("the broker did not answer in time timeout={timeout}s"),
        Some(proxy) => format!(
            "the broker did not answer in time through the proxy timeout={timeout}s proxy={proxy}"
        ),
    };
    Error::new(Code::BrokerTimeout, text)
}

pub(super) fn redirected(next: &Url, reason: &'static str) -> Error {
    let fact = "the broker's redirect is refused";
    at(Code::BrokerDocument, fact, next, None).with_source(reason)
}

pub(super) fn named_insecure(url: &Url) -> Error {
    let fact = "the broker names a plain http URL; use https, or danger_allow_http";
    at(Code::BrokerDocument, fact, url, None)
}

pub(super) fn refused(refusal: Refusal, url: &Url) -> Error {
    let (code, fact) = match refusal {
        Refusal::PrivateAddress => (
            Code::BrokerDocument,
            "the broker names a host in a private network",
        ),
        Refusal::NotThisMachine => (
            Code::BrokerUnreachable,
            "a name of this machine resolves to another machine, for which plain http is not allowed",
        ),
    };
    at(code, fact, url, None)
}

/// Whether the guard refused the host.
pub(super) fn is_refusal(error: &(dyn StdError + 'static)) -> bool {
    refusal_in(error).is_some()
}

fn refusal_in(error: &(dyn StdError + 'static)) -> Option<Refusal> {
    chain(error).find_map(|error| error.downcast_ref().copied())
}

fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| (**error).source())
}

fn at(code: Code, fact: impl fmt::Display, url: &Url, proxy: Option<&Proxy>) -> Error {
    let host = url.host_str().unwrap_or_default();
    match proxy {
        None => Error::new(code, format_args!("{fact} host={host}")),
        Some(proxy) => Error::new(code, format_args!("{fact} proxy={proxy} host={host}")),
    }
}
