//! The nodes of a cluster, discovered through some of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::Value;
use tokio::time::timeout;

use super::connection::{Address, ConnectOptions, Request};
use super::errors::{CommandError, timed_out, unexpected};
use super::open::CONNECT_TIMEOUT;
use super::reusable::Reusable;
use super::server::Server;
use super::topology::{Redirection, Topology, slot};
use crate::error::{Code, Error, Result};

/// How long one node may take to describe the cluster, so that a node that is down leaves time for the
/// others.
const NODE_TIMEOUT: Duration = Duration::from_secs(1);

/// The maximum number of nodes to which one command is sent: the expected node, after `MOVED`, after `ASK`,
/// and two more for another move in between.
const MAX_HOPS: usize = 5;

/// A cluster. Each command is about one key.
///
/// A command is sent to another node only after a redirection, which means that it was not executed, or if
/// no connection could be opened.
pub(super) struct Cluster {
    nodes: Arc<Nodes>,
    topology: Reusable<Topology>,
}

struct Nodes {
    seeds: Vec<Address>,
    options: ConnectOptions,
    servers: Mutex<HashMap<Address, Arc<Server>>>,
}

impl Cluster {
    pub(super) fn new(seeds: Vec<Address>, options: ConnectOptions) -> Self {
        Self {
            nodes: Arc::new(Nodes {
                seeds,
                options,
                servers: Mutex::default(),
            }),
            topology: Reusable::new(),
        }
    }

    pub(super) async fn run(
        &self,
        key: &str,
        request: &Request<'_>,
    ) -> Result<Value, CommandError> {
        let slot = slot(key);
        let mut redirection = None;
        let mut unreachable = None;
        for _ in 0..MAX_HOPS {
            let topology = self.topology().await.map_err(CommandError::NotSent)?;
            let (address, asking) = match redirection.take() {
                Some(Redirection::Moved(address)) => (address, false),
                Some(Redirection::Ask(address)) => (address, true),
                None => {
                    let Some(address) = topology.owner(slot) else {
                        topology.outdate();
                        return Err(CommandError::NotSent(nobody()));
                    };
                    (address.clone(), false)
                }
            };
            let connection = match self.nodes.server(&address).connection().await {
                Ok(connection) => connection,
                // The cluster may have replaced the node already, and the other nodes know.
                Err(error) => {
                    topology.outdate();
                    if unreachable.replace(address.clone()) == Some(address) {
                        return Err(CommandError::NotSent(error));
                    }
                    continue;
                }
            };
            match connection.exchange(request, asking).await {
                Err(CommandError::Refused(error)) => {
                    redirection = Redirection::read(&error, &address);
                    if !matches!(redirection, Some(Redirection::Ask(_))) {
                        topology.outdate();
                    }
                    if redirection.is_none() {
                        return Err(CommandError::Refused(error));
                    }
                }
                Err(failure) => {
                    topology.outdate();
                    return Err(failure);
                }
                reply => return reply,
            }
        }
        Err(CommandError::NotSent(nobody()))
    }

    async fn topology(&self) -> Result<Arc<Topology>> {
        let nodes = Arc::clone(&self.nodes);
        let learn = || async move {
            timeout(CONNECT_TIMEOUT, nodes.learn())
                .await
                .unwrap_or_else(|_| Err(timed_out()))
        };
        self.topology.get(learn).await
    }
}

impl Nodes {
    /// Asks one node after the other about the cluster, connected nodes first.
    async fn learn(&self) -> Result<Topology> {
        let mut failure = None;
        for address in self.candidates() {
            let asked = timeout(NODE_TIMEOUT, self.ask(&address)).await;
            match asked.unwrap_or_else(|_| Err(timed_out())) {
                Ok(topology) => {
                    self.keep(&topology);
                    return Ok(topology);
                }
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.unwrap_or_else(nobody))
    }

    /// Drops the servers that are neither nodes of the cluster nor in the URL.
    fn keep(&self, topology: &Topology) {
        self.servers()
            .retain(|address, _| topology.names(address) || self.seeds.contains(address));
    }

    fn candidates(&self) -> Vec<Address> {
        let servers = self.servers();
        let (mut candidates, others): (Vec<_>, Vec<_>) = servers
            .iter()
            .map(|(address, server)| (address.clone(), server.is_connected()))
            .partition(|(_, connected)| *connected);
        candidates.extend(self.seeds.iter().map(|seed| (seed.clone(), false)));
        candidates.extend(others);
        let mut addresses = Vec::new();
        for (address, _) in candidates {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        addresses
    }

    async fn ask(&self, address: &Address) -> Result<Topology> {
        let connection = self.server(address).connection().await?;
        match connection.run(redis::cmd("CLUSTER").arg("SLOTS")).await {
            Ok(reply) => Topology::read(&reply, address).ok_or_else(unexpected),
            Err(CommandError::Refused(error)) if error.code() == "ERR" => Err(Error::new(
                Code::StoreFailed,
                "the server is not a node of a cluster",
            )),
            Err(failure) => Err(failure.into()),
        }
    }

    fn server(&self, address: &Address) -> Arc<Server> {
        let mut servers = self.servers();
        let server = servers
            .entry(address.clone())
            .or_insert_with(|| Arc::new(Server::new(address.clone(), self.options.clone())));
        Arc::clone(server)
    }

    fn servers(&self) -> MutexGuard<'_, HashMap<Address, Arc<Server>>> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn nobody() -> Error {
    Error::new(
        Code::StoreUnavailable,
        "no node of the cluster serves the command at present",
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::store::redis::connection::Credentials;

    fn nodes(seeds: &[&Address]) -> Nodes {
        Nodes {
            seeds: seeds.iter().copied().cloned().collect(),
            options: ConnectOptions {
                tls: None,
                credentials: Credentials::default(),
                database: 0,
                probe: None,
            },
            servers: Mutex::default(),
        }
    }

    fn somewhere(host: &str) -> Address {
        Address::Tcp(host.to_owned(), 6379)
    }

    /// A node that says nothing of itself.
    async fn node() -> Address {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut client, _) = listener.accept().await.unwrap();
            while let Ok(1..) = client.read(&mut [0; 1024]).await {
                client.write_all(b"*0\r\n").await.unwrap();
            }
        });
        Address::Tcp("127.0.0.1".to_owned(), port)
    }

    #[tokio::test]
    async fn nodes_with_a_connection_are_asked_first_and_each_once() {
        let (connected, seed, other) = (node().await, somewhere("seed"), somewhere("other"));
        let nodes = nodes(&[&seed, &connected]);
        nodes.server(&other);
        nodes.server(&connected).connection().await.unwrap();
        assert!(nodes.candidates() == [connected, seed, other]);
    }

    #[test]
    fn servers_that_left_the_cluster_are_dropped() {
        let (seed, named, other) = (somewhere("seed"), somewhere("named"), somewhere("other"));
        let nodes = nodes(&[&seed]);
        for address in [&seed, &named, &other] {
            nodes.server(address);
        }
        let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let primary = Value::Array(vec![text("named"), Value::Int(6379)]);
        let range = Value::Array(vec![Value::Int(0), Value::Int(16383), primary]);
        nodes.keep(&Topology::read(&Value::Array(vec![range]), &seed).unwrap());
        let mut kept = nodes.candidates();
        kept.sort_by_key(|address| format!("{address:?}"));
        assert!(kept == [named, seed]);
    }
}
