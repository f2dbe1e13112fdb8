//! A port that does not answer.

use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::no_server;
use crate::error::Result;

/// How long a connection may take before the queue counts as full.
const TIMEOUT: Duration = Duration::from_millis(500);

/// A port on the loopback interface that neither accepts nor refuses connections, like a network that drops all
/// packets. Dropping it closes the port.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), portier_client::Error> {
/// use std::time::Duration;
///
/// use portier_client::testing::DeafServer;
/// use portier_client::{Client, Code};
///
/// let broker = DeafServer::start().await?;
/// let client = Client::builder("https://example.com/verify")
///     .broker(broker.origin())
///     .timeout(Duration::from_millis(100))
///     .build()?;
/// let error = client.warm().await.unwrap_err();
/// assert_eq!(error.code(), Code::BrokerTimeout);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct DeafServer {
    origin: String,
    _listener: TcpListener,
    _queue: Vec<TcpStream>,
}

impl DeafServer {
    /// Opens the port in the caller's runtime.
    ///
    /// # Errors
    /// [`Code::Internal`](crate::Code::Internal) if no port is available.
    pub async fn start() -> Result<Self> {
        let socket = TcpSocket::new_v4().map_err(no_server)?;
        let any = ([127, 0, 0, 1], 0).into();
        socket.bind(any).map_err(no_server)?;
        let listener = socket.listen(1).map_err(no_server)?;
        let address = listener.local_addr().map_err(no_server)?;
        // Connections are not accepted, and once the queue is full, the kernel drops new ones.
        let mut queue = Vec::new();
        while let Ok(stream) = tokio::time::timeout(TIMEOUT, TcpStream::connect(address)).await {
            queue.push(stream.map_err(no_server)?);
        }
        Ok(Self {
            origin: format!("http://{address}"),
            _listener: listener,
            _queue: queue,
        })
    }

    /// The origin of the port, for example `http://127.0.0.1:40001`.
    pub fn origin(&self) -> &str {
        &self.origin
    }
}
