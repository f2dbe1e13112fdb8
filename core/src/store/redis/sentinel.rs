//! The primary, according to the Sentinels.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redis::Value;
use tokio::time::timeout;

use super::connection::{Address, ConnectOptions, Connection};
use super::errors::{timed_out, unexpected};
use super::open::{CONNECT_TIMEOUT, open};
use super::reusable::Reusable;
use super::server_info::text;
use crate::error::{Code, Error, Result};

/// How long one Sentinel may take, so that a Sentinel that is down leaves time for the others.
const SENTINEL_TIMEOUT: Duration = Duration::from_secs(1);

/// The server that is the primary of a service when a connection is opened. The Sentinels are asked for
/// each new connection: after a failover the old connection ends, or its server reports that it is
/// read-only.
pub(super) struct SentinelPrimary {
    sentinels: Arc<Sentinels>,
    connection: Reusable<Connection>,
}

struct Sentinels {
    addresses: Vec<Address>,
    service: String,
    /// For connections to the Sentinels.
    options: ConnectOptions,
    /// For connections to the primary.
    primary: ConnectOptions,
    /// The Sentinel that answered last, which is asked first.
    first: AtomicUsize,
}

impl SentinelPrimary {
    pub(super) fn new(
        addresses: Vec<Address>,
        service: String,
        options: ConnectOptions,
        primary: ConnectOptions,
    ) -> Self {
        Self {
            sentinels: Arc::new(Sentinels {
                addresses,
                service,
                options,
                primary,
                first: AtomicUsize::new(0),
            }),
            connection: Reusable::new(),
        }
    }

    pub(super) async fn connection(&self) -> Result<Arc<Connection>> {
        let sentinels = Arc::clone(&self.sentinels);
        let open = || async move {
            timeout(CONNECT_TIMEOUT, sentinels.open())
                .await
                .unwrap_or_else(|_| Err(timed_out()))
        };
        self.connection.get(open).await
    }
}

impl Sentinels {
    /// Asks one Sentinel after the other, until one names a server that is a primary.
    async fn open(&self) -> Result<Connection> {
        let count = self.addresses.len();
        let first = self.first.load(Ordering::Relaxed);
        let mut failure = None;
        for (index, sentinel) in self
            .addresses
            .iter()
            .enumerate()
            .cycle()
            .skip(first)
            .take(count)
        {
            match self.open_as_told_by(sentinel).await {
                Ok(connection) => {
                    self.first.store(index, Ordering::Relaxed);
                    return Ok(connection);
                }
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.unwrap_or_else(timed_out))
    }

    async fn open_as_told_by(&self, sentinel: &Address) -> Result<Connection> {
        let asked = timeout(SENTINEL_TIMEOUT, self.ask(sentinel)).await;
        let primary = asked.unwrap_or_else(|_| Err(timed_out()))?;
        let connection = open(&primary, &self.primary).await?;
        if connection.info.is_replica {
            return Err(Error::new(
                Code::StoreUnavailable,
                "the server that Sentinel names is not a primary at present",
            ));
        }
        Ok(connection)
    }

    async fn ask(&self, sentinel: &Address) -> Result<Address> {
        let connection = open(sentinel, &self.options).await?;
        let mut question = redis::cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME").arg(&self.service);
        let reply = connection.run(&question).await?;
        let Value::Array(address) = reply else {
            return Err(Error::new(
                Code::StoreFailed,
                "the Sentinels know no service of this name",
            ));
        };
        let [host, port] = &address[..] else {
            return Err(unexpected());
        };
        let port = text(port).and_then(|port| port.parse().ok());
        match (text(host), port) {
            (Some(host), Some(port)) => Ok(Address::Tcp(host.to_owned(), port)),
            _ => Err(unexpected()),
        }
    }
}
