//! Both adversaries at once: the store of `tests/adversary` returns what it likes, and names resolve as an
//! attacker wishes. All its properties hold, and no client connects to a private address.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail"
)]
#![allow(
    clippy::field_reassign_with_default,
    reason = "tests/adversary is another crate, which cannot write all types out"
)]

#[path = "../../../tests/adversary/history.rs"]
mod history;
#[path = "../../../tests/adversary/store.rs"]
mod store;
#[path = "../../../tests/adversary/world.rs"]
mod world;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use self::history::{History, config, event, run, script};
use self::world::{Network, ORIGIN};
use super::SsrfGuard;
use super::adversary::{Script, address, connections};
use crate::error::{Code, Error, Result};
use crate::future::BoxFuture;
use crate::http::addresses::is_public;
use crate::http::{Request, Response, Transport};
use crate::origin::Origin;

/// Where the broker is. Other machines have no certificate for its name.
const BROKER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// The answers of the name server, one for each request.
#[derive(Default)]
struct Names {
    answers: Vec<Vec<IpAddr>>,
    next: usize,
    /// A private address to which a client would have connected.
    inside: Option<(String, IpAddr)>,
}

/// A network that is asked only where the guard allows it.
#[derive(Clone)]
struct Guarded {
    network: Arc<Network>,
    guard: SsrfGuard,
    script: Script,
    names: Arc<Mutex<Names>>,
}

impl Guarded {
    fn new(network: Network, names: &Arc<Mutex<Names>>) -> Self {
        let script = Script::default();
        let broker = Origin::parse(ORIGIN, false).unwrap();
        Self {
            network: Arc::new(network),
            guard: SsrfGuard::new(&broker, false, Box::new(script.clone())),
            script,
            names: Arc::clone(names),
        }
    }

    async fn answer(&self, request: Request) -> Result<Response> {
        let url = request.url.clone();
        let found = {
            let mut names = self.names.lock().unwrap();
            names.next += 1;
            names.answers[names.next % names.answers.len()].clone()
        };
        *self.script.0.lock().unwrap() = found;
        let addresses = connections(&self.guard, &url).await;
        let is_broker = url.as_str().starts_with(ORIGIN);
        if is_broker && addresses.first() != Some(&BROKER) {
            self.network.world.fail();
            return Err(Error::new(
                Code::BrokerUnreachable,
                "another machine answers",
            ));
        }
        if is_broker {
            let answer = self.network.send(request).await;
            if answer.is_ok() {
                self.guard
                    .answered(&url, Some(SocketAddr::new(BROKER, 443)));
            }
            return answer;
        }
        if let Some(ip) = addresses.iter().find(|ip| !is_public(**ip)) {
            // A panic here would be caught by the fetch.
            self.names.lock().unwrap().inside = Some((url.to_string(), *ip));
        }
        if addresses.is_empty() {
            // A document that the store has forged may name the host of the keys.
            self.network.world.fail();
            return Err(Error::new(Code::BrokerUnreachable, "refused"));
        }
        self.network.send(request).await
    }
}

impl Transport for Guarded {
    fn send(&self, request: Request) -> BoxFuture<'static, Result<Response>> {
        let this = self.clone();
        Box::pin(async move { this.answer(request).await })
    }

    fn trust(&self) -> Option<String> {
        self.network.trust()
    }
}

fn answers() -> impl Strategy<Value = Vec<Vec<IpAddr>>> {
    let answer = prop_oneof![
        3 => Just(vec![BROKER]),
        2 => proptest::collection::vec(address(), 1..4),
    ];
    proptest::collection::vec(answer, 1..16)
}

proptest! {
    #![proptest_config(config(500))]

    #[test]
    fn a_hostile_store_and_a_hostile_resolver_gain_nothing_together(
        script in script(),
        answers in answers(),
        events in proptest::collection::vec(event(), 0..30),
        is_sealed in any::<bool>(),
    ) {
        run(async {
            let names = Arc::new(Mutex::new(Names { answers, ..Names::default() }));
            let mut history = History::new(script, is_sealed, |network| {
                Arc::new(Guarded::new(network, &names))
            });
            for event in &events {
                history.happen(event).await;
                assert_eq!(history.world.astray(), None);
                assert_eq!(names.lock().unwrap().inside, None);
            }
        });
    }
}
