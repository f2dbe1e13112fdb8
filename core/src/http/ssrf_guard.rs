//! No way from outside into a private network.
//!
//! A broker may name other hosts than its own: as `jwks_uri`, or in a redirect. None of them may be
//! a private address, or a name that leads to one (also after the look-up before led elsewhere), lest
//! a broker make us ask the neighbours. The broker's own host is the operator's choice and may be
//! anywhere; if it is inside, all may be.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::addresses::is_public;
use crate::future::BoxFuture;
use crate::origin::{Origin, is_local, is_local_name};

/// Knows where the broker is, and which hosts it may name.
#[derive(Clone)]
pub(super) struct SsrfGuard(Arc<GuardState>);

struct GuardState {
    broker: Url,
    /// Whether names of this machine have to lead to it, since plain HTTP is spoken with them alone.
    local_is_loopback: bool,
    lookup: Box<dyn Lookup>,
    network: AtomicU8,
}

/// Where the broker is. What is known only ever goes up: one public address is enough to be outside,
/// and no later answer of its name server brings it inside.
#[repr(u8)]
enum Broker {
    /// No connection was made to it yet.
    Unknown,
    Private,
    Public,
}

/// Finds the addresses of a name.
pub(super) trait Lookup: Send + Sync {
    fn addresses(&self, name: String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;
}

/// Asks the operating system.
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

    /// Judges a host that is going to be asked. A name is judged when it is looked up.
    pub(super) fn check(&self, url: &Url) -> Result<(), Refusal> {
        if self.is_broker(url) || !is_private(url) || self.0.broker_is(Broker::Private) {
            return Ok(());
        }
        Err(Refusal::PrivateAddress)
    }

    /// Takes note of the address at which a host gave an answer.
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

    /// Whether an answer of the broker is wanting to judge other hosts.
    pub(super) fn is_undecided(&self) -> bool {
        self.0.broker_is(Broker::Unknown)
    }

    /// The resolver of a client that uses this proxy, which is the operator's choice and may be
    /// anywhere.
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

    /// Leaves the addresses to which a connection may be made.
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

/// Looks names up for an HTTP client, which connects to the addresses that it is given.
pub(super) struct Resolver {
    shared: Arc<GuardState>,
    proxy: Option<String>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (shared, proxy) = (Arc::clone(&self.shared), self.proxy.clone());
        Box::pin(async move {
            let found = shared.lookup.addresses(name.as_str().to_owned()).await?;
            if found.is_empty() {
                return Err(io::Error::from(io::ErrorKind::NotFound).into());
            }
            let found = shared.judge(name.as_str(), proxy.as_deref(), found)?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Why a host may not be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is in a private network, and the broker is not.
    PrivateAddress,
    /// It has a name of this machine, and leads to another one.
    NotThisMachine,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::PrivateAddress => "a host in a private network",
            Self::NotThisMachine => "a name of this machine that leads to another one",
        })
    }
}

impl std::error::Error for Refusal {}

/// Whether the host is an address, or a name, that means something else to everybody else.
fn is_private(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => !is_public(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => !is_public(IpAddr::V6(address)),
        _ => is_local(url),
    }
}

#[cfg(test)]
mod adversary;
#[cfg(test)]
mod tests;
