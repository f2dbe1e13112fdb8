//! No way from outside into a private network.
//!
//! A broker may name other hosts than its own: as `jwks_uri`, or in a redirect. None of them may be
//! an address inside, or a name that leads there (also after the look-up before led elsewhere), lest
//! a broker make us ask the neighbours. The broker's own host is the operator's choice and may be
//! anywhere; if it is inside, all may be.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::origin::{Origin, is_local};
use crate::store::BoxFuture;

/// How many names of others are remembered: those of the requests that run, with their redirects.
const MOST_NAMES: usize = 32;

/// Knows which hosts are the broker's and which are others'.
#[derive(Clone)]
pub(super) struct Perimeter(Arc<Shared>);

struct Shared {
    broker: Url,
    lookup: Box<dyn Lookup>,
    /// Names of others. The resolver is also asked for proxies, which are the operator's choice.
    others: Mutex<VecDeque<String>>,
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

impl Perimeter {
    pub(super) fn new(broker: &Origin, lookup: Box<dyn Lookup>) -> Self {
        Self(Arc::new(Shared {
            broker: broker.join("/"),
            lookup,
            others: Mutex::default(),
        }))
    }

    /// Judges a host that is going to be asked: at once if it is an address, else when it is looked
    /// up.
    pub(super) async fn admit(&self, url: &Url) -> Result<(), Inside> {
        self.watch(url);
        let is_other = url.host() != self.0.broker.host();
        if is_other && is_inside(url) && !self.0.broker_is_inside().await {
            return Err(Inside);
        }
        Ok(())
    }

    /// Sees to it that the host is judged when it is looked up.
    pub(super) fn watch(&self, url: &Url) {
        let Some(Host::Domain(name)) = url.host() else {
            return;
        };
        if self.0.broker.host_str() == Some(name) {
            return;
        }
        let mut others = self.0.others();
        others.retain(|other| other != name);
        others.push_back(name.to_owned());
        if others.len() > MOST_NAMES {
            others.pop_front();
        }
    }
}

impl Resolve for Perimeter {
    fn resolve(&self, name: Name) -> Resolving {
        let shared = Arc::clone(&self.0);
        Box::pin(async move {
            let name = name.as_str().to_owned();
            let is_other = shared.others().contains(&name);
            let mut found = shared.lookup.addresses(name).await?;
            if is_other && found.iter().any(leads_inside) && !shared.broker_is_inside().await {
                found.retain(|address| !leads_inside(address));
                if found.is_empty() {
                    return Err(Inside.into());
                }
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

impl Shared {
    async fn broker_is_inside(&self) -> bool {
        match self.broker.host() {
            Some(Host::Domain(name)) if !is_local(&self.broker) => {
                let found = self.lookup.addresses(name.to_owned()).await;
                found.is_ok_and(|found| !found.is_empty() && found.iter().all(leads_inside))
            }
            _ => is_inside(&self.broker),
        }
    }

    fn others(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A host that may not be asked.
#[derive(Debug)]
pub(super) struct Inside;

impl fmt::Display for Inside {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a host in a private network")
    }
}

impl std::error::Error for Inside {}

/// Whether the host is an address, or a name, that means something else to everybody else.
fn is_inside(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => is_private(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => is_private(IpAddr::V6(address)),
        _ => is_local(url),
    }
}

fn leads_inside(address: &SocketAddr) -> bool {
    is_private(address.ip())
}

fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                || address.is_unspecified()
                || translated(address).is_some_and(is_private_v4)
        }
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        // "This network" (RFC 1122), where the first of all addresses is this machine.
        || first == 0
        // Shared by the customers of a provider (RFC 6598), and some clouds' metadata.
        || (first == 100 && second & 0xC0 == 64)
        // For benchmarks of networks (RFC 2544).
        || (first == 198 && second & 0xFE == 18)
}

/// The address that a translator asks in place of one of its own (RFC 6052).
fn translated(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.octets() {
        [0x00, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d] => {
            Some(Ipv4Addr::new(a, b, c, d))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names with addresses; another one does not exist.
    struct Table(&'static [(&'static str, &'static str)]);

    impl Lookup for Table {
        fn addresses(&self, name: String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
            let named = self.0.iter().filter(|(other, _)| *other == name);
            let found: Vec<SocketAddr> = named
                .map(|(_, address)| SocketAddr::new(address.parse().unwrap(), 0))
                .collect();
            Box::pin(async move {
                if found.is_empty() {
                    return Err(io::ErrorKind::NotFound.into());
                }
                Ok(found)
            })
        }
    }

    const TABLE: Table = Table(&[
        ("broker.example", "192.0.2.1"),
        ("intranet.example", "10.0.0.1"),
        ("keys.example", "192.0.2.2"),
        ("trap.example", "169.254.169.254"),
        ("trap.example", "::1"),
        ("half.example", "127.0.0.1"),
        ("half.example", "192.0.2.3"),
    ]);

    fn perimeter(broker: &str) -> Perimeter {
        let broker = Origin::parse(broker, true).unwrap();
        Perimeter::new(&broker, Box::new(TABLE))
    }

    /// The addresses at which a broker's host is asked, as text.
    async fn asked(broker: &str, url: &str) -> Result<Vec<String>, String> {
        let (perimeter, url) = (perimeter(broker), Url::parse(url).unwrap());
        let admitted = perimeter.admit(&url).await;
        admitted.map_err(|refusal| refusal.to_string())?;
        let Some(Host::Domain(name)) = url.host() else {
            return Ok(Vec::new());
        };
        let found = perimeter.resolve(name.parse().unwrap()).await;
        let found = found.map_err(|refusal| refusal.to_string())?;
        Ok(found.map(|address| address.ip().to_string()).collect())
    }

    #[tokio::test]
    async fn fet_04_a_name_of_another_leads_nowhere_inside() {
        let broker = "https://broker.example";
        let refused = Err("a host in a private network".to_owned());
        assert_eq!(asked(broker, "https://trap.example/").await, refused);
        for (url, address) in [
            ("https://keys.example/", "192.0.2.2"),
            ("https://half.example/", "192.0.2.3"),
        ] {
            assert_eq!(asked(broker, url).await.unwrap(), [address], "{url}");
        }
        for inside in [
            "https://127.0.0.1/",
            "https://localhost/",
            "https://broker.localhost/",
            "https://10.1.2.3/",
            "https://169.254.169.254/latest/",
            "https://0.0.0.0/",
            "https://[::1]/",
            "https://[fd00::1]/",
            "https://[fe80::1]/",
            "https://[::ffff:192.168.1.1]/",
            "https://0.1.2.3/",
            "https://100.64.0.1/",
            "https://100.127.255.255/",
            "https://198.19.255.255/",
            "https://[64:ff9b::a01:203]/",
            "https://[64:ff9b::100.100.100.200]/",
        ] {
            assert_eq!(asked(broker, inside).await, refused, "{inside}");
        }
    }

    #[tokio::test]
    async fn fet_04_an_address_outside_may_be_anothers() {
        for outside in [
            "https://192.0.2.1/",
            "https://100.63.255.255/",
            "https://100.128.0.1/",
            "https://198.17.0.1/",
            "https://198.20.0.1/",
            "https://[64:ff9b::c000:201]/",
            "https://[2001:db8::a01:203]/",
        ] {
            let found = asked("https://broker.example", outside).await;
            assert_eq!(found, Ok(Vec::new()), "{outside}");
        }
    }

    #[tokio::test]
    async fn fet_04_the_operator_may_choose_a_broker_inside() {
        for broker in [
            "https://intranet.example",
            "https://10.0.0.1",
            "http://localhost:3333",
            "http://127.0.0.1:3333",
        ] {
            for url in ["https://trap.example/", "https://10.1.2.3/"] {
                asked(broker, url).await.expect(broker);
            }
        }
        let own = asked("https://intranet.example", "https://intranet.example/keys");
        assert_eq!(own.await.unwrap(), ["10.0.0.1"]);
    }

    #[tokio::test]
    async fn proxies_may_be_inside() {
        let perimeter = perimeter("https://broker.example");
        let found = perimeter.resolve("intranet.example".parse().unwrap()).await;
        assert_eq!(found.ok().unwrap().count(), 1);
    }

    #[test]
    fn only_so_many_names_are_remembered() {
        let perimeter = perimeter("https://broker.example");
        for number in 0..1000 {
            perimeter.watch(&Url::parse(&format!("https://n{number}.example/")).unwrap());
            perimeter.watch(&Url::parse("https://broker.example/").unwrap());
            perimeter.watch(&Url::parse("https://trap.example/").unwrap());
        }
        let others = perimeter.0.others();
        assert_eq!(others.len(), MOST_NAMES);
        for name in ["n999.example", "trap.example"] {
            assert!(others.contains(&name.to_owned()), "{name}");
        }
    }
}
