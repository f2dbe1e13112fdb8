//! Opens a connection, and finds out which server it leads to.

use std::time::Duration;

use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::client_name::set_name;
use super::connection::{Address, ConnectOptions, Connection, Credentials};
use super::errors::{CommandError, unreachable};
use super::server_info::{HelloReply, Mode, ServerInfo, evicts, exchange, text};
use crate::error::{Code, Error, Result};
use crate::events;

/// For the look-up of the name, the connection, TLS and `HELLO` together.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// A server that vanished without closing the connection is noticed after about half a minute.
const KEEPALIVE: Duration = Duration::from_secs(15);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_PROBES: u32 = 3;

/// A stream of any kind.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Opens a connection: connects, authenticates, and asks the server which server it is.
pub(super) async fn open(address: &Address, options: &ConnectOptions) -> Result<Connection> {
    let limited = timeout(CONNECT_TIMEOUT, open_without_limit(address, options));
    limited.await.unwrap_or_else(|_| {
        Err(Error::new(
            Code::StoreUnavailable,
            "no connection to redis in time",
        ))
    })
}

/// Some proxies end the connection at a command that they do not know. So the second attempt sends no
/// optional commands.
async fn open_without_limit(address: &Address, options: &ConnectOptions) -> Result<Connection> {
    for asks in [true, false] {
        if let Some(connection) = connect(address, options, asks).await? {
            return Ok(connection);
        }
    }
    let fact = "the connection to redis broke";
    Err(Error::new(Code::StoreUnavailable, fact))
}

/// Connects; `None` if the server ended the connection at `HELLO`.
async fn connect(
    address: &Address,
    options: &ConnectOptions,
    asks: bool,
) -> Result<Option<Connection>> {
    match (address, &options.tls) {
        (Address::Tcp(host, port), None) => {
            start(Box::new(connect_tcp(host, *port).await?), options, asks).await
        }
        (Address::Tcp(host, port), Some(tls)) => {
            let name = ServerName::try_from(host.clone()).map_err(unreachable)?;
            let config = tls.config().await?;
            let stream = connect_tcp(host, *port).await?;
            let stream = TlsConnector::from(config).connect(name, stream).await;
            start(Box::new(stream.map_err(unreachable)?), options, asks).await
        }
        #[cfg(unix)]
        (Address::Unix(path), _) => {
            let stream = tokio::net::UnixStream::connect(path).await;
            start(Box::new(stream.map_err(unreachable)?), options, asks).await
        }
        #[cfg(not(unix))]
        (Address::Unix(_), _) => Err(Error::new(
            Code::StoreUnavailable,
            "this system has no unix sockets",
        )),
    }
}

/// The stream is in a box, so that the code for connections is compiled once.
async fn start(
    stream: Box<dyn Stream>,
    options: &ConnectOptions,
    asks: bool,
) -> Result<Option<Connection>> {
    let mut connection = Connection::start(stream).await?;
    authenticate(&connection, &options.credentials).await?;
    let reply = if asks {
        hello(&connection).await?
    } else {
        HelloReply::Unsupported
    };
    let version = match reply {
        HelloReply::Suitable(info) => {
            connection.info = info;
            None
        }
        HelloReply::Old(info, version) => {
            connection.info = info;
            Some(version)
        }
        HelloReply::Unsupported => Some("unknown".to_owned()),
        HelloReply::Ended => return Ok(None),
    };
    if options.database != 0 {
        let mut select = redis::cmd("SELECT");
        select.arg(options.database);
        connection.run(&select).await?;
    }
    if let Some((version, key)) = version.zip(options.probe.as_deref()) {
        try_out(&connection, key, &version).await?;
    }
    if asks && connection.info.mode != Mode::Sentinel {
        if let Err(CommandError::Ended(_)) = connection.run(&set_name()).await {
            return Ok(None);
        }
        warn_of_eviction(&connection).await;
    }
    Ok(Some(connection))
}

async fn authenticate(connection: &Connection, credentials: &Credentials) -> Result<()> {
    if let Some(password) = &credentials.password {
        let mut command = redis::cmd("AUTH");
        // Older servers and some proxies know only a password, which belongs to this user.
        let username = credentials.username.as_deref();
        command.arg(username.filter(|name| *name != "default"));
        command.arg(password);
        connection.run(&command).await?;
    }
    Ok(())
}

/// Asks the server which server it is. If it forbids the question, nothing is assumed.
async fn hello(connection: &Connection) -> Result<HelloReply> {
    match connection.run(&redis::cmd("HELLO")).await {
        Ok(reply) => Ok(ServerInfo::read(&reply)),
        Err(CommandError::Refused(error)) if error.code() == "NOPERM" => {
            Ok(HelloReply::Suitable(ServerInfo::default()))
        }
        Err(CommandError::Refused(error)) if error.is_unknown_command() => {
            Ok(HelloReply::Unsupported)
        }
        Err(CommandError::Ended(_)) => Ok(HelloReply::Ended),
        Err(error) => Err(error.into()),
    }
}

/// Warns of a server that drops pending logins when it needs memory. A server that does not report
/// its policy causes no warning.
async fn warn_of_eviction(connection: &Connection) {
    if let Ok(report) = connection.run(redis::cmd("INFO").arg("memory")).await
        && evicts(text(&report).unwrap_or_default())
    {
        events::redis_evicts();
    }
}

/// Sends the command that completes logins, for a key that does not exist, so that nothing changes. A
/// server that has no memory or may not write now fails later, when it matters.
///
/// # Errors
/// [`Code::StoreFailed`] from a server that does not know the command in this form.
async fn try_out(connection: &Connection, key: &str, version: &str) -> Result<()> {
    match connection.run(&exchange(key, 1)).await {
        Err(CommandError::Refused(error)) if error.is_unknown_command() => Err(Error::new(
            Code::StoreFailed,
            format_args!(
                "redis is too old, or a proxy does not pass its commands on; it has to know \
                 SET with XX, GET and PX, as 6.2 does version={version}"
            ),
        )),
        Ok(_) | Err(CommandError::Refused(_)) => Ok(()),
        Err(failure) => Err(failure.into()),
    }
}

async fn connect_tcp(host: &str, port: u16) -> Result<TcpStream> {
    let stream = TcpStream::connect((host, port))
        .await
        .map_err(unreachable)?;
    stream.set_nodelay(true).map_err(unreachable)?;
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE)
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(KEEPALIVE_PROBES);
    SockRef::from(&stream)
        .set_tcp_keepalive(&keepalive)
        .map_err(unreachable)?;
    Ok(stream)
}
