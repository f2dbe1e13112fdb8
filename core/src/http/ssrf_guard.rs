//! Protection from server-side request forgery.
//!
//! A broker can name other hosts: as `jwks_uri`, or in a redirect. A public broker must not send requests
//! of the client to a private address, not even by a name that resolves to one. Each connection uses only
//! addresses that were checked. The broker's own host is chosen by the operator, and may be private; then
//! the hosts that it names may be private, too.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::addresses::is_public;
use crate::future::BoxFuture;
use crate::origin::{Origin, is_local, is_local_name};

/// Decides which hosts may be contacted.
#[derive(Clone)]
pub(super) struct SsrfGuard(Arc<GuardState>);

struct GuardState {
    broker: Url,
    /// Whether names of this machine have to resolve to loopback addresses, because plain HTTP is allowed
    /// for them only.
    local_is_loopback: bool,
    lookup: Box<dyn Lookup>,
    network: AtomicU8,
}

/// Whether the broker has a private or a public address. The value only increases: after one public
/// address, a later answer of its name server does not make the broker private.
#[repr(u8)]
enum Broker {
    /// There was no connection to the broker yet.
    Unknown,
    Private,
    Public,
}

/// Resolves names.
pub(super) trait Lookup: Send + Sync {
    fn addresses(&self, name: String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;
}

/// The resolver of the operating system.
pub(super) struct SystemLookup;

impl Lookup for SystemLookup {
    fn addresses(&self, name: String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
    }
}

impl SsrfGuard {
    pub(super) fn new(broker: &Origin, local_is_loopback: bool, lookup: Box<dyn Lookup>) -> Self {
        let broker = broker.join("/");
        let known = match broker.host() {
            Some(Host::Domain(_)) if !is_local(&broker) => Broker::Unknown,
            _ if is_private(&broker) => Broker::Private,
            _ => Broker::Public,
        };
        Self(Arc::new(GuardState {
            broker,
            local_is_loopback,
            lookup,
            network: AtomicU8::new(known as u8),
        }))
    }

    /// Checks the host of a request. A name is checked when it is resolved.
    pub(super) fn check(&self, url: &Url) -> Result<(), Refusal> {
        if self.is_broker(url) || !is_private(url) || self.0.broker_is(Broker::Private) {
            return Ok(());
        }
        Err(Refusal::PrivateAddress)
    }

    /// Records the address from which a host answered.
    pub(super) fn answered(&self, url: &Url, address: Option<SocketAddr>) {
        if let Some(address) = address
            && self.is_broker(url)
        {
            let is_public = is_public(address.ip());
            self.0.note(if is_public {
                Broker::Public
            } else {
                Broker::Private
            });
        }
    }

    /// Whether the broker has to answer before other hosts can be checked.
    pub(super) fn is_undecided(&self) -> bool {
        self.0.broker_is(Broker::Unknown)
    }

    /// The resolver of a client with this proxy. The operator has chosen the proxy, so it may have any
    /// address.
    pub(super) fn resolver(&self, proxy: Option<&str>) -> Resolver {
        Resolver {
            shared: Arc::clone(&self.0),
            proxy: proxy.map(str::to_owned),
        }
    }

    fn is_broker(&self, url: &Url) -> bool {
        url.host() == self.0.broker.host()
    }
}

impl GuardState {
    fn broker_is(&self, known: Broker) -> bool {
        self.network.load(Ordering::Relaxed) == known as u8
    }

    fn note(&self, known: Broker) {
        self.network.fetch_max(known as u8, Ordering::Relaxed);
    }

    /// Returns the addresses to which a connection may be opened.
    fn judge(
        &self,
        name: &str,
        proxy: Option<&str>,
        mut found: Vec<SocketAddr>,
    ) -> Result<Vec<SocketAddr>, Refusal> {
        if proxy == Some(name) {
            return Ok(found);
        }
        if self.local_is_loopback && is_local_name(name) {
            found.retain(|address| address.ip().to_canonical().is_loopback());
            return if found.is_empty() {
                Err(Refusal::NotThisMachine)
            } else {
                Ok(found)
            };
        }
        if self.broker.host_str() == Some(name) {
            if found.iter().any(|address| is_public(address.ip())) {
                self.note(Broker::Public);
            }
            return Ok(found);
        }
        if !self.broker_is(Broker::Private) {
            found.retain(|address| is_public(address.ip()));
            if found.is_empty() {
                return Err(Refusal::PrivateAddress);
            }
        }
        Ok(found)
    }
}

/// The resolver of an HTTP client, which connects only to the returned addresses.
pub(super) struct Resolver {
    shared: Arc<GuardState>,
    proxy: Option<String>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (shared, proxy) = (Arc::clone(&self.shared), self.proxy.clone());
        Box::pin(async move {
            let found = shared.lookup.addresses(name.as_str().to_owned()).await;
            let found = match found {
                Ok(found) if !found.is_empty() => found,
                // They need no name server (RFC 6761, section 6.3), and browsers ask none.
                _ if is_local_name(name.as_str()) => loopback(),
                found => {
                    found?;
                    return Err(io::Error::from(io::ErrorKind::NotFound).into());
                }
            };
            let found = shared.judge(name.as_str(), proxy.as_deref(), found)?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Why a host must not be contacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The host has a private address, and the broker does not.
    PrivateAddress,
    /// The host has a name of this machine, but resolves to another one.
    NotThisMachine,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::PrivateAddress => "a host in a private network",
            Self::NotThisMachine => "a name of this machine that resolves to another machine",
        })
    }
}

impl std::error::Error for Refusal {}

fn loopback() -> Vec<SocketAddr> {
    let addresses: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    addresses.map(|address| SocketAddr::new(address, 0)).into()
}

/// Whether the host is a private address, or a name of this machine.
fn is_private(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => !is_public(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => !is_public(IpAddr::V6(address)),
        _ => is_local(url),
    }
}

#[cfg(test)]
mod adversary;
#[cfg(all(test, feature = "testing"))]
mod both_adversaries;
#[cfg(test)]
mod tests;
