//! One server.

use std::sync::Arc;

use redis::Value;

use super::connection::{Address, ConnectOptions, Connection, Request};
use super::errors::CommandError;
use super::open::open;
use super::reusable::{Reusable, Usable};
use super::server_info::Mode;
use crate::error::{Code, Error, Result};

impl Usable for Connection {
    fn is_usable(&self) -> bool {
        self.is_usable()
    }
}

/// A server, with a connection that is opened when it is first needed, and reopened after it broke.
pub(super) struct Server {
    address: Address,
    options: ConnectOptions,
    connection: Reusable<Connection>,
}

impl Server {
    pub(super) fn new(address: Address, options: ConnectOptions) -> Self {
        Self {
            address,
            options,
            connection: Reusable::new(),
        }
    }

    /// A usable connection.
    pub(super) async fn connection(&self) -> Result<Arc<Connection>> {
        let (address, options) = (self.address.clone(), self.options.clone());
        let open = || async move { open(&address, &options).await };
        self.connection.get(open).await
    }

    pub(super) fn is_connected(&self) -> bool {
        self.connection.is_filled()
    }
}

const IS_NODE: &str = "the server is a node of a cluster; the URL has to say redis+cluster";

/// The server of a URL without Sentinel or cluster.
pub(super) struct Single(Server);

impl Single {
    pub(super) fn new(address: Address, options: ConnectOptions) -> Self {
        Self(Server::new(address, options))
    }

    async fn connection(&self) -> Result<Arc<Connection>> {
        let connection = self.0.connection().await?;
        let mistaken = match connection.info.mode {
            Mode::Standalone => return Ok(connection),
            Mode::Cluster => IS_NODE,
            Mode::Sentinel => "the server is a Sentinel; the URL has to say redis+sentinel",
        };
        Err(Error::new(Code::StoreFailed, mistaken))
    }

    /// Runs a request. A redirection means that the server is a node of a cluster.
    pub(super) async fn run(&self, request: &Request<'_>) -> Result<Value, CommandError> {
        let connection = self.connection().await.map_err(CommandError::NotSent)?;
        match connection.exchange(request, false).await {
            Err(CommandError::Refused(error)) if matches!(error.code(), "MOVED" | "ASK") => Err(
                CommandError::NotSent(Error::new(Code::StoreFailed, IS_NODE)),
            ),
            reply => reply,
        }
    }
}
