//! Pending logins in Redis or Valkey, for the processes of any number of machines.

mod bounded;
mod client_name;
mod cluster;
mod connection;
mod errors;
mod identity;
mod open;
mod reusable;
mod sentinel;
mod server;
mod server_info;
mod tls;
mod topology;
pub(super) mod url;

use std::fmt;
use std::time::Duration;

use redis::{Cmd, Value};

use self::bounded::MAX_VALUE_BYTES;
use self::cluster::Cluster;
use self::connection::Request;
use self::errors::{CommandError, unexpected};
use self::sentinel::SentinelPrimary;
use self::server::Single;
use self::server_info::text;
use self::url::{Settings, Target};
use crate::error::{Code, Error, Result};
use crate::future::BoxFuture;
use crate::session_key::SessionKey;
use crate::store::contract::{SharedDocuments, Store, Taken};

/// How long a completed login is remembered. The broker's tokens are valid for 10 minutes, and with the
/// largest leeway they are accepted for 10 more.
const USED_FOR: Duration = Duration::from_secs(20 * 60);

/// The reply of `PTTL` for a key without expiry.
const NO_LIFETIME: i64 = -1;

/// Keeps pending logins, and the broker's documents, in Redis 6.2 or newer, or in Valkey.
///
/// All processes with the same database and prefix share them. Connections are opened when they are first
/// needed, and reopened after they broke; all callers share them. A command whose outcome is unknown is an
/// error, and is never repeated.
///
/// | URL | |
/// |---|---|
/// | `redis://user:password@host:6379/0` | one server; `rediss://` with TLS |
/// | `redis+unix:///path/of.socket?db=0` | one server on this machine |
/// | `redis+sentinel://user:password@host:26379,host:26379/service/0` | the primary that Sentinels name; `rediss+sentinel://` with TLS |
/// | `redis+cluster://user:password@host:6379,host:6379` | a cluster, through any of its nodes; `rediss+cluster://` with TLS |
///
/// `valkey` can replace `redis`. Parameters: `prefix` is the prefix of all keys (`portier:`); `ca_file` is a
/// file of PEM certificates to trust in addition to the system's; `cert_file` and `key_file` are the
/// client's certificate and key, for a server that requires one; with `replicas`, a login completes only
/// after that many replicas have confirmed that it is used up, so that a failover does not forget it;
/// `sentinel_username` and `sentinel_password` are for the Sentinels.
///
/// ```
/// use portier_client::{Client, RedisStore};
///
/// # fn main() -> Result<(), portier_client::Error> {
/// let client = Client::builder("https://example.com/verify")
///     .store_url("redis://localhost/0?prefix=shop:")
///     .build()?;
/// // Or, to share one store between clients:
/// let store = std::sync::Arc::new(RedisStore::new("redis://localhost")?);
/// let client = Client::builder("https://example.com/verify").store(store).build()?;
/// # Ok(())
/// # }
/// ```
pub struct RedisStore {
    servers: Servers,
    prefix: String,
    replicas: u32,
    database: u32,
}

enum Servers {
    Single(Single),
    SentinelPrimary(SentinelPrimary),
    Cluster(Cluster),
}

impl RedisStore {
    /// Parses the URL. No connection is opened yet.
    ///
    /// # Errors
    /// [`Code::InvalidOption`]; the message never shows the URL, which may contain a password.
    pub fn new(url: &str) -> Result<Self> {
        let Settings {
            target,
            options,
            prefix,
            replicas,
        } = Settings::parse(url)?;
        let database = options.database;
        let servers = match target {
            Target::Single(address) => Servers::Single(Single::new(address, options)),
            Target::Sentinel {
                sentinels,
                service,
                options: sentinel,
            } => Servers::SentinelPrimary(SentinelPrimary::new(
                sentinels, service, sentinel, options,
            )),
            Target::Cluster(seeds) => Servers::Cluster(Cluster::new(seeds, options)),
        };
        Ok(Self {
            servers,
            prefix,
            replicas,
            database,
        })
    }

    async fn put_record(&self, key: &SessionKey, record: String, ttl: Duration) -> Result<()> {
        let name = self.session(key);
        match self.run(&name, &set(&name, &record, ttl, true)).await? {
            Value::Okay => Ok(()),
            Value::Nil => Err(Error::new(
                Code::StoreFailed,
                "a login is pending under this nonce already",
            )),
            _ => Err(unexpected()),
        }
    }

    /// One command takes the record and replaces it by the mark of a used login, so that exactly one caller
    /// gets it.
    async fn take_record(&self, key: &SessionKey) -> Result<Taken> {
        let name = self.session(key);
        let exchange = server_info::exchange(&name, millis(USED_FOR));
        let reply = match self.run_on(&name, &exchange, self.replicas).await {
            // Without memory, Redis refuses even a shorter value, and changes nothing. The record can
            // still be removed, without leaving the mark.
            Err(CommandError::Refused(error)) if error.code() == "OOM" => {
                let remove = redis::cmd("GETDEL").arg(&name).clone();
                self.run_on(&name, &remove, self.replicas).await
            }
            reply => reply,
        };
        found(reply?)
    }

    async fn peek_record(&self, key: &SessionKey) -> Result<Taken> {
        let name = self.session(key);
        found(self.run(&name, redis::cmd("GET").arg(&name)).await?)
    }

    /// A used login leaves an empty string behind.
    async fn contains_record(&self, key: &SessionKey) -> Result<bool> {
        let name = self.session(key);
        match self.run(&name, redis::cmd("STRLEN").arg(&name)).await? {
            Value::Int(length) => Ok(length > 0),
            _ => Err(unexpected()),
        }
    }

    async fn load_document(&self, name: &str) -> Result<Option<String>> {
        let name = self.document(name);
        // A document that is too long is not loaded; it is replaced like a stale one.
        match self.run(&name, redis::cmd("STRLEN").arg(&name)).await? {
            Value::Int(length)
                if u64::try_from(length).is_ok_and(|length| length <= MAX_VALUE_BYTES) => {}
            Value::Int(_) => return Ok(None),
            _ => return Err(unexpected()),
        }
        match self.run(&name, redis::cmd("GET").arg(&name)).await? {
            Value::Nil => Ok(None),
            Value::BulkString(bytes) => {
                String::from_utf8(bytes).map(Some).map_err(|_| unexpected())
            }
            _ => Err(unexpected()),
        }
    }

    async fn save_document(&self, name: &str, document: String, ttl: Duration) -> Result<()> {
        let name = self.document(name);
        match self.run(&name, &set(&name, &document, ttl, false)).await? {
            Value::Okay => Ok(()),
            _ => Err(unexpected()),
        }
    }

    async fn take_lease(&self, name: &str, ttl: Duration) -> Result<bool> {
        let name = self.lease_of(name);
        match self.run(&name, &set(&name, "1", ttl, true)).await? {
            Value::Okay => return Ok(true),
            Value::Nil => {}
            _ => return Err(unexpected()),
        }
        // A key with a longer lifetime than any lease, or without expiry, is not a lease, and is
        // replaced. The user may not be allowed to run the command.
        let Ok(Value::Int(left)) = self.run(&name, redis::cmd("PTTL").arg(&name)).await else {
            return Ok(false);
        };
        let is_lease = u64::try_from(left).is_ok_and(|left| left <= millis(ttl));
        if is_lease || left < NO_LIFETIME {
            return Ok(false);
        }
        match self.run(&name, &set(&name, "1", ttl, false)).await? {
            Value::Okay => Ok(true),
            _ => Err(unexpected()),
        }
    }

    async fn end_lease(&self, name: &str) -> Result<()> {
        let name = self.lease_of(name);
        self.run(&name, redis::cmd("DEL").arg(&name)).await?;
        Ok(())
    }

    /// What the server reports about its version, its memory, its files and its clients; `None` if it may not be
    /// asked.
    pub(crate) async fn server_report(&self) -> Option<String> {
        let mut report = String::new();
        for section in ["server", "memory", "persistence", "clients"] {
            let reply = self
                .run(&self.prefix, redis::cmd("INFO").arg(section))
                .await;
            report.push_str(text(&reply.ok()?)?);
        }
        Some(report)
    }

    /// How many other processes have a store in this database; `None` if the server may not be asked. In a cluster,
    /// it asks one node only.
    pub(crate) async fn processes(&self) -> Option<usize> {
        let reply = self
            .run(&self.prefix, redis::cmd("CLIENT").arg("LIST"))
            .await;
        Some(client_name::others_in(text(&reply.ok()?)?, self.database))
    }

    async fn run(&self, key: &str, command: &Cmd) -> Result<Value, CommandError> {
        self.run_on(key, command, 0).await
    }

    async fn run_on(&self, key: &str, command: &Cmd, replicas: u32) -> Result<Value, CommandError> {
        let request = Request { command, replicas };
        match &self.servers {
            Servers::Single(single) => single.run(&request).await,
            Servers::SentinelPrimary(primary) => {
                let connection = primary.connection().await.map_err(CommandError::NotSent)?;
                connection.exchange(&request, false).await
            }
            Servers::Cluster(cluster) => cluster.run(key, &request).await,
        }
    }

    fn session(&self, key: &SessionKey) -> String {
        format!("{}session:{key}", self.prefix)
    }

    fn document(&self, name: &str) -> String {
        format!("{}document:{name}", self.prefix)
    }

    fn lease_of(&self, name: &str) -> String {
        format!("{}lease:{name}", self.prefix)
    }
}

impl Store for RedisStore {
    fn put<'a>(
        &'a self,
        key: &'a SessionKey,
        record: String,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.put_record(key, record, ttl))
    }

    fn take<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Taken>> {
        Box::pin(self.take_record(key))
    }

    fn contains<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Option<bool>>> {
        Box::pin(async { self.contains_record(key).await.map(Some) })
    }

    fn peek<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Option<Taken>>> {
        Box::pin(async { self.peek_record(key).await.map(Some) })
    }

    fn documents(&self) -> Option<&dyn SharedDocuments> {
        Some(self)
    }

    fn limits_waiting(&self) -> bool {
        true
    }
}

impl SharedDocuments for RedisStore {
    fn load<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(self.load_document(name))
    }

    fn save<'a>(
        &'a self,
        name: &'a str,
        document: String,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.save_document(name, document, ttl))
    }

    fn lease<'a>(&'a self, name: &'a str, ttl: Duration) -> BoxFuture<'a, Result<bool>> {
        Box::pin(self.take_lease(name, ttl))
    }

    fn release<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.end_lease(name))
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RedisStore").finish_non_exhaustive()
    }
}

/// Interprets the value of a login's key.
fn found(value: Value) -> Result<Taken> {
    match value {
        Value::Nil => Ok(Taken::Unknown),
        Value::BulkString(bytes) if bytes.is_empty() => Ok(Taken::Used),
        Value::BulkString(bytes) => String::from_utf8(bytes)
            .map(Taken::Record)
            .map_err(|_| unexpected()),
        _ => Err(unexpected()),
    }
}

fn set(name: &str, value: &str, ttl: Duration, only_if_absent: bool) -> Cmd {
    let mut command = redis::cmd("SET");
    command.arg(name).arg(value);
    if only_if_absent {
        command.arg("NX");
    }
    command.arg("PX").arg(millis(ttl));
    command
}

/// Redis refuses a lifetime of zero, and one that ends after the year 292 million.
fn millis(ttl: Duration) -> u64 {
    const MAX: u64 = 1000 * 60 * 60 * 24 * 365 * 100;
    u64::try_from(ttl.as_millis()).unwrap_or(MAX).clamp(1, MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_from_a_millisecond_to_a_hundred_years() {
        for (ttl, expected) in [
            (Duration::ZERO, 1),
            (Duration::from_micros(1500), 1),
            (Duration::from_secs(1800), 1_800_000),
            (Duration::MAX, 3_153_600_000_000),
        ] {
            assert_eq!(millis(ttl), expected, "{ttl:?}");
        }
    }
}
