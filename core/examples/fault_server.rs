//! Fault servers for the tests of other languages, until standard input ends.
//!
//! Prints one line of JSON, `{"port": 40001}`: where it takes the commands of
//! [`portier_client::testing::control`]. Each connection to that port has a server of its own.

use portier_client::testing::control;
use serde_json::json;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", json!({ "port": listener.local_addr()?.port() }));
    let ended = tokio::task::spawn_blocking(|| {
        // Whoever started this has ended, however it did.
        std::io::copy(&mut std::io::stdin(), &mut std::io::sink())
    });
    tokio::select! {
        () = control::serve(listener) => Ok(()),
        ended = ended => ended?.map(drop),
    }
}
