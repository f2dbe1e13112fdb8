//! A resolver that an attacker controls.

use std::sync::Mutex;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

use super::*;

const BROKER: &str = "https://broker.example/";

/// The next answer of the resolver.
#[derive(Clone, Default)]
pub(super) struct Script(pub(super) Arc<Mutex<Vec<IpAddr>>>);

impl Lookup for Script {
    fn addresses(&self, _: String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        let found = self.0.lock().unwrap().clone();
        let found = found.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect();
        Box::pin(async move { Ok(found) })
    }
}

#[derive(Clone, Debug)]
enum Event {
    /// The broker's name is resolved. If a connection is made to one of the addresses, it is
    /// answered.
    AskBroker { found: Vec<IpAddr>, connects: bool },
    /// The broker has named this host, and the client sends a request to it.
    AskOther { url: String, found: Vec<IpAddr> },
}

pub(super) fn address() -> impl Strategy<Value = IpAddr> {
    let known = [
        "192.0.2.1",
        "2001:db8::1",
        "127.0.0.1",
        "10.0.0.5",
        "169.254.169.254",
        "::1",
        "fd00::1",
        "::ffff:10.0.0.5",
        "64:ff9b::a00:5",
        "2002:a00:5::1",
    ];
    let known = known.map(|ip| ip.parse::<IpAddr>().unwrap());
    prop_oneof![
        4 => proptest::sample::select(known.to_vec()),
        1 => any::<[u8; 4]>().prop_map(IpAddr::from),
        1 => any::<[u8; 16]>().prop_map(IpAddr::from),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let found = || proptest::collection::vec(address(), 1..4);
    let literal = address().prop_map(|ip| match ip {
        IpAddr::V4(ip) => format!("https://{ip}/"),
        IpAddr::V6(ip) => format!("https://[{ip}]/"),
    });
    let names = [
        "keys.example",
        "sub.broker.example",
        "localhost",
        "app.localhost",
    ];
    let name = proptest::sample::select(names.to_vec()).prop_map(|name| format!("https://{name}/"));
    prop_oneof![
        (found(), any::<bool>()).prop_map(|(found, connects)| Event::AskBroker { found, connects }),
        (prop_oneof![literal, name], found())
            .prop_map(|(url, found)| Event::AskOther { url, found }),
    ]
}

/// The same examples in every run, unless the environment sets others.
fn config() -> Config {
    let mut config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 2000;
        config.rng_seed = RngSeed::Fixed(1);
    }
    config
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_resolver_causes_a_connection_to_a_private_address(
        events in proptest::collection::vec(event(), 0..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(history(&events))?;
    }
}

async fn history(events: &[Event]) -> Result<(), TestCaseError> {
    let script = Script::default();
    let broker = Origin::parse(BROKER.trim_end_matches('/'), false).unwrap();
    let guard = SsrfGuard::new(&broker, false, Box::new(script.clone()));
    // What the client knows about the broker so far.
    let (mut was_public, mut answered_inside) = (false, false);
    for event in events {
        let (url, found) = match event {
            Event::AskBroker { found, .. } => (BROKER, found),
            Event::AskOther { url, found } => (url.as_str(), found),
        };
        script.0.lock().unwrap().clone_from(found);
        let url = Url::parse(url).unwrap();
        let connections = connections(&guard, &url).await;
        if let Event::AskBroker { connects, .. } = event {
            prop_assert_eq!(&connections, found, "the operator has chosen the broker");
            was_public |= found.iter().any(|ip| is_public(*ip));
            if let (true, Some(ip)) = (*connects, connections.first()) {
                guard.answered(&url, Some(SocketAddr::new(*ip, 443)));
                answered_inside |= !is_public(*ip);
            }
            continue;
        }
        if was_public || !answered_inside {
            prop_assert!(
                connections.iter().all(|ip| is_public(*ip)),
                "{url} {connections:?}"
            );
        }
    }
    Ok(())
}

/// The addresses that the client would connect to.
pub(super) async fn connections(guard: &SsrfGuard, url: &Url) -> Vec<IpAddr> {
    if guard.check(url).is_err() {
        return Vec::new();
    }
    match url.host() {
        Some(Host::Ipv4(ip)) => vec![IpAddr::V4(ip)],
        Some(Host::Ipv6(ip)) => vec![IpAddr::V6(ip)],
        Some(Host::Domain(name)) => {
            let found = guard.resolver(None).resolve(name.parse().unwrap()).await;
            found.map_or_else(
                |_| Vec::new(),
                |found| found.map(|found| found.ip()).collect(),
            )
        }
        None => Vec::new(),
    }
}
