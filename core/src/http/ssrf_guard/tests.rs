use super::*;

/// Names with their addresses; other names do not exist.
struct Table(&'static [(&'static str, &'static str)]);

impl Lookup for Table {
    fn addresses(&self, name: String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        let named = self.0.iter().filter(|(other, _)| *other == name);
        let found: Vec<SocketAddr> = named.map(|(_, ip)| address(ip)).collect();
        Box::pin(async move { Ok(found) })
    }
}

const TABLE: Table = Table(&[
    ("broker.example", "192.0.2.1"),
    ("intranet.example", "10.0.0.1"),
    ("both.example", "10.0.0.1"),
    ("both.example", "192.0.2.1"),
    ("keys.example", "192.0.2.2"),
    ("trap.example", "169.254.169.254"),
    ("trap.example", "::1"),
    ("half.example", "127.0.0.1"),
    ("half.example", "192.0.2.3"),
    ("localhost", "127.0.0.1"),
    ("localhost", "::1"),
    ("app.localhost", "192.0.2.4"),
    ("half.localhost", "10.0.0.1"),
    ("half.localhost", "127.0.0.2"),
]);

fn address(ip: &str) -> SocketAddr {
    SocketAddr::new(ip.parse().unwrap(), 0)
}

fn guard(broker: &str, local_is_loopback: bool) -> SsrfGuard {
    let broker = Origin::parse(broker, true).unwrap();
    SsrfGuard::new(&broker, local_is_loopback, Box::new(TABLE))
}

impl SsrfGuard {
    /// The allowed addresses of a host, as text.
    async fn asked(&self, url: &str) -> Result<Vec<String>, String> {
        let url = Url::parse(url).unwrap();
        let checked = self.check(&url);
        checked.map_err(|refusal| refusal.to_string())?;
        let Some(Host::Domain(name)) = url.host() else {
            return Ok(Vec::new());
        };
        let found = self.resolver(None).resolve(name.parse().unwrap()).await;
        let found = found.map_err(|refusal| refusal.to_string())?;
        Ok(found.map(|address| address.ip().to_string()).collect())
    }

    /// Connects to the broker, which answers from this address.
    async fn answers_at(&self, ip: &str) {
        let broker = self.0.broker.clone();
        self.asked(broker.as_str()).await.unwrap();
        self.answered(&broker, Some(address(ip)));
    }
}

fn refused<T>() -> Result<T, String> {
    Err(Refusal::PrivateAddress.to_string())
}

#[tokio::test]
async fn another_host_must_not_have_a_private_address() {
    let guard = guard("https://broker.example", false);
    guard.answers_at("192.0.2.1").await;
    assert_eq!(guard.asked("https://trap.example/").await, refused());
    for (url, address) in [
        ("https://keys.example/", "192.0.2.2"),
        ("https://half.example/", "192.0.2.3"),
    ] {
        assert_eq!(guard.asked(url).await.unwrap(), [address], "{url}");
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
        "https://[::ffff:192.168.1.1]/",
    ] {
        assert_eq!(guard.asked(inside).await, refused(), "{inside}");
    }
    for outside in ["https://192.0.2.1/", "https://[2001:db8::a01:203]/"] {
        assert_eq!(guard.asked(outside).await, Ok(Vec::new()), "{outside}");
    }
}

#[tokio::test]
async fn the_operator_may_choose_a_private_broker() {
    for broker in [
        "https://intranet.example",
        "https://10.0.0.1",
        "http://localhost:3333",
        "http://127.0.0.1:3333",
    ] {
        let guard = guard(broker, false);
        if guard.is_undecided() {
            guard.answers_at("10.0.0.1").await;
        }
        for url in ["https://trap.example/", "https://10.1.2.3/"] {
            guard.asked(url).await.expect(broker);
        }
    }
}

#[tokio::test]
async fn a_look_up_alone_does_not_make_a_broker_private() {
    let guard = guard("https://intranet.example", false);
    let own = guard.asked("https://intranet.example/keys").await;
    assert_eq!(own.unwrap(), ["10.0.0.1"]);
    assert!(guard.is_undecided());
    for url in ["https://trap.example/", "https://10.0.0.5/"] {
        assert_eq!(guard.asked(url).await, refused(), "{url}");
    }
}

#[tokio::test]
async fn a_broker_with_one_public_address_stays_public() {
    for broker in ["https://broker.example", "https://both.example"] {
        let guard = guard(broker, false);
        guard.answers_at("127.0.0.1").await;
        assert!(!guard.is_undecided());
        for url in ["https://trap.example/", "https://10.0.0.5/"] {
            assert_eq!(guard.asked(url).await, refused(), "{broker} {url}");
        }
    }
    // In the other order as well.
    let guard = guard("https://intranet.example", false);
    guard.answers_at("10.0.0.1").await;
    guard.answers_at("192.0.2.1").await;
    assert_eq!(guard.asked("https://10.0.0.5/").await, refused());
}

#[tokio::test]
async fn an_answer_of_another_host_does_not_make_the_broker_private() {
    let guard = guard("https://broker.example", false);
    let other = Url::parse("https://keys.example/").unwrap();
    guard.answered(&other, Some(address("127.0.0.1")));
    assert!(guard.is_undecided());
}

#[tokio::test]
async fn a_name_of_this_machine_resolves_to_loopback_addresses_only() {
    let strict = guard("http://app.localhost", true);
    let refused = Err(Refusal::NotThisMachine.to_string());
    assert_eq!(strict.asked("http://app.localhost/").await, refused);
    for (url, addresses) in [
        ("http://half.localhost/", &["127.0.0.2"][..]),
        ("http://localhost/", &["127.0.0.1", "::1"][..]),
    ] {
        assert_eq!(strict.asked(url).await.unwrap(), addresses, "{url}");
    }
    // With https, or where plain http is allowed for all hosts, the name may resolve to any
    // address.
    let lax = guard("https://app.localhost", false);
    let found = lax.asked("https://app.localhost/").await;
    assert_eq!(found.unwrap(), ["192.0.2.4"]);
}

#[tokio::test]
async fn proxies_may_have_private_addresses() {
    let guard = guard("https://broker.example", true);
    for name in ["intranet.example", "app.localhost"] {
        let resolver = guard.resolver(Some(name));
        let found = resolver.resolve(name.parse().unwrap()).await;
        assert_eq!(found.ok().unwrap().count(), 1, "{name}");
        // Other names that this resolver is asked for, as with socks5, are checked.
        let other = resolver.resolve("trap.example".parse().unwrap()).await;
        assert!(other.is_err());
    }
}
