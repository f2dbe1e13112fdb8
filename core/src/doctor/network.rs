//! The way to the broker: proxy, name, addresses, and certificate authorities.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use url::Url;

use super::finding::{Finding, FindingId};
use super::options::DoctorOptions;
use super::{millis, sentence, shown};
use crate::client::Client;
use crate::clock::{Clock as _, SystemClock};
use crate::http::{misunderstood_exceptions, proxy_of};
use crate::origin::{is_local, parse_url};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const SLOW: Duration = Duration::from_secs(1);

pub(super) async fn examine(client: &Client, options: &DoctorOptions) -> Vec<Finding> {
    let Some(broker) = parse_url(client.broker()) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    if broker.scheme() == "https" {
        findings.extend(authorities(options).await);
    }
    match proxy_of(&broker) {
        Err(error) => {
            findings.push(Finding::new(FindingId::ProxyInvalid, sentence(&error)));
        }
        Ok(Some(proxy)) => {
            findings.push(through(proxy).await);
            findings.extend(exceptions());
        }
        Ok(None) => findings.extend(addresses(&broker).await),
    }
    findings
}

async fn through(proxy: String) -> Finding {
    let connected = timeout(CONNECT_TIMEOUT, TcpStream::connect(&proxy)).await;
    let problem = match connected {
        Ok(Ok(_)) => {
            let text = format!("Requests to the broker go through the proxy {proxy}.");
            return Finding::new(FindingId::Proxy, text).with("proxy", proxy);
        }
        Ok(Err(cause)) => cause.to_string(),
        Err(_) => format!("no connection in {}", shown(CONNECT_TIMEOUT)),
    };
    let text = format!(
        "Requests to the broker have to go through the proxy {proxy}, which the environment names, and which \
         cannot be reached: {problem}."
    );
    Finding::new(FindingId::ProxyUnreachable, text).with("proxy", proxy)
}

/// Entries of `NO_PROXY` that match no host, although one of them may have been meant for the broker.
fn exceptions() -> Option<Finding> {
    let (name, numbers) = misunderstood_exceptions()?;
    let listed: Vec<_> = numbers.iter().map(usize::to_string).collect();
    let listed = listed.join(", ");
    // An entry may be a proxy with a password.
    let text = format!("{name} has entries that match no host (number {listed}).");
    let finding = Finding::new(FindingId::ProxyExceptions, text);
    Some(finding.with("variable", name).with("entries", numbers))
}

/// Loads the certificate authorities, which takes milliseconds.
async fn authorities(options: &DoctorOptions) -> Option<Finding> {
    // A file that cannot be read is an invalid option, which was found before.
    let listed = options.listed().ok()?;
    let loaded = tokio::task::spawn_blocking(move || listed.trusted_with_system().map(drop));
    let outcome = loaded.await.ok()?;
    let variables = ["SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"];
    let set: Vec<_> = variables
        .into_iter()
        .filter(|name| std::env::var_os(name).is_some())
        .collect();
    Some(match outcome {
        Ok(()) => {
            let mut text =
                "Certificates are checked with the authorities of this system".to_owned();
            if !set.is_empty() {
                text = format!("{text}, as the environment says ({})", set.join(", "));
            }
            if options.ca_file.is_some() {
                text.push_str(", and with those of ca_file");
            }
            Finding::new(FindingId::Tls, format!("{text}.")).with("variables", set)
        }
        Err(cause) => Finding::new(
            FindingId::TlsNoAuthorities,
            format!("TLS cannot be set up: {cause}."),
        )
        .with("variables", set),
    })
}

/// The time to connect to an address of each version of IP.
#[derive(Clone, Copy)]
enum Family {
    Absent,
    Failed,
    Connected(Duration),
}

async fn addresses(broker: &Url) -> Vec<Finding> {
    let (Some(host), Some(port)) = (broker.host_str(), broker.port_or_known_default()) else {
        return Vec::new();
    };
    let name = host.trim_matches(['[', ']']);
    let begun = SystemClock::new();
    let looked_up = timeout(CONNECT_TIMEOUT, lookup_host((name, port))).await;
    let lookup = begun.monotonic();
    let found: Vec<SocketAddr> = match looked_up {
        Ok(Ok(found)) => found.collect(),
        _ => Vec::new(),
    };
    if found.is_empty() {
        let text = format!(
            "The name {name} of the broker has no address here ({}).",
            shown(lookup)
        );
        return vec![Finding::new(FindingId::NetworkNoName, text).with("host", name)];
    }
    let first = |is_v4: bool| found.iter().find(move |address| address.is_ipv4() == is_v4);
    let (v4, v6) = join(connect(first(true)), connect(first(false))).await;
    let text = format!(
        "The name {name} was looked up in {}. IPv4: {}. IPv6: {}.",
        shown(lookup),
        told(v4),
        told(v6)
    );
    let mut finding = Finding::new(judged(v4, v6, lookup, is_local(broker)), text)
        .with("host", name)
        .with("lookup_ms", millis(lookup));
    for (name, family) in [("ipv4_ms", v4), ("ipv6_ms", v6)] {
        if let Family::Connected(time) = family {
            finding = finding.with(name, millis(time));
        }
    }
    vec![finding]
}

fn judged(v4: Family, v6: Family, lookup: Duration, is_local: bool) -> FindingId {
    match (v4, v6) {
        (Family::Connected(_), Family::Failed) | (Family::Failed, Family::Connected(_))
            // A server on this machine usually listens to one of them.
            if !is_local =>
        {
            FindingId::NetworkOneFamily
        }
        (Family::Connected(time), _) | (_, Family::Connected(time)) => {
            if time + lookup > SLOW {
                FindingId::NetworkSlow
            } else {
                FindingId::Network
            }
        }
        _ => FindingId::NetworkUnreachable,
    }
}

async fn connect(address: Option<&SocketAddr>) -> Family {
    let Some(address) = address else {
        return Family::Absent;
    };
    let begun = SystemClock::new();
    match timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
        Ok(Ok(_)) => Family::Connected(begun.monotonic()),
        _ => Family::Failed,
    }
}

fn told(family: Family) -> String {
    match family {
        Family::Absent => "no address".to_owned(),
        Family::Failed => "no connection".to_owned(),
        Family::Connected(time) => format!("connected in {}", shown(time)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_of_ip_that_fails_alone_is_found() {
        let fast = Family::Connected(Duration::from_millis(20));
        let slow = Family::Connected(Duration::from_millis(990));
        let lookup = Duration::from_millis(20);
        for (v4, v6, is_local, expected) in [
            (fast, fast, false, FindingId::Network),
            (fast, Family::Absent, false, FindingId::Network),
            (Family::Absent, fast, false, FindingId::Network),
            (fast, Family::Failed, false, FindingId::NetworkOneFamily),
            (Family::Failed, fast, false, FindingId::NetworkOneFamily),
            (fast, Family::Failed, true, FindingId::Network),
            (slow, Family::Absent, false, FindingId::NetworkSlow),
            (
                Family::Failed,
                Family::Failed,
                false,
                FindingId::NetworkUnreachable,
            ),
            (
                Family::Failed,
                Family::Absent,
                true,
                FindingId::NetworkUnreachable,
            ),
        ] {
            assert_eq!(judged(v4, v6, lookup, is_local), expected);
        }
    }
}
