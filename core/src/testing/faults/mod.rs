//! A server with scripted faults.
//!
//! Requires the feature `faults`, which includes TLS and certificates.

mod act;
pub mod control;
mod deaf;
mod tls;

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub use self::act::Act;
pub use self::deaf::DeafServer;
pub use self::tls::{Authority, Certificate};
use crate::error::{Code, Error, Result};

/// The longest head of a request that is read, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// A server on the loopback interface that runs a script for each connection, byte by byte. Dropping it closes
/// all connections.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), portier_client::Error> {
/// use portier_client::testing::{Act, FaultServer};
/// use portier_client::{Client, Code};
///
/// let broker = FaultServer::start().await?;
/// broker.script([[Act::Read, Act::Reset]]);
/// let client = Client::builder("https://example.com/verify")
///     .broker(broker.origin())
///     .build()?;
/// let error = client.warm().await.unwrap_err();
/// assert_eq!(error.code(), Code::BrokerUnreachable);
/// // A connection that is lost before the answer is tried once more.
/// assert_eq!(broker.requests().len(), 2);
/// # Ok(())
/// # }
/// ```
pub struct FaultServer {
    origin: String,
    shared: Arc<Mutex<ServerState>>,
    _accepting: JoinSet<()>,
}

#[derive(Default)]
struct ServerState {
    scripts: VecDeque<Vec<Act>>,
    connections: usize,
    requests: Vec<String>,
}

impl FaultServer {
    /// Starts a server for plain HTTP in the caller's runtime. Without a script, it closes each connection at
    /// once.
    ///
    /// # Errors
    /// [`Code::Internal`] if no port is available.
    pub async fn start() -> Result<Self> {
        Self::listen("http", None).await
    }

    /// Starts a server for HTTP over TLS. The script of a connection begins after the handshake.
    ///
    /// # Errors
    /// As [`FaultServer::start`], and if the certificate is unusable.
    pub async fn start_tls(certificate: &Certificate) -> Result<Self> {
        Self::listen("https", Some(certificate.acceptor()?)).await
    }

    async fn listen(scheme: &str, tls: Option<TlsAcceptor>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(no_server)?;
        let address = listener.local_addr().map_err(no_server)?;
        let shared = Arc::default();
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, tls, Arc::clone(&shared)));
        Ok(Self {
            origin: format!("{scheme}://{address}"),
            shared,
            _accepting: accepting,
        })
    }

    /// The origin of the server, for example `http://127.0.0.1:40001`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Sets the scripts of the next connections. The last script is repeated for all further connections.
    pub fn script<C, S>(&self, connections: C)
    where
        C: IntoIterator<Item = S>,
        S: IntoIterator<Item = Act>,
    {
        let scripts = connections.into_iter();
        lock(&self.shared).scripts = scripts.map(|acts| acts.into_iter().collect()).collect();
    }

    /// The number of connections, including failed handshakes.
    pub fn connections(&self) -> usize {
        lock(&self.shared).connections
    }

    /// The heads of all requests that were read, in order.
    pub fn requests(&self) -> Vec<String> {
        lock(&self.shared).requests.clone()
    }
}

impl fmt::Debug for FaultServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("FaultServer")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Mutex<ServerState>>) {
    let mut connections = JoinSet::new();
    // If the server has no more sockets, the test fails by its own time limit.
    while let Ok((stream, _)) = listener.accept().await {
        let acts = lock(&shared).next_script();
        let (tls, shared) = (tls.clone(), Arc::clone(&shared));
        connections.spawn(async move {
            // The client may close the connection at any time.
            let _ = serve(stream, tls, acts, &shared).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    acts: Vec<Act>,
    shared: &Mutex<ServerState>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    match tls {
        None => perform(stream, acts, shared).await,
        // It fails if the client refuses the certificate.
        Some(tls) => perform(tls.accept(stream).await?, acts, shared).await,
    }
}

async fn perform(
    mut stream: impl Connection,
    acts: Vec<Act>,
    shared: &Mutex<ServerState>,
) -> io::Result<()> {
    for act in acts {
        match act {
            Act::Read => {
                let head = read_request(&mut stream).await?;
                lock(shared).requests.push(head);
            }
            Act::Send(bytes) => {
                stream.write_all(&bytes).await?;
                stream.flush().await?;
            }
            Act::Drip { bytes, every } => {
                for byte in bytes {
                    stream.write_all(&[byte]).await?;
                    stream.flush().await?;
                    tokio::time::sleep(every).await;
                }
            }
            Act::Pause(time) => tokio::time::sleep(time).await,
            Act::Repeat(bytes) => loop {
                stream.write_all(&bytes).await?;
                // An empty text would loop without yielding.
                tokio::task::yield_now().await;
            },
            Act::Wait => {
                let mut heard = [0; 1024];
                while stream.read(&mut heard).await? > 0 {}
            }
            Act::Cut => return Ok(()),
            Act::Reset => return stream.tcp().set_zero_linger(),
        }
    }
    stream.shutdown().await
}

/// Reads one request, and returns what is before its body.
async fn read_request(stream: &mut impl Connection) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == MAX_HEAD_BYTES {
            return Err(ErrorKind::InvalidData.into());
        }
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let lines = head.to_ascii_lowercase();
    let mut lengths = lines
        .lines()
        .filter_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = stream.take(lengths.next().unwrap_or(0));
    tokio::io::copy(&mut body, &mut tokio::io::sink()).await?;
    Ok(head)
}

/// With TLS or without.
trait Connection: AsyncRead + AsyncWrite + Unpin {
    fn tcp(&self) -> &TcpStream;
}

impl Connection for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Connection for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

impl ServerState {
    fn next_script(&mut self) -> Vec<Act> {
        self.connections += 1;
        if self.scripts.len() > 1 {
            return self.scripts.pop_front().unwrap_or_default();
        }
        self.scripts.front().cloned().unwrap_or_default()
    }
}

fn lock(shared: &Mutex<ServerState>) -> MutexGuard<'_, ServerState> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn no_server(cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Code::Internal, "the fault server cannot be started").with_source(cause)
}
