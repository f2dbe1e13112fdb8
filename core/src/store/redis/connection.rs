//! One connection to one Redis server, shared by all callers.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    Arg, AsyncConnectionConfig, Cmd, Pipeline, ProtocolVersion, RedisConnectionInfo, Value,
};
use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::bounded::{Bounded, TOO_LONG};
use super::errors::{
    CommandError, ServerError, broken, timed_out, too_long, unexpected, unreachable,
};
use super::server_info::{self, HelloReply, ServerInfo};
use super::tls::Tls;
use crate::error::{Code, Error, Result};

/// For the look-up of the name, the connection, TLS and HELLO together.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

const RESPONSE_TIMEOUT: Duration = Duration::from_secs(1);

/// How long replicas have to confirm a command: well before its own time is over.
const WAIT_MILLIS: u64 = 500;

/// A server that vanished without a word is noticed after about half a minute of silence.
const KEEPALIVE: Duration = Duration::from_secs(15);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_PROBES: u32 = 3;

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Address {
    Tcp(String, u16),
    Unix(PathBuf),
}

/// Who the client is to the server.
#[derive(Clone, Default)]
pub(super) struct Credentials {
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
}

/// How connections are made, whichever server they lead to.
#[derive(Clone)]
pub(super) struct ConnectOptions {
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) credentials: Credentials,
    pub(super) database: u32,
    /// A key on which a server may be tried out, where it is to keep records.
    pub(super) probe: Option<String>,
}

/// A command about one key.
pub(super) struct Request<'a> {
    pub(super) command: &'a Cmd,
    /// How many replicas have to have it, too.
    pub(super) replicas: u32,
}

/// An open connection. Commands of all callers share it, in the order in which they come.
///
/// A caller that no longer waits leaves its reply to be dropped when it comes, so that the replies
/// of the others stay theirs. Nothing is ever sent twice.
pub(super) struct Connection {
    multiplexed: MultiplexedConnection,
    driver: AbortHandle,
    discarded: AtomicBool,
    info: ServerInfo,
}

impl Connection {
    /// Connects, authenticates, and asks the server what it is.
    pub(super) async fn open(address: &Address, options: &ConnectOptions) -> Result<Self> {
        let limited = timeout(CONNECT_TIMEOUT, Self::open_at_leisure(address, options));
        limited.await.unwrap_or_else(|_| {
            Err(Error::new(
                Code::StoreUnavailable,
                "no connection to redis in time",
            ))
        })
    }

    /// Some proxies end the connection at a command that they do not know. Those are asked nothing.
    async fn open_at_leisure(address: &Address, options: &ConnectOptions) -> Result<Self> {
        for asks in [true, false] {
            if let Some(connection) = Self::connect(address, options, asks).await? {
                return Ok(connection);
            }
        }
        let fact = "the connection to redis broke";
        Err(Error::new(Code::StoreUnavailable, fact))
    }

    /// Connects; `None` if the server has ended the connection because it was asked what it is.
    async fn connect(
        address: &Address,
        options: &ConnectOptions,
        asks: bool,
    ) -> Result<Option<Self>> {
        match (address, &options.tls) {
            (Address::Tcp(host, port), None) => {
                Self::start(connect(host, *port).await?, options, asks).await
            }
            (Address::Tcp(host, port), Some(tls)) => {
                let name = ServerName::try_from(host.clone()).map_err(unreachable)?;
                let config = tls.config().await?;
                let stream = connect(host, *port).await?;
                let stream = TlsConnector::from(config).connect(name, stream).await;
                Self::start(stream.map_err(unreachable)?, options, asks).await
            }
            #[cfg(unix)]
            (Address::Unix(path), _) => {
                let stream = tokio::net::UnixStream::connect(path).await;
                Self::start(stream.map_err(unreachable)?, options, asks).await
            }
            #[cfg(not(unix))]
            (Address::Unix(_), _) => Err(Error::new(
                Code::StoreUnavailable,
                "this system has no unix sockets",
            )),
        }
    }

    async fn start(
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        options: &ConnectOptions,
        asks: bool,
    ) -> Result<Option<Self>> {
        // The crate would authenticate, but not say how the server refused.
        let nothing = RedisConnectionInfo::default()
            .set_protocol(ProtocolVersion::RESP2)
            .set_skip_set_lib_name();
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None);
        let stream = Bounded::new(stream);
        let (multiplexed, driver) =
            MultiplexedConnection::new_with_config(&nothing, stream, config)
                .await
                .map_err(|cause| broken(&cause))?;
        let mut connection = Self {
            multiplexed,
            driver: tokio::spawn(driver).abort_handle(),
            discarded: AtomicBool::new(false),
            info: ServerInfo::default(),
        };
        connection.authenticate(&options.credentials).await?;
        let told = if asks {
            ServerInfo::ask(&connection).await?
        } else {
            HelloReply::Nothing
        };
        let version = match told {
            HelloReply::Enough(info) => {
                connection.info = info;
                None
            }
            HelloReply::Old(info, version) => {
                connection.info = info;
                Some(version)
            }
            HelloReply::Nothing => Some("unknown".to_owned()),
            HelloReply::Ended => return Ok(None),
        };
        if options.database != 0 {
            let mut select = redis::cmd("SELECT");
            select.arg(options.database);
            connection.run(&select).await?;
        }
        if let Some((version, key)) = version.zip(options.probe.as_deref()) {
            server_info::try_out(&connection, key, &version).await?;
        }
        if asks {
            connection.info.warn_of_eviction(&connection).await;
        }
        Ok(Some(connection))
    }

    async fn authenticate(&self, credentials: &Credentials) -> Result<()> {
        if let Some(password) = &credentials.password {
            let mut command = redis::cmd("AUTH");
            // Older servers and some proxies know passwords only, and mean this user.
            let username = credentials.username.as_deref();
            command.arg(username.filter(|name| *name != "default"));
            command.arg(password);
            self.run(&command).await?;
        }
        Ok(())
    }

    /// What the server said it is.
    pub(super) fn info(&self) -> &ServerInfo {
        &self.info
    }

    /// Whether a command may be sent on it: the connection has neither ended nor been given up.
    pub(super) fn is_usable(&self) -> bool {
        !self.discarded.load(Ordering::Relaxed) && !self.driver.is_finished()
    }

    /// Lets the next command go over a new connection. Those under way still get their replies.
    pub(super) fn discard(&self) {
        self.discarded.store(true, Ordering::Relaxed);
    }

    /// Sends a command once and waits for its reply.
    pub(super) async fn run(&self, command: &Cmd) -> Result<Value, CommandError> {
        let mut multiplexed = self.multiplexed.clone();
        let reply = multiplexed.send_packed_command(command);
        self.judge(reply, name(command)).await
    }

    /// Sends a request in one piece, with nothing of another caller's in between.
    pub(super) async fn exchange(
        &self,
        request: &Request<'_>,
        asking: bool,
    ) -> Result<Value, CommandError> {
        if !asking && request.replicas == 0 {
            return self.run(request.command).await;
        }
        let mut pipeline = Pipeline::new();
        if asking {
            pipeline.cmd("ASKING");
        }
        pipeline.add_command(request.command.clone());
        if request.replicas > 0 {
            pipeline.cmd("WAIT").arg(request.replicas).arg(WAIT_MILLIS);
        }
        let mut multiplexed = self.multiplexed.clone();
        let replies = async {
            let replies = multiplexed.send_packed_commands(&pipeline, 0, pipeline.len());
            replies.await.map(Value::Array)
        };
        let mut replies = match self.judge(replies, name(request.command)).await? {
            Value::Array(replies) => replies.into_iter(),
            _ => return Err(CommandError::Unknown(unexpected())),
        };
        let mut next = |name| self.accept(replies.next().unwrap_or(Value::Nil), name);
        if asking {
            next("ASKING")?;
        }
        let reply = next(name(request.command))?;
        if request.replicas > 0 {
            confirm(next("WAIT"), request.replicas)?;
        }
        Ok(reply)
    }

    async fn judge(
        &self,
        reply: impl Future<Output = redis::RedisResult<Value>>,
        command: &str,
    ) -> Result<Value, CommandError> {
        match timeout(RESPONSE_TIMEOUT, reply).await {
            Ok(Ok(value)) => self.accept(value, command),
            Ok(Err(cause)) => {
                self.discard();
                Err(broken(&cause))
            }
            // The other end may be gone without a word; a new connection will show.
            Err(_) => {
                self.discard();
                Err(CommandError::Unknown(timed_out()))
            }
        }
    }

    /// Tells a reply from an error.
    fn accept(&self, value: Value, command: &str) -> Result<Value, CommandError> {
        let Value::ServerError(error) = value else {
            return Ok(value);
        };
        let error = ServerError::new(&error, command);
        if error.code() == TOO_LONG {
            return Err(CommandError::Unknown(too_long()));
        }
        if error.speaks_against_the_connection() {
            self.discard();
        }
        Err(CommandError::Refused(error))
    }
}

impl Drop for Connection {
    /// Sends nothing more of what nobody waits for.
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// The command was executed when this is known: what stands against it leaves its outcome unknown.
fn confirm(reply: Result<Value, CommandError>, replicas: u32) -> Result<(), CommandError> {
    match reply {
        Ok(Value::Int(count)) if count >= i64::from(replicas) => Ok(()),
        Ok(_) => Err(CommandError::Unknown(Error::new(
            Code::StoreUnavailable,
            "too few replicas of redis confirmed the command",
        ))),
        Err(failure) => Err(CommandError::Unknown(failure.into())),
    }
}

/// The first word of a command, which is nobody's secret.
fn name(command: &Cmd) -> &str {
    match command.args_iter().next() {
        Some(Arg::Simple(bytes)) => std::str::from_utf8(bytes).unwrap_or_default(),
        _ => "",
    }
}

async fn connect(host: &str, port: u16) -> Result<TcpStream> {
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
