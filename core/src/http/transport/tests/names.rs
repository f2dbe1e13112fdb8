//! The resolution of host names.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use super::super::{BoxFuture, Lookup};
use super::*;

/// Each look-up of any name returns the next of these answers, and the last one repeatedly; without
/// an answer, it never ends.
struct Script {
    finds: Vec<Option<Vec<&'static str>>>,
    lookups: Arc<AtomicUsize>,
}

impl Lookup for Script {
    fn addresses(&self, _: String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        let number = self.lookups.fetch_add(1, SeqCst);
        let found = self.finds[number.min(self.finds.len() - 1)].clone();
        Box::pin(async move {
            let Some(found) = found else {
                return std::future::pending().await;
            };
            if found.is_empty() {
                return Err(io::Error::other("no such name"));
            }
            let addresses = found
                .iter()
                .map(|ip| SocketAddr::new(ip.parse().unwrap(), 0));
            Ok(addresses.collect())
        })
    }
}

fn resolving(
    broker: &str,
    timeout: Duration,
    finds: &[Option<&[&'static str]>],
) -> (HttpTransport, Arc<AtomicUsize>) {
    let lookups = Arc::new(AtomicUsize::new(0));
    let script = Script {
        finds: finds.iter().map(|found| found.map(<[_]>::to_vec)).collect(),
        lookups: Arc::clone(&lookups),
    };
    let options = HttpOptions {
        timeout,
        ..options(broker)
    };
    let transport = HttpTransport::with_lookup(options, Box::new(script)).unwrap();
    (transport, lookups)
}

/// The server's URL, by a name instead of its address.
fn named(server: &Server, name: &str) -> String {
    server.url().replace("127.0.0.1", name)
}

fn document() -> [Act; 1] {
    [Act::Say(answer(200, "", "{}"))]
}

/// Without a name server, or where its resolver does not know names below `localhost`.
#[tokio::test]
async fn names_of_this_machine_need_no_name_server() {
    for name in ["localhost", "broker.localhost"] {
        let server = Server::start(document()).await;
        let (transport, _) = resolving(&format!("http://{name}"), PATIENT, &[Some(&[])]);
        let url = named(&server, name);
        assert_eq!(get(&transport, &url).await.unwrap().status, 200, "{name}");
    }
}

#[tokio::test]
async fn an_unknown_name_is_looked_up_again_next_time() {
    let server = Server::start(document()).await;
    let finds: [Option<&[_]>; 3] = [Some(&[]), Some(&[]), Some(&["127.0.0.1"])];
    let (transport, lookups) = resolving("http://broker.test", PATIENT, &finds);
    let url = named(&server, "broker.test");
    let error = get(&transport, &url).await.unwrap_err();
    assert_eq!(error.code(), Code::BrokerUnreachable);
    assert_eq!(
        error.to_string(),
        "the broker's name cannot be resolved host=broker.test"
    );
    assert!(error.retryable());
    assert_eq!(lookups.load(SeqCst), 2);
    assert_eq!(get(&transport, &url).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_look_up_that_hangs_is_a_timeout() {
    let (transport, _) = resolving("http://broker.test", HASTY, &[None]);
    let result = get(&transport, "http://broker.test/").await;
    assert_eq!(code(&result), Code::BrokerTimeout);
}

#[tokio::test]
async fn unreachable_addresses_are_skipped() {
    let server = Server::start(document()).await;
    let mut addresses = vec!["::1"; 19];
    addresses.push("127.0.0.1");
    let finds: [Option<&[_]>; 1] = [Some(&addresses)];
    let (transport, lookups) = resolving("http://broker.test", PATIENT, &finds);
    let url = named(&server, "broker.test");
    assert_eq!(get(&transport, &url).await.unwrap().status, 200);
    assert_eq!(lookups.load(SeqCst), 1);
}

#[tokio::test]
async fn a_name_that_becomes_private_is_refused() {
    let server = Server::start(document()).await;
    // At first, the host of the keys has a public address without a listener.
    let finds: [Option<&[_]>; 2] = [Some(&["192.0.2.1"]), Some(&["127.0.0.1"])];
    let (transport, lookups) = resolving("http://192.0.2.2", HASTY, &finds);
    let url = named(&server, "keys.test");
    for _ in 0..2 {
        get(&transport, &url).await.unwrap_err();
    }
    let error = get(&transport, &url).await.unwrap_err();
    assert_eq!(error.code(), Code::BrokerDocument);
    assert_eq!(
        error.to_string(),
        "the broker names a host in a private network host=keys.test"
    );
    assert!(lookups.load(SeqCst) > 2);
    assert_eq!(
        code(&get(&transport, &server.url()).await),
        Code::BrokerDocument
    );
    assert!(server.requests().is_empty());
}

/// A broker with a name that resolves to this machine.
fn origin(server: &Server) -> String {
    named(server, "broker.test").replace("/keys.json", "")
}

/// The address of the server, and a public one.
const MIXED: Option<&[&str]> = Some(&["127.0.0.1", "192.0.2.1"]);
const INSIDE: Option<&[&str]> = Some(&["127.0.0.1"]);

#[tokio::test]
async fn a_redirect_to_a_name_with_a_private_address_is_refused() {
    let inside = Server::start(document()).await;
    let location = format!("location: {}\r\n", named(&inside, "trap.broker.test"));
    let broker = Server::start([Act::Say(answer(302, &location, ""))]).await;
    let (transport, _) = resolving(&origin(&broker), PATIENT, &[MIXED, INSIDE]);
    let error = get(&transport, &named(&broker, "broker.test"))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::BrokerDocument, "{}", whole(&error));
    assert_eq!((broker.requests().len(), inside.requests().len()), (1, 0));
}

#[tokio::test]
async fn a_public_broker_cannot_redirect_to_a_private_address() {
    let inside = Server::start(document()).await;
    let broker = Server::start(document()).await;
    let (transport, _) = resolving(&origin(&broker), PATIENT, &[MIXED, INSIDE]);
    // From the second request on, its name resolves only to this machine.
    for _ in 0..2 {
        let own = get(&transport, &named(&broker, "broker.test")).await;
        assert_eq!(own.unwrap().status, 200);
        for url in [
            inside.url(),
            named(&inside, "keys.test"),
            "http://10.0.0.5/".to_owned(),
        ] {
            let result = get(&transport, &url).await;
            assert_eq!(code(&result), Code::BrokerDocument, "{url}");
        }
    }
    assert!(inside.requests().is_empty());
}

#[tokio::test]
async fn the_broker_is_contacted_before_a_private_host_is_refused() {
    let inside = Server::start(document()).await;
    let broker = Server::start([Act::Say(answer(404, "", ""))]).await;
    for url in [inside.url(), named(&inside, "keys.test")] {
        let (transport, _) = resolving(&origin(&broker), PATIENT, &[INSIDE]);
        assert_eq!(get(&transport, &url).await.unwrap().status, 200, "{url}");
    }
    assert_eq!(broker.requests().len(), 2);
    // A broker with a name of this machine that does not answer there does not count as private.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!(
        "http://broker.test:{}",
        listener.local_addr().unwrap().port()
    );
    drop(listener);
    let (transport, _) = resolving(&nobody, PATIENT, &[INSIDE]);
    let result = get(&transport, &named(&inside, "keys.test")).await;
    assert_eq!(code(&result), Code::BrokerDocument);
    assert_eq!(inside.requests().len(), 2);
}

#[tokio::test]
async fn plain_http_with_a_name_of_this_machine_stays_on_it() {
    let server = Server::start(document()).await;
    let broker = named(&server, "app.localhost").replace("/keys.json", "");
    for (address, status) in [("127.0.0.1", Some(200)), ("192.0.2.1", None)] {
        let script = Script {
            finds: vec![Some(vec![address])],
            lookups: Arc::default(),
        };
        let options = HttpOptions {
            danger_allow_http: false,
            ..options(&broker)
        };
        let transport = HttpTransport::with_lookup(options, Box::new(script)).unwrap();
        let result = get(&transport, &named(&server, "app.localhost")).await;
        assert_eq!(result.as_ref().ok().map(|answer| answer.status), status);
        if let Err(error) = result {
            assert_eq!(error.code(), Code::BrokerUnreachable);
            assert_eq!(
                error.to_string(),
                "a name of this machine resolves to another machine, for which plain http is not allowed \
                 host=app.localhost"
            );
        }
        // Plain http is not used for another host, either.
        let result = get(&transport, "http://keys.test/").await;
        assert_eq!(code(&result), Code::BrokerDocument);
    }
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn keys_may_be_redirected_to_parent_and_subdomains_but_not_to_siblings() {
    for (to, status) in [
        ("broker.test", Some(200)),
        ("new.keys.broker.test", Some(200)),
        ("other.broker.test", None),
        ("elsewhere.test", None),
    ] {
        let target = Server::start(document()).await;
        let location = format!("location: {}\r\n", named(&target, to));
        let keys = Server::start([Act::Say(answer(302, &location, ""))]).await;
        // The broker has a private address, so the hosts that it names may have one, too.
        let (transport, _) = resolving("http://127.0.0.1", PATIENT, &[INSIDE]);
        let result = get(&transport, &named(&keys, "keys.broker.test")).await;
        if status.is_none() {
            assert_eq!(code(&result), Code::BrokerDocument, "{to}");
        }
        assert_eq!(result.ok().map(|response| response.status), status, "{to}");
        assert_eq!(
            target.requests().len(),
            usize::from(status.is_some()),
            "{to}"
        );
    }
}
