//! Warm logins for a counter of instructions: `tests/bench/instructions.py` runs them in callgrind,
//! which counts inside of [`counted`] and leaves out AWS-LC's verification of the signatures.
#![allow(
    clippy::expect_used,
    missing_docs,
    reason = "a benchmark may stop at a surprise"
)]

use std::future::Future;
use std::hint::black_box;
use std::time::Duration;

use portier_client::testing::{DevBroker, DevBrokerOptions, MintOptions};
use portier_client::{Client, Result};

const LOGINS: usize = 50;

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let broker = DevBroker::spawn(DevBrokerOptions::default())?;
    let client = {
        let _entered = runtime.enter();
        Client::builder("http://localhost:8888/verify")
            .broker(broker.origin())
            // All threads of a program share one processor in valgrind.
            .timeout(Duration::from_secs(60))
            .build()?
    };
    runtime.block_on(client.warm())?;
    let operation = std::env::args().nth(1).unwrap_or_default();

    // The first logins allocate memory for all others, and initialize everything.
    for round in 0..2 {
        let counts = |name: &str| round == 1 && operation == name;
        let urls = runtime.block_on(run(counts("authenticate"), authenticate(&client)))?;
        let tokens = urls
            .iter()
            .map(|url| broker.mint(&MintOptions::for_url(url)?))
            .collect::<Result<Vec<_>>>()?;
        runtime.block_on(run(counts("verify"), verify(&client, &tokens)))?;
    }
    println!("{LOGINS}");
    Ok(())
}

async fn authenticate(client: &Client) -> Result<Vec<String>> {
    let mut urls = Vec::with_capacity(LOGINS);
    for _ in 0..LOGINS {
        urls.push(client.authenticate("alice@example.com").await?);
    }
    Ok(urls)
}

async fn verify(client: &Client, tokens: &[String]) -> Result<()> {
    for token in tokens {
        black_box(client.verify(token).await?);
    }
    Ok(())
}

/// Runs logins, counted or not.
async fn run<T>(is_counted: bool, logins: impl Future<Output = T>) -> T {
    let mut logins = std::pin::pin!(logins);
    std::future::poll_fn(|context| {
        if is_counted {
            counted(|| logins.as_mut().poll(context))
        } else {
            logins.as_mut().poll(context)
        }
    })
    .await
}

/// The counter finds this function by its name.
#[inline(never)]
fn counted<T>(poll: impl FnOnce() -> T) -> T {
    black_box(poll())
}
