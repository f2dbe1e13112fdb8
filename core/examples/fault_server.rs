//! Fault servers for the tests of other languages, until standard input ends.
//!
//! Prints one line of JSON, `{"port": 40001}`: the port for the commands of
//! [`portier_client::testing::control`]. Each connection to that port has its own server.

use portier_client::testing::control;
use serde_json::json;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", json!({ "port": listener.local_addr()?.port() }));
    let ended = tokio::task::spawn_blocking(|| {
        // The parent process has ended.
        std::io::copy(&mut std::io::stdin(), &mut std::io::sink())
    });
    tokio::select! {
        () = control::serve(listener) => Ok(()),
        ended = ended => ended?.map(drop),
    }
}
