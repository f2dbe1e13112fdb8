//! The transport against faulty servers, over real sockets.

mod answers;
mod connections;
mod environment;
mod limits;
mod names;
mod redirects;
mod tls;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::http::HeaderMap;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::{HttpOptions, HttpTransport};
use crate::error::{Code, Error, Result};
use crate::http::{Request, Response, Transport as _};
use crate::origin::Origin;
use crate::tls::Listed;

/// Long enough for any machine; no test waits for it.
const PATIENT: Duration = Duration::from_secs(30);
/// Short enough to wait for.
const HASTY: Duration = Duration::from_millis(500);

/// The reaction of a server after it has read the request.
#[derive(Clone)]
enum Act {
    /// Sends this and closes the connection.
    Say(String),
    /// Sends this and drops the connection, without `close_notify` in TLS.
    Cut(String),
    /// Sends this and leaves the connection open until the client closes it.
    SayAndWait(String),
    /// Sends this, and then the letter `x` without end.
    Babble(String),
    /// Sends this one byte at a time, a tenth of a second apart.
    Drip(String),
}

/// A server with one reaction for each connection; the last one is repeated.
struct Server {
    scheme: &'static str,
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Over plain HTTP.
    async fn start(script: impl Into<Vec<Act>>) -> Self {
        Self::start_with(script.into(), None).await
    }

    async fn start_with(script: Vec<Act>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        let heard = Arc::clone(&requests);
        let secure = tls.is_some();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            for number in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let act = script[number.min(script.len() - 1)].clone();
                let (tls, heard) = (tls.clone(), Arc::clone(&heard));
                connections.spawn(async move {
                    let Some(tls) = tls else {
                        return serve(stream, act, heard).await;
                    };
                    // The handshake fails if the client refuses the certificate.
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream, act, heard).await;
                    }
                });
            }
        });
        Self {
            scheme: if secure { "https" } else { "http" },
            address,
            requests,
            _tasks: tasks,
        }
    }

    fn url(&self) -> String {
        format!("{}://{}/keys.json", self.scheme, self.address)
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

async fn serve(mut stream: impl Stream, act: Act, requests: Arc<Mutex<Vec<String>>>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    requests
        .lock()
        .unwrap()
        .push(String::from_utf8(request).unwrap());
    // The client may close the connection at any time.
    let _ = perform(&mut stream, act).await;
}

async fn perform(stream: &mut impl Stream, act: Act) -> std::io::Result<()> {
    match act {
        Act::Say(text) => {
            stream.write_all(text.as_bytes()).await?;
            stream.shutdown().await
        }
        Act::Cut(text) => {
            stream.write_all(text.as_bytes()).await?;
            stream.flush().await
        }
        Act::SayAndWait(text) => {
            stream.write_all(text.as_bytes()).await?;
            stream.read_u8().await.map(drop)
        }
        Act::Babble(text) => {
            stream.write_all(text.as_bytes()).await?;
            loop {
                stream.write_all(&[b'x'; 1024]).await?;
            }
        }
        Act::Drip(text) => {
            for byte in text.bytes() {
                stream.write_u8(byte).await?;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Ok(())
        }
    }
}

/// A complete answer.
fn answer(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} Status\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
}

fn options(broker: &str) -> HttpOptions {
    HttpOptions {
        timeout: PATIENT,
        broker: Origin::parse(broker, true).unwrap(),
        danger_allow_http: true,
        listed: Listed::of_option(None).unwrap(),
        user_agent: None,
    }
}

fn transport(timeout: Duration) -> HttpTransport {
    let options = options("http://127.0.0.1");
    HttpTransport::new(HttpOptions { timeout, ..options }).unwrap()
}

async fn get(transport: &HttpTransport, url: &str) -> Result<Response> {
    transport
        .send(Request::get(url.parse().unwrap(), HeaderMap::new()))
        .await
}

/// The result of one request to a server with this script.
async fn outcome(script: impl Into<Vec<Act>>, timeout: Duration) -> (Result<Response>, Server) {
    let server = Server::start(script).await;
    let (transport, url) = (transport(timeout), server.url());
    // Loading the trust store counts as well, and may take long.
    transport.0.client(None).await.unwrap();
    (get(&transport, &url).await, server)
}

/// The error and all its causes, as one text.
fn whole(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn code(result: &Result<Response>) -> Code {
    result.as_ref().expect_err("an error").code()
}
