//! A broker for development and tests: it behaves like a Portier broker, except that it believes
//! everyone.

mod authorize;
mod bare;
mod codes;
mod command;
mod control;
mod ending;
mod inbox;
mod keys;
mod login;
mod mint;
mod mode;
mod options;
mod pages;
mod reply;
mod scenario;
mod server;
mod state;
mod token_request;

use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::mem::ManuallyDrop;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

pub use self::command::{BrokerCommand, run_broker_command};
use self::ending::Generation;
pub use self::inbox::Mail;
pub use self::keys::KeyChoice;
pub use self::login::SignInOptions;
pub use self::mint::MintOptions;
pub use self::mode::Mode;
pub use self::options::DevBrokerOptions;
pub use self::scenario::{Scenario, ScriptedFault};
pub use self::state::Fault;
use self::state::State;
use super::time::MovableClock;
use crate::algorithm::Algorithm;
use crate::clock::SystemClock;
use crate::error::{Code, Error, Result};

/// A Portier broker on this machine, for development and tests only: anyone can sign in as anyone.
///
/// It is an HTTP server in a thread of its own, and runs until it is stopped or dropped. Unless
/// [`DevBrokerOptions::host`] says otherwise, it listens on the loopback interface only. All methods
/// may be called from any thread; those that generate keys or sign may take a tenth of a second.
/// The brokers of a process start with the same keys.
///
/// In a forked child the server does not exist; there, dropping and stopping do nothing.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> portier_client::Result<()> {
/// use portier_client::Client;
/// use portier_client::testing::{DevBroker, DevBrokerOptions, MintOptions};
///
/// let broker = DevBroker::spawn(DevBrokerOptions::default())?;
/// let client = Client::builder("http://localhost:8888/verify")
///     .broker(broker.origin())
///     .build()?;
/// let url = client.authenticate("Alice@Example.com").await?;
/// let token = broker.mint(&MintOptions::for_url(&url)?)?;
/// assert_eq!(client.verify(&token).await?, "alice@example.com");
/// # Ok(())
/// # }
/// ```
pub struct DevBroker {
    state: Arc<State>,
    address: SocketAddr,
    /// The time that it can move.
    time: Option<MovableClock>,
    process: u32,
    // In a forked child these belong to a thread that does not exist, so only `stop` drops them.
    server: ManuallyDrop<Mutex<Option<Server>>>,
}

struct Server {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl DevBroker {
    /// Starts a broker and returns when it listens.
    ///
    /// # Errors
    /// [`Code::InvalidOption`] when the port is taken, when host or port may not be used, and when
    /// `origin` is not an origin; [`Code::Internal`] when the operating system has no thread or
    /// socket to give.
    pub fn spawn(options: DevBrokerOptions) -> Result<Self> {
        let listener = listen(SocketAddr::new(options.host, options.port))?;
        let address = listener.local_addr().map_err(no_server)?;
        let origin = options.public_origin(address.port())?;
        let time = (options.clock.is_none() && origin.is_local())
            .then(|| MovableClock::new(origin.as_str()));
        let clock = match (options.clock, &time) {
            (Some(clock), _) => clock,
            (None, Some(time)) => Arc::new(time.clone()),
            (None, None) => Arc::new(SystemClock::new()),
        };
        let state = Arc::new(State::new(
            origin.as_str().to_owned(),
            clock,
            options.keys_lifetime,
            options.mode,
            options.pkce,
            options.prints_mails,
        ));
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(no_server)?;
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::clone(&state);
        let generation = Generation::begin();
        let thread = thread::Builder::new()
            .name("portier-dev-broker".to_owned())
            .spawn(move || run(runtime, listener, &shared, generation, stopped))
            .map_err(no_server)?;
        tracing::info!(origin = state.origin, %address, "development broker listens");
        if !address.ip().is_loopback() {
            tracing::warn!(%address, "development broker can be reached from other machines");
        }
        Ok(Self {
            state,
            address,
            time,
            process: std::process::id(),
            server: ManuallyDrop::new(Mutex::new(Some(Server { stop, thread }))),
        })
    }

    /// The broker's origin, for example `http://127.0.0.1:3333`.
    pub fn origin(&self) -> &str {
        &self.state.origin
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What a program should print when it starts the broker.
    pub fn banner(&self) -> String {
        banner(self.origin(), self.address)
    }

    /// How many requests came in, by path.
    pub fn requests(&self) -> BTreeMap<String, u64> {
        self.state.requests()
    }

    /// Sets the faults of the next requests for a path, for example `/keys.json`. They replace
    /// earlier ones.
    pub fn fail_next(&self, path: &str, requests: u32, fault: Fault) {
        self.state.fail_next(path, requests, fault);
    }

    /// Lets requests for a path wait from now on; they count when they arrive.
    pub fn hold(&self, path: &str) {
        self.state.hold(path);
    }

    /// Answers the requests that wait for a path.
    pub fn release(&self, path: &str) {
        self.state.release(path);
    }

    /// Rotates the keys: the next ones sign from now on, the current ones stay published until the
    /// next rotation, and new next ones are published.
    ///
    /// # Errors
    /// [`Code::Internal`] when a key cannot be generated. This holds for all methods about keys.
    pub fn rotate_keys(&self) -> Result<()> {
        self.state.keys.rotate()
    }

    /// Replaces all keys, as a restart of a broker that does not store them.
    ///
    /// # Errors
    /// As [`DevBroker::rotate_keys`].
    pub fn forget_keys(&self) -> Result<()> {
        self.state.keys.replace()
    }

    /// The `kid` of a key.
    ///
    /// # Errors
    /// [`Code::InvalidOption`] for [`KeyChoice::Previous`] before the first rotation.
    pub fn key_id(&self, key: KeyChoice, algorithm: Algorithm) -> Result<String> {
        let key = self.state.keys.key(key, algorithm)?;
        Ok(key.id().to_owned())
    }

    /// Signs a token.
    ///
    /// # Errors
    /// As [`DevBroker::key_id`].
    pub fn mint(&self, options: &MintOptions) -> Result<String> {
        self.state.mint(options)
    }

    /// Answers an authorization request as if its person had signed in, and returns the URL or the form
    /// with which the browser comes back: its target and its fields.
    ///
    /// # Errors
    /// [`Code::InvalidOption`] when it is not an authorization URL that the broker accepts.
    pub fn sign_in(&self, authorization_url: &str) -> Result<(String, Vec<(String, String)>)> {
        self.sign_in_with(authorization_url, &SignInOptions::default())
    }

    /// As [`DevBroker::sign_in`], as another person, or with another response of the broker.
    ///
    /// # Errors
    /// As [`DevBroker::sign_in`].
    pub fn sign_in_with(
        &self,
        authorization_url: &str,
        options: &SignInOptions,
    ) -> Result<(String, Vec<(String, String)>)> {
        login::sign_in(&self.state, authorization_url, options)
    }

    /// Measures how long AWS-LC takes to verify the tokens' signatures with a parsed key.
    /// Benchmarks are compared with this time.
    ///
    /// # Errors
    /// [`Code::TokenSignature`] when a token is not signed with the current RS256 key.
    pub fn time_signatures(&self, tokens: &[String]) -> Result<Duration> {
        bare::time_signatures(&self.state, tokens)
    }

    /// Stops the server and waits until its port is free. Does nothing the second time.
    pub fn stop(&self) {
        if std::process::id() != self.process {
            return;
        }
        self.resume_time();
        let server = {
            let mut slot = self.server.lock().unwrap_or_else(PoisonError::into_inner);
            slot.take()
        };
        if let Some(server) = server {
            // An error means that it stopped already, and so does a panic of its thread.
            let _ = server.stop.send(());
            let _ = server.thread.join();
        }
    }
}

impl Drop for DevBroker {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for DevBroker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DevBroker")
            .field("origin", &self.origin())
            .finish_non_exhaustive()
    }
}

fn banner(origin: &str, address: SocketAddr) -> String {
    let warning = if address.ip().is_loopback() {
        String::new()
    } else {
        format!("\nWarning: it listens on {address}; other machines may be able to reach it.")
    };
    format!(
        "Portier development broker on {origin}\nFor development only: anyone can sign in as anyone.{warning}"
    )
}

fn listen(address: SocketAddr) -> Result<TcpListener> {
    let listener = TcpListener::bind(address).map_err(|cause| {
        let (host, port) = (address.ip(), address.port());
        let problem = match cause.kind() {
            ErrorKind::AddrInUse => format!("the port is taken by another program port={port}"),
            ErrorKind::AddrNotAvailable => {
                format!("host is not an address of this machine host={host}")
            }
            _ => format!("the port cannot be used port={port}"),
        };
        Error::new(Code::InvalidOption, problem).with_source(cause)
    })?;
    listener.set_nonblocking(true).map_err(no_server)?;
    Ok(listener)
}

fn run(
    runtime: Runtime,
    listener: TcpListener,
    state: &Arc<State>,
    generation: Generation,
    stopped: oneshot::Receiver<()>,
) {
    runtime.block_on(async {
        match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => {
                tokio::spawn(server::serve(listener, Arc::clone(state)));
                // The first login should not have to wait for the keys; it will see their error.
                let early = Arc::clone(state);
                spawn_blocking(move || {
                    let _ = early.keys.prepare();
                    drop(generation);
                });
                // An error means that the broker was dropped, which has the same effect.
                let _ = stopped.await;
            }
            Err(error) => tracing::error!(%error, "development broker cannot listen"),
        }
    });
    // A key that is being generated would take its time; nobody needs it any more.
    runtime.shutdown_background();
}

fn no_server(cause: std::io::Error) -> Error {
    Error::new(Code::Internal, "the development broker cannot be started").with_source(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_banner_warns_if_other_machines_can_reach_it() {
        for (address, warns) in [
            ("127.0.0.1:3333", false),
            ("127.0.0.2:3333", false),
            ("[::1]:3333", false),
            ("0.0.0.0:3333", true),
            ("[::]:3333", true),
            ("192.0.2.1:3333", true),
        ] {
            let banner = banner("http://localhost:3333", address.parse().unwrap());
            assert!(banner.contains("http://localhost:3333"));
            let warning = format!("Warning: it listens on {address};");
            assert_eq!(banner.contains(&warning), warns, "{banner}");
        }
    }
}
