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
use portier_client::web::{Body, FlowOptions, LoginFlow, WebRequest};
use portier_client::{Client, Flow, Result};
use url::form_urlencoded;

const LOGINS: usize = 50;

/// What a browser sends along, with the secret of a login.
const HEADERS: [(&str, &str); 7] = [
    (
        "accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    ),
    ("accept-language", "en-US,en;q=0.5"),
    ("content-type", "application/x-www-form-urlencoded"),
    (
        "cookie",
        "portier=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ),
    ("origin", "http://localhost:8888"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-site", "same-origin"),
];

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
    let mut options = FlowOptions::default();
    options.flow = Some(Flow::Implicit);
    let flow = LoginFlow::new(client.clone(), options)?;
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
        let bodies = runtime.block_on(start(&flow, &broker))?;
        runtime.block_on(run(counts("callback"), answer(&flow, &bodies)));
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

/// The bodies of a browser's posts to the redirect URI.
async fn start(flow: &LoginFlow, broker: &DevBroker) -> Result<Vec<String>> {
    let mut bodies = Vec::with_capacity(LOGINS);
    for _ in 0..LOGINS {
        let step = flow
            .start(request(Body::Empty), "alice@example.com", "/members")
            .await;
        let mut headers = step.reply.headers.iter();
        let (_, url) = headers
            .find(|(name, _)| *name == "location")
            .expect("a redirect");
        let token = broker.mint(&MintOptions::for_url(url)?)?;
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("id_token", &token)
            .append_pair("state", "");
        bodies.push(form.finish());
    }
    Ok(bodies)
}

async fn answer(flow: &LoginFlow, bodies: &[String]) {
    for body in bodies {
        let request = request(Body::Bytes(body.clone().into_bytes()));
        let step = black_box(flow.callback(request).await);
        assert!(step.login.is_some(), "a login failed");
    }
}

fn request(body: Body) -> WebRequest {
    let mut request = WebRequest::new("POST", body);
    for (name, value) in HEADERS {
        request.set_header(name, value);
    }
    request
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
