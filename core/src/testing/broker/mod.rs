//! A broker for development and tests: it behaves like a Portier broker, except that it believes
//! everyone.

mod authorize;
mod bare;
mod ending;
mod keys;
mod login;
mod mint;
mod pages;
mod reply;
mod server;
mod state;

use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::mem::ManuallyDrop;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use self::ending::Generation;
pub use self::keys::KeyChoice;
pub use self::mint::MintOptions;
use self::state::State;
pub use self::state::{Fault, Mode};
use crate::clock::{Clock, SystemClock};
use crate::error::{Code, Error, Result};
use crate::token::Algorithm;

/// How long the broker lets relying parties keep its keys.
const KEYS_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// How a [`DevBroker`] runs.
#[derive(Clone)]
pub struct DevBrokerOptions {
    /// The port on the loopback interface; 0, the default, takes any that is free.
    pub port: u16,
    /// How it answers a request to sign in; it shows a page by default.
    pub mode: Mode,
    /// How far ahead `Expires` of the key set lies; 24 hours by default.
    pub keys_lifetime: Duration,
    /// Where it takes the time from; from the operating system by default.
    pub clock: Arc<dyn Clock>,
}

impl Default for DevBrokerOptions {
    fn default() -> Self {
        Self {
            port: 0,
            mode: Mode::default(),
            keys_lifetime: KEYS_LIFETIME,
            clock: Arc::new(SystemClock::new()),
        }
    }
}

impl fmt::Debug for DevBrokerOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DevBrokerOptions")
            .field("port", &self.port)
            .field("mode", &self.mode)
            .field("keys_lifetime", &self.keys_lifetime)
            .finish_non_exhaustive()
    }
}

/// A Portier broker on this machine, for development and tests only: anyone can sign in as anyone.
///
/// It is an HTTP server on the loopback interface, in a thread of its own, and runs until it is
/// stopped or dropped. All methods may be called from any thread; those that generate keys or sign
/// may take a tenth of a second.
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
    port: u16,
    process: u32,
    // In a forked child these belong to a thread that does not exist, so they are never dropped
    // but by `stop`.
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
    /// [`Code::InvalidOption`] when the port is taken or may not be used, [`Code::Internal`] when
    /// the operating system has no thread or socket to give.
    pub fn spawn(options: DevBrokerOptions) -> Result<Self> {
        let listener = listen(options.port)?;
        let port = listener.local_addr().map_err(no_server)?.port();
        let state = Arc::new(State::new(
            format!("http://{}:{port}", Ipv4Addr::LOCALHOST),
            options.clock,
            options.keys_lifetime,
            options.mode,
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
        tracing::info!(origin = state.origin, "development broker listens");
        Ok(Self {
            state,
            port,
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
        self.port
    }

    /// What a program should print when it starts the broker.
    pub fn banner(&self) -> String {
        format!(
            "Portier development broker on {}\nFor development only: anyone can sign in as anyone.",
            self.state.origin
        )
    }

    /// Changes how the broker answers a request to sign in.
    pub fn set_mode(&self, mode: Mode) {
        self.state.set_mode(mode);
    }

    /// How many requests came in, by path.
    pub fn requests(&self) -> BTreeMap<String, u64> {
        self.state.requests()
    }

    /// Disturbs the next requests for a path, for example `/keys.json`, in place of what was set
    /// for it before.
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
    /// [`Code::Internal`] when a key cannot be generated; so for all methods about keys.
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

    /// Times the verification of the tokens' signatures by AWS-LC, with a key that is parsed before:
    /// what every benchmark is compared with.
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

fn listen(port: u16) -> Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|cause| {
        let problem = match cause.kind() {
            ErrorKind::AddrInUse => "the port is taken by another program",
            _ => "the port cannot be used",
        };
        Error::new(Code::InvalidOption, format_args!("{problem} port={port}")).with_source(cause)
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
                // An error means that the broker was dropped, and that is the same.
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
