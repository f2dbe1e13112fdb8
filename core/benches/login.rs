//! Measures logins against the bare verification of the same signatures, in the same run, and
//! prints the figures as JSON: without and with many pending logins, from several threads, and in memory beside
//! sealed.
//! `make bench` shows them; ROUNDS, LOGINS and PENDING in the environment change the amount.
#![allow(
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a benchmark may stop at a surprise"
)]

mod modes;

use std::collections::BTreeMap;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation};
use portier_client::testing::{DevBroker, DevBrokerOptions, MintOptions};
use portier_client::{Client, Clock, Flow, MemoryStore, Result, SystemClock};
use serde_json::{Value, json};

use self::modes::{Answer, FLOWS, Logins, MODES};

const PENDING: [usize; 4] = [0, 1_000, 100_000, 1_000_000];
const THREADS: [usize; 3] = [1, 2, 4];

fn main() -> Result<()> {
    let bench = Bench {
        clock: Arc::new(SystemClock::new()),
        broker: DevBroker::spawn(DevBrokerOptions::default())?,
        rounds: from_environment("ROUNDS", 45),
        logins: from_environment("LOGINS", 200),
    };
    let most = from_environment("PENDING", PENDING[PENDING.len() - 1]);
    println!("{}", runtime().block_on(bench.run(most))?);
    Ok(())
}

const EMAIL: &str = "alice@example.com";
const REDIRECT_URI: &str = "http://localhost:8888/verify";

struct Bench {
    clock: Arc<dyn Clock>,
    broker: DevBroker,
    rounds: usize,
    logins: usize,
}

/// Seconds per call, one sample for each round.
#[derive(Default)]
struct Samples {
    bare: Vec<f64>,
    authenticate: Vec<f64>,
    verify: Vec<f64>,
    jsonwebtoken: Vec<f64>,
}

/// The crate jsonwebtoken with the broker's keys. It checks no nonce.
struct Peer {
    keys: BTreeMap<String, DecodingKey>,
    validation: Validation,
}

impl Peer {
    async fn of(client: &Client) -> Result<Self> {
        let set: JwkSet = serde_json::from_str(&client.key_set().await?).expect("a key set");
        let keys = set.keys.iter().filter_map(|key| {
            let id = key.common.key_id.clone()?;
            Some((id, DecodingKey::from_jwk(key).ok()?))
        });
        let mut validation = Validation::new(jsonwebtoken::Algorithm::RS256);
        validation.leeway = 180;
        validation.set_audience(&[client.client_id()]);
        validation.set_issuer(&[client.broker()]);
        validation.set_required_spec_claims(&["exp", "aud", "iss"]);
        Ok(Self {
            keys: keys.collect(),
            validation,
        })
    }

    /// Returns the address.
    fn verify(&self, token: &str) -> String {
        let header = jsonwebtoken::decode_header(token).expect("a header");
        let key = &self.keys[&header.kid.expect("a key id")];
        let decoded = jsonwebtoken::decode::<Claims>(token, key, &self.validation);
        decoded.expect("a valid token").claims.email
    }
}

#[derive(serde::Deserialize)]
struct Claims {
    email: String,
}

impl Bench {
    async fn run(&self, most: usize) -> Result<Value> {
        // The usual case: the default store, with only the measured logins.
        let usual = Client::builder(REDIRECT_URI)
            .broker(self.broker.origin())
            .build()?;
        usual.warm().await?;
        let mut clients = vec![("usual".to_owned(), usual)];
        let mut bytes = None;
        for pending in PENDING.into_iter().filter(|pending| *pending <= most) {
            let client = self.client().await?;
            bytes = self.fill(&client, pending).await?;
            clients.push((pending.to_string(), client));
        }
        Ok(json!({
            "rounds": self.rounds,
            "logins_per_round": self.logins,
            "bytes_per_pending_login": bytes,
            "pending": self.measure(&clients).await?,
            "bytes_per_sealed_login": self.fill_sealed(&clients[0].1, most).await?,
            "modes": self.modes(&clients[0].1).await?,
            "threads": self.threads(&clients[0].1).await?,
        }))
    }

    /// A client with space for the most logins, and with its documents in the cache.
    async fn client(&self) -> Result<Client> {
        let capacity = PENDING[PENDING.len() - 1] + (self.rounds + 1) * self.logins;
        let store = MemoryStore::with_capacity(Arc::clone(&self.clock), capacity);
        let client = Client::builder(REDIRECT_URI)
            .broker(self.broker.origin())
            .clock(Arc::clone(&self.clock))
            .store(Arc::new(store))
            .build()?;
        client.warm().await?;
        Ok(client)
    }

    /// Starts logins, and returns the memory that each of them adds to the process.
    async fn fill(&self, client: &Client, pending: usize) -> Result<Option<f64>> {
        let before = resident_bytes();
        for _ in 0..pending {
            client.authenticate(EMAIL).await?;
        }
        Ok(before
            .zip(resident_bytes())
            .map(|(before, after)| (after - before) / pending as f64))
    }

    /// Starts sealed logins, and returns the memory that each of them adds to the process.
    async fn fill_sealed(&self, usual: &Client, started: usize) -> Result<Option<f64>> {
        let logins = Logins::of(usual, "sealed", Flow::Implicit).await?;
        logins.authenticate().await?;
        let before = resident_bytes();
        for _ in 0..started {
            logins.authenticate().await?;
        }
        Ok(before
            .zip(resident_bytes())
            .map(|(before, after)| (after - before) / started as f64))
    }

    /// Runs all measures in every round, so that a busy moment of the machine affects all of them.
    async fn measure(&self, clients: &[(String, Client)]) -> Result<BTreeMap<String, Value>> {
        let mut samples: BTreeMap<&str, Samples> = BTreeMap::new();
        let peer = Peer::of(&clients[0].1).await?;
        for round in 0..=self.rounds {
            for turn in 0..clients.len() {
                let (name, client) = &clients[(round + turn) % clients.len()];
                let measured = self.one_round(client, &peer).await?;
                // The first round only warms up.
                if round > 0 {
                    let samples = samples.entry(name).or_default();
                    samples.authenticate.push(measured[0] / self.logins as f64);
                    samples.bare.push(measured[1] / self.logins as f64);
                    samples.verify.push(measured[2] / self.logins as f64);
                    samples.jsonwebtoken.push(measured[3] / self.logins as f64);
                }
            }
        }
        Ok(samples
            .iter()
            .map(|(name, samples)| ((*name).to_owned(), figures(samples)))
            .collect())
    }

    async fn one_round(&self, client: &Client, peer: &Peer) -> Result<[f64; 4]> {
        let start = self.clock.monotonic();
        let urls = self.start(client).await?;
        let authenticate = self.since(start);
        let tokens = self.tokens(&urls)?;
        let bare = self.broker.time_signatures(&tokens)?.as_secs_f64();
        let start = self.clock.monotonic();
        for token in &tokens {
            client.verify(token).await?;
        }
        let verify = self.since(start);
        let start = self.clock.monotonic();
        for token in &tokens {
            assert_eq!(peer.verify(token), EMAIL);
        }
        Ok([authenticate, bare, verify, self.since(start)])
    }

    /// Logins that are bound to a browser, in each flow: the seconds of one in memory and of one that is sealed.
    async fn modes(&self, usual: &Client) -> Result<BTreeMap<String, Value>> {
        let mut halves: BTreeMap<String, [Vec<f64>; 2]> = BTreeMap::new();
        for (name, flow) in FLOWS {
            let mut modes = Vec::new();
            for mode in MODES {
                modes.push(Logins::of(usual, mode, flow).await?);
            }
            for round in 0..=self.rounds {
                for turn in 0..modes.len() {
                    let mode = (round + turn) % modes.len();
                    let measured = self.one_round_in(&modes[mode]).await?;
                    // The first round only warms up.
                    if round > 0 {
                        for (half, seconds) in ["authenticate", "complete"].iter().zip(measured) {
                            let samples = halves.entry(format!("{name}_{half}")).or_default();
                            samples[mode].push(seconds / self.logins as f64);
                        }
                    }
                }
            }
        }
        Ok(halves
            .into_iter()
            .map(|(half, [memory, sealed])| {
                let more = sealed
                    .iter()
                    .zip(&memory)
                    .map(|(sealed, memory)| sealed - memory);
                let figures = json!({
                    "memory": median(memory.iter().map(|time| time * 1e6)),
                    "sealed": median(sealed.iter().map(|time| time * 1e6)),
                    "more": median(more.map(|time| time * 1e6)),
                });
                (half, figures)
            })
            .collect())
    }

    /// Every completion is timed by itself, because the answer to its token request is set before it.
    async fn one_round_in(&self, logins: &Logins) -> Result<[f64; 2]> {
        let mut urls = Vec::with_capacity(self.logins);
        let start = self.clock.monotonic();
        for _ in 0..self.logins {
            urls.push(logins.authenticate().await?);
        }
        let authenticate = self.since(start);
        let mut complete = 0.0;
        let answers = urls.iter().map(|url| Answer::to(&self.broker, url));
        for answer in answers.collect::<Result<Vec<_>>>()? {
            let params = logins.arrive(answer)?;
            let start = self.clock.monotonic();
            logins.complete(params).await?;
            complete += self.since(start);
        }
        Ok([authenticate, complete])
    }

    /// Logins per second of threads that share one client.
    async fn threads(&self, client: &Client) -> Result<BTreeMap<String, f64>> {
        let mut samples: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
        for _ in 0..self.rounds {
            for count in THREADS {
                let tokens = self.tokens(&self.start(client).await?)?;
                let seconds = self.side_by_side(client, &tokens, count)?;
                samples
                    .entry(count)
                    .or_default()
                    .push(tokens.len() as f64 / seconds);
            }
        }
        Ok(samples
            .into_iter()
            .map(|(count, rates)| (count.to_string(), median(rates.into_iter())))
            .collect())
    }

    fn side_by_side(&self, client: &Client, tokens: &[String], count: usize) -> Result<f64> {
        let share = tokens.len().div_ceil(count);
        let ready = Barrier::new(tokens.chunks(share).len());
        std::thread::scope(|scope| {
            let threads: Vec<_> = tokens
                .chunks(share)
                .map(|tokens| {
                    let (ready, runtime) = (&ready, runtime());
                    scope.spawn(move || {
                        ready.wait();
                        let start = self.clock.monotonic();
                        for token in tokens {
                            runtime.block_on(client.verify(token))?;
                        }
                        Ok::<_, portier_client::Error>((start, self.clock.monotonic()))
                    })
                })
                .collect();
            let mut times = Vec::with_capacity(count);
            for thread in threads {
                times.push(thread.join().expect("no thread panics")?);
            }
            // From the first start to the last end.
            let start = times.iter().map(|(start, _)| *start).min();
            let end = times.iter().map(|(_, end)| *end).max();
            Ok(end
                .unwrap_or_default()
                .saturating_sub(start.unwrap_or_default())
                .as_secs_f64())
        })
    }

    async fn start(&self, client: &Client) -> Result<Vec<String>> {
        let mut urls = Vec::with_capacity(self.logins);
        for _ in 0..self.logins {
            urls.push(client.authenticate(EMAIL).await?);
        }
        Ok(urls)
    }

    fn tokens(&self, urls: &[String]) -> Result<Vec<String>> {
        urls.iter()
            .map(|url| self.broker.mint(&MintOptions::for_url(url)?))
            .collect()
    }

    fn since(&self, start: Duration) -> f64 {
        self.clock.monotonic().saturating_sub(start).as_secs_f64()
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

fn from_environment(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

fn resident_bytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024.0)
}

/// Medians, and the median of the ratios within each round.
fn figures(samples: &Samples) -> Value {
    let figure = |times: &[f64]| {
        let ratios = times
            .iter()
            .zip(&samples.bare)
            .map(|(time, bare)| time / bare);
        let pairs = times.iter().zip(&samples.verify);
        json!({
            "microseconds": median(times.iter().map(|time| time * 1e6)),
            "ratio": median(ratios),
            "to_verify": median(pairs.map(|(time, verify)| time / verify)),
        })
    };
    json!({
        "bare": figure(&samples.bare),
        "verify": figure(&samples.verify),
        "authenticate": figure(&samples.authenticate),
        "jsonwebtoken": figure(&samples.jsonwebtoken),
    })
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
