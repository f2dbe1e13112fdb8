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

/// How long replicas have to confirm a command: well before its own time is over.
const WAIT_MILLIS: u64 = 500;

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
    /// What the server said about itself.
    pub(super) info: ServerInfo,
}

impl Connection {
    /// Starts to speak the protocol over a stream.
    pub(super) async fn start(
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> Result<Self> {
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
        Ok(Self {
            multiplexed,
            driver: tokio::spawn(driver).abort_handle(),
            discarded: AtomicBool::new(false),
            info: ServerInfo::default(),
        })
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
