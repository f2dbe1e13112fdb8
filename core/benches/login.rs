//! Measures logins against the bare verification of the same signatures, in the same run, and
//! prints the figures as JSON. `make bench` shows them.
#![allow(
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a benchmark may stop at a surprise"
)]

use std::sync::Arc;
use std::time::Duration;

use portier_client::testing::{DevBroker, DevBrokerOptions, MintOptions};
use portier_client::{Client, Clock, MemoryStore, Result, SystemClock};
use serde_json::{Value, json};

const ROUNDS: usize = 45;
const LOGINS: usize = 200;
const PENDING: usize = 1_000_000;

fn main() -> Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let broker = DevBroker::spawn(DevBrokerOptions::default())?;
        let client = client(&broker, &clock)?;
        client.warm().await?;
        let empty = measure(&clock, &broker, &client).await?;
        let (octets, client) = fill(&broker, &clock).await?;
        let full = measure(&clock, &broker, &client).await?;
        report(&empty, &full, octets);
        Ok(())
    })
}

fn client(broker: &DevBroker, clock: &Arc<dyn Clock>) -> Result<Client> {
    let capacity = PENDING + ROUNDS * LOGINS;
    Client::builder("http://localhost:8888/verify")
        .broker(broker.origin())
        .clock(Arc::clone(clock))
        .store(Arc::new(MemoryStore::with_capacity(
            Arc::clone(clock),
            capacity,
        )))
        .build()
}

/// Seconds per call, one sample for each round.
#[derive(Default)]
struct Samples {
    bare: Vec<f64>,
    authenticate: Vec<f64>,
    verify: Vec<f64>,
}

/// Every round takes all three measures, so that a busy moment of the machine meets all of them.
async fn measure(clock: &Arc<dyn Clock>, broker: &DevBroker, client: &Client) -> Result<Samples> {
    let mut samples = Samples::default();
    for _ in 0..ROUNDS {
        let mut urls = Vec::with_capacity(LOGINS);
        let start = clock.monotonic();
        for _ in 0..LOGINS {
            urls.push(client.authenticate("alice@example.com").await?);
        }
        samples
            .authenticate
            .push(each(clock.monotonic().saturating_sub(start)));

        let tokens = urls
            .iter()
            .map(|url| broker.mint(&MintOptions::for_url(url)?))
            .collect::<Result<Vec<_>>>()?;
        samples.bare.push(each(broker.time_signatures(&tokens)?));

        let start = clock.monotonic();
        for token in &tokens {
            client.verify(token).await?;
        }
        samples
            .verify
            .push(each(clock.monotonic().saturating_sub(start)));
    }
    Ok(samples)
}

/// A client with many logins pending, and what each of them adds to the memory of the process.
async fn fill(broker: &DevBroker, clock: &Arc<dyn Clock>) -> Result<(Option<f64>, Client)> {
    let client = client(broker, clock)?;
    client.warm().await?;
    let before = resident_octets();
    for _ in 0..PENDING {
        client.authenticate("alice@example.com").await?;
    }
    let octets = before
        .zip(resident_octets())
        .map(|(before, after)| (after - before) / PENDING as f64);
    Ok((octets, client))
}

fn each(time: Duration) -> f64 {
    time.as_secs_f64() / LOGINS as f64
}

fn resident_octets() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilo_octets: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilo_octets * 1024.0)
}

fn report(empty: &Samples, full: &Samples, octets: Option<f64>) {
    let results = json!({
        "rounds": ROUNDS,
        "logins_per_round": LOGINS,
        "pending": PENDING,
        "octets_per_pending_login": octets,
        "empty_store": figures(empty),
        "full_store": figures(full),
    });
    println!("{results}");
}

/// Medians, and the median of the ratios within each round.
fn figures(samples: &Samples) -> Value {
    let figure = |times: &[f64]| {
        let ratios = times
            .iter()
            .zip(&samples.bare)
            .map(|(time, bare)| time / bare);
        json!({
            "microseconds": median(times.iter().map(|time| time * 1e6)),
            "ratio": median(ratios),
        })
    };
    json!({
        "bare": figure(&samples.bare),
        "verify": figure(&samples.verify),
        "authenticate": figure(&samples.authenticate),
    })
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
