//! One half of a login in its own process, for `tests/stores`.
//!
//! `half_a_login BROKER STORE` starts a login and prints its URL. With a token on standard input
//! and `complete` as third argument, it completes one. It prints one line of JSON.

use portier_client::{Client, Result};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (broker, store, completes) = match arguments.as_slice() {
        [broker, store] => (broker, store, false),
        [broker, store, word] if word == "complete" => (broker, store, true),
        _ => return Err("usage: half_a_login BROKER STORE [complete]".into()),
    };
    let client = Client::builder("https://example.com/verify")
        .broker(broker)
        .store_url(store)
        .build()?;
    let result = if completes {
        let mut token = String::new();
        std::io::stdin().read_line(&mut token)?;
        client.verify(token.trim()).await
    } else {
        client.authenticate("Alice@example.com").await
    };
    println!("{}", report(&client, result));
    Ok(())
}

fn report(client: &Client, result: Result<String>) -> Value {
    let stats = client.stats();
    json!({
        "result": result.unwrap_or_else(|error| error.code().as_str().to_owned()),
        "requests": stats.discovery.requests + stats.keys.requests,
    })
}
