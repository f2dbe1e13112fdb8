//! One connection to one Redis server, shared by all callers.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    Arg, AsyncConnectionConfig, Cmd, Pipeline, ProtocolVersion, RedisConnectionInfo, Value,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::bounded::{Bounded, TOO_LONG};
use super::errors::{CommandError, ServerError, broken, timed_out, too_long, unexpected};
use super::server_info::ServerInfo;
use super::tls::Tls;
use crate::error::{Code, Error, Result};

const RESPONSE_TIMEOUT: Duration = Duration::from_secs(1);

/// How long replicas may take to confirm a command: less than the time limit of the command.
const WAIT_MILLIS: u64 = 500;

/// The address of a server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Address {
    Tcp(String, u16),
    Unix(PathBuf),
}

/// The credentials of the client.
#[derive(Clone, Default)]
pub(super) struct Credentials {
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
}

/// The options of connections, for all servers of a store.
#[derive(Clone)]
pub(super) struct ConnectOptions {
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) credentials: Credentials,
    pub(super) database: u32,
    /// The key with which `open` checks that the server knows the commands; `None` skips the check.
    pub(super) probe: Option<String>,
}

/// A command about one key.
pub(super) struct Request<'a> {
    pub(super) command: &'a Cmd,
    /// How many replicas have to confirm it.
    pub(super) replicas: u32,
}

/// An open connection. All callers share it; commands are sent in the order in which they come.
///
/// If a caller is cancelled, its reply is dropped, and the other callers still get their own replies. No
/// command is sent twice.
pub(super) struct Connection {
    multiplexed: MultiplexedConnection,
    driver: AbortHandle,
    discarded: AtomicBool,
    /// What the server said about itself.
    pub(super) info: ServerInfo,
}

impl Connection {
    /// Starts the protocol on a stream.
    pub(super) async fn start(
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> Result<Self> {
        // The crate could authenticate, but would not tell why the server refused.
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
        Ok(Self {
            multiplexed,
            driver: tokio::spawn(driver).abort_handle(),
            discarded: AtomicBool::new(false),
            info: ServerInfo::default(),
        })
    }

    /// Whether commands may be sent: the connection is open and was not discarded.
    pub(super) fn is_usable(&self) -> bool {
        !self.discarded.load(Ordering::Relaxed) && !self.driver.is_finished()
    }

    /// Makes the next command use a new connection. Pending commands still get their replies.
    pub(super) fn discard(&self) {
        self.discarded.store(true, Ordering::Relaxed);
    }

    /// Sends a command once and waits for its reply.
    pub(super) async fn run(&self, command: &Cmd) -> Result<Value, CommandError> {
        let mut multiplexed = self.multiplexed.clone();
        let reply = multiplexed.send_packed_command(command);
        self.judge(reply, name(command)).await
    }

    /// Sends a request as one pipeline, without commands of other callers in between.
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
            // The server may be gone; a new connection will show.
            Err(_) => {
                self.discard();
                Err(CommandError::Unknown(timed_out()))
            }
        }
    }

    /// Separates errors from other replies.
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
    /// Stops sending commands for which nobody waits.
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Checks the confirmation of the replicas. The command itself was executed; without a confirmation its
/// outcome is unknown.
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

/// The name of a command, which is not secret.
fn name(command: &Cmd) -> &str {
    match command.args_iter().next() {
        Some(Arg::Simple(bytes)) => std::str::from_utf8(bytes).unwrap_or_default(),
        _ => "",
    }
}
