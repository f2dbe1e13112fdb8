//! Warm logins for a counter of instructions: `tests/bench/instructions.py` runs them in callgrind,
//! which counts inside of [`counted`] and leaves out AWS-LC's verification of the signatures.
#![allow(
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a benchmark may stop at a surprise"
)]

mod modes;

use std::future::Future;
use std::hint::black_box;
use std::time::Duration;

use portier_client::testing::{DevBroker, DevBrokerOptions, KeyChoice, MintOptions};
use portier_client::web::{Body, FlowOptions, LoginFlow, WebRequest};
use portier_client::{Algorithm, Client, Flow, Result};
use url::form_urlencoded;

use self::modes::{Answer, FLOWS, Logins, MODES};

const LOGINS: usize = 20;

/// The first logins allocate memory for all others, and initialize everything, so they are not counted.
const ROUNDS: [bool; 2] = [false, true];

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
    // Its keys are made meanwhile, which takes minutes in valgrind on a busy machine.
    broker.key_id(KeyChoice::Current, Algorithm::Rs256)?;
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
    runtime.block_on(run(&operation, &client, &broker))?;
    println!("{LOGINS}");
    Ok(())
}

/// Runs the logins of an operation.
async fn run(operation: &str, client: &Client, broker: &DevBroker) -> Result<()> {
    match operation {
        "authenticate" | "verify" => unbound(operation, client, broker).await,
        "callback" => callbacks(client, broker).await,
        _ => in_mode(operation, client, broker).await,
    }
}

/// Logins without a browser, in memory.
async fn unbound(operation: &str, client: &Client, broker: &DevBroker) -> Result<()> {
    let [starts, completes] = ["authenticate", "verify"].map(|name| name == operation);
    for is_counted in ROUNDS {
        for _ in 0..LOGINS {
            let starting = client.authenticate("alice@example.com");
            let url = perform(is_counted && starts, starting).await?;
            // A signature takes more instructions than all the rest.
            if completes {
                let token = broker.mint(&MintOptions::for_url(&url)?)?;
                perform(is_counted, client.verify(&token)).await?;
            }
        }
    }
    Ok(())
}

/// An operation of logins that are pending in memory or sealed, such as `sealed_code_complete`.
async fn in_mode(operation: &str, client: &Client, broker: &DevBroker) -> Result<()> {
    let all = MODES.iter().flat_map(|mode| FLOWS.map(|flow| (mode, flow)));
    for (mode, (name, flow)) in all {
        let [starts, completes] =
            ["authenticate", "complete"].map(|half| operation == format!("{mode}_{name}_{half}"));
        if !starts && !completes {
            continue;
        }
        let logins = Logins::of(client, mode, flow).await?;
        for is_counted in ROUNDS {
            for _ in 0..LOGINS {
                let url = perform(is_counted && starts, logins.authenticate()).await?;
                if completes {
                    let params = logins.arrive(Answer::to(broker, &url)?)?;
                    perform(is_counted, logins.complete(params)).await?;
                }
            }
        }
        return Ok(());
    }
    panic!("there is no such operation operation={operation}");
}

/// Callbacks through the web flow.
async fn callbacks(client: &Client, broker: &DevBroker) -> Result<()> {
    let mut options = FlowOptions::default();
    options.flow = Some(Flow::Implicit);
    let flow = LoginFlow::new(client.clone(), options)?;
    for is_counted in ROUNDS {
        for body in start(&flow, broker).await? {
            let request = request(Body::Bytes(body.into_bytes()));
            let step = perform(is_counted, flow.callback(request)).await;
            assert!(step.login.is_some(), "a login failed");
        }
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

fn request(body: Body) -> WebRequest {
    let mut request = WebRequest::new("POST", body);
    for (name, value) in HEADERS {
        request.set_header(name, value);
    }
    request
}

/// Runs one login, counted or not.
async fn perform<T>(is_counted: bool, login: impl Future<Output = T>) -> T {
    let mut login = std::pin::pin!(login);
    let outcome = std::future::poll_fn(|context| {
        if is_counted {
            counted(|| login.as_mut().poll(context))
        } else {
            login.as_mut().poll(context)
        }
    });
    black_box(outcome.await)
}

/// The counter finds this function by its name.
#[inline(never)]
fn counted<T>(poll: impl FnOnce() -> T) -> T {
    black_box(poll())
}
