//! Histories of logins in several processes, with a store that follows a script.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portier_client::testing::{ManualRandom, session_key};
use portier_client::{
    AuthenticateOptions, CallbackParams, Client, Code, CompleteOptions, Kind, Login, Result,
    Transport,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

use super::store::{Adversary, Contents};
use super::world::{Network, ORIGIN, OWNERS, STAGING_PROCESS, Signers, World};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How far the clock of another machine may be ahead, and how soon a document may be asked for again.
const TOLERANCE: Duration = Duration::from_secs(10 + 60);
/// Two machines in production, and one that trusts more.
const PROCESSES: usize = 3;
const SECRETS: [&str; 2] = ["the secret of a browser", "that of another browser"];

#[derive(Clone, Debug)]
pub(crate) enum Event {
    Pass(u64),
    Rotate,
    Down(bool),
    Warm(usize),
    Start(usize, Option<usize>),
    Complete {
        process: usize,
        /// The index of the login, the latest first.
        login: usize,
        owner: Option<usize>,
        browser: Option<usize>,
        confirms: bool,
    },
}

pub(crate) fn event() -> impl Strategy<Value = Event> {
    let process = || 0..PROCESSES;
    let browser = || prop_oneof![2 => Just(None), 3 => Just(Some(0)), 1 => Just(Some(1))];
    let owner = prop_oneof![3 => Just(None), 2 => (0..OWNERS).prop_map(Some)];
    let completes = (process(), 0..3_usize, owner, browser(), any::<bool>());
    prop_oneof![
        2 => (0..40_u64).prop_map(Event::Pass),
        3 => (0..100_000_u64).prop_map(Event::Pass),
        1 => Just(Event::Rotate),
        1 => any::<bool>().prop_map(Event::Down),
        2 => process().prop_map(Event::Warm),
        5 => (process(), browser()).prop_map(|(process, browser)| Event::Start(process, browser)),
        9 => completes.prop_map(|(process, login, owner, browser, confirms)| Event::Complete {
            process, login, owner, browser, confirms,
        }),
    ]
}

/// One number for each call of the store; zero means the correct answer.
pub(crate) fn script() -> impl Strategy<Value = Vec<u8>> {
    let question = |lies| prop_oneof![4 => Just(0), lies => any::<u8>()];
    prop_oneof![
        1 => Just(Vec::new()),
        3 => prop::collection::vec(question(1), 1..64),
        3 => prop::collection::vec(question(6), 1..64),
    ]
}

struct Started {
    url: String,
    nonce: String,
    browser: Option<usize>,
    is_certain: bool,
}

pub(crate) struct History {
    pub(crate) world: Arc<World>,
    contents: Arc<Mutex<Contents>>,
    clients: Vec<Client>,
    logins: Vec<Started>,
    completed: HashMap<String, u32>,
    is_sealed: bool,
}

impl History {
    /// Makes the clients. `transport` makes that of a process from its network.
    pub(crate) fn new(
        script: Vec<u8>,
        is_sealed: bool,
        transport: impl Fn(Network) -> Arc<dyn Transport>,
    ) -> Self {
        let world = World::new();
        let contents = Arc::new(Mutex::new(Contents::new(script)));
        let random = Arc::new(ManualRandom::default());
        let clients = (0..PROCESSES).map(|process| {
            let builder = Client::builder("https://example.com/verify");
            let builder = if is_sealed {
                builder.secret("rN5yH8cV2bM7kX4zT9wQ1pL6sD3gF0jA")
            } else {
                builder
            };
            builder
                .broker(ORIGIN)
                .clock(world.clock.clone())
                .random(random.clone())
                .transport(transport(Network {
                    world: Arc::clone(&world),
                    process,
                    is_staging: process == STAGING_PROCESS,
                }))
                .store(Arc::new(Adversary {
                    world: Arc::clone(&world),
                    process,
                    contents: Arc::clone(&contents),
                }))
                .build()
                .unwrap()
        });
        Self {
            clients: clients.collect(),
            world,
            contents,
            logins: Vec::new(),
            completed: HashMap::new(),
            is_sealed,
        }
    }

    /// Lets an event happen. The properties are checked meanwhile.
    pub(crate) async fn happen(&mut self, event: &Event) {
        match *event {
            Event::Pass(seconds) => self.world.clock.advance(Duration::from_secs(seconds)),
            Event::Rotate => self.world.rotate(),
            Event::Down(is_down) => self.world.set_down(is_down),
            Event::Warm(process) => self.warm(process).await,
            Event::Start(process, browser) => self.start(process, browser).await,
            Event::Complete {
                process,
                login,
                owner,
                browser,
                confirms,
            } => {
                let Some(login) = self.logins.len().checked_sub(login + 1) else {
                    return;
                };
                self.complete(process, login, owner, browser, confirms)
                    .await;
            }
        }
    }

    async fn warm(&self, process: usize) {
        let client = &self.clients[process];
        if let Ok(keys) = in_time(client.key_set()).await {
            assert!(keys.len() <= 256 * 1024);
            for owner in Signers::all().owners_in(&keys) {
                self.is_believed(process, owner);
            }
        }
        if let Ok(discovery) = in_time(client.discover()).await {
            assert!(discovery.len() <= 256 * 1024);
        }
    }

    async fn start(&mut self, process: usize, browser: Option<usize>) {
        let mut options = AuthenticateOptions::for_email("alice@example.com");
        options.browser = browser.map(|browser| SECRETS[browser].to_owned());
        let Ok(url) = in_time(self.clients[process].authenticate_with(options)).await else {
            return;
        };
        let (_, nonce) = url.split_once("nonce=").unwrap();
        let nonce = nonce.split('&').next().unwrap().to_owned();
        let is_certain = self.contents.lock().unwrap().is_honest();
        self.logins.push(Started {
            url,
            nonce,
            browser,
            is_certain,
        });
    }

    async fn complete(
        &mut self,
        process: usize,
        login: usize,
        owner: Option<usize>,
        browser: Option<usize>,
        confirms: bool,
    ) {
        let login = &self.logins[login];
        let owner = owner.unwrap_or_else(|| self.world.current());
        let token = Signers::all().token(owner, &login.url, self.world.seconds());
        let params = CallbackParams::from_pairs([("id_token", token)]).unwrap();
        let mut options = CompleteOptions::default();
        options.browser = browser.map(|browser| SECRETS[browser]);
        options.confirmation = confirms.then_some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        let changes = self.contents.lock().unwrap().changes;
        let outcome = in_time(self.clients[process].complete_with(params, options)).await;
        if browser != login.browser {
            assert!(outcome.is_err(), "another browser completes no login");
            let now = self.contents.lock().unwrap().changes;
            assert_eq!(now, changes, "another browser changes nothing");
        }
        if outcome.is_ok() {
            self.is_believed(process, owner);
            let nonce = login.nonce.clone();
            let key = session_key(&nonce);
            let contents = self.contents.lock().unwrap();
            let given = contents.given.get(key.as_bytes()).copied();
            let completed = self.completed.entry(nonce).or_default();
            *completed += 1;
            if self.is_sealed {
                let all = self.completed.values().sum::<u32>();
                assert!(all <= contents.accepted, "once for each accepted record");
            } else {
                assert!(Some(*completed) <= given, "once for each time it was given");
            }
            drop(contents);
        }
        self.judge(process, login, owner, browser, &outcome);
    }

    /// With a correct store and an available broker, the right login completes.
    fn judge(
        &self,
        process: usize,
        login: &Started,
        owner: usize,
        browser: Option<usize>,
        outcome: &Result<Login>,
    ) {
        let is_right = login.is_certain
            && process != STAGING_PROCESS
            && owner == self.world.current()
            && browser == login.browser
            && !self.world.is_troubled();
        if let (true, Err(error)) = (is_right, outcome) {
            // A missing key is fetched at most once in five seconds.
            let expected = [
                Code::SessionUsed,
                Code::TokenClock,
                Code::TokenKeyUnknown,
                Code::SessionExpired,
            ];
            let expected = expected.contains(&error.code()) || error.code() == Code::TokenSignature;
            assert!(expected, "{error}");
        }
    }

    /// Checks that a process may accept a key.
    fn is_believed(&self, process: usize, owner: usize) {
        let now = self.world.now();
        let seen = self.world.seen(process, owner);
        let seen = seen.unwrap_or_else(|| panic!("process={process} never saw owner={owner}"));
        let longer = if self.world.is_troubled() {
            DAY
        } else {
            Duration::ZERO
        };
        let age = now.saturating_sub(seen);
        assert!(
            age <= DAY + longer + TOLERANCE,
            "process={process} owner={owner} age={age:?}"
        );
    }
}

/// The result of a call, within a minute and without an internal error.
async fn in_time<T>(call: impl Future<Output = Result<T>>) -> Result<T> {
    let outcome = tokio::time::timeout(Duration::from_secs(60), call).await;
    let outcome = outcome.unwrap_or_else(|_| panic!("a call has not come to its end"));
    if let Err(error) = &outcome {
        assert_ne!(error.kind(), Kind::InternalError, "{error}");
    }
    outcome
}

/// Runs a future in a runtime whose time passes at once.
pub(crate) fn run(future: impl Future<Output = ()>) {
    Signers::all();
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(future);
}

/// The same examples in each run, unless the environment sets another seed.
pub(crate) fn config(cases: u32) -> Config {
    let mut config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
        config.rng_seed = RngSeed::Fixed(1);
    }
    config
}
