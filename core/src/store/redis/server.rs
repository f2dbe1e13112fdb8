//! Which server a command goes to.

use std::sync::Arc;

use redis::Value;

use super::errors::Failure;
use super::greeting::Mode;
use super::link::{Address, Link, Manner, Request};
use super::slot::{Slot, Usable};
use crate::error::{Code, Error, Result};

impl Usable for Link {
    fn is_usable(&self) -> bool {
        self.is_usable()
    }
}

/// One server, with a connection that is opened when it is first needed and again when it broke.
pub(super) struct Server {
    address: Address,
    manner: Manner,
    link: Slot<Link>,
}

impl Server {
    pub(super) fn new(address: Address, manner: Manner) -> Self {
        Self {
            address,
            manner,
            link: Slot::new(),
        }
    }

    /// The connection, to be used at once: whatever is not usable was replaced.
    pub(super) async fn link(&self) -> Result<Arc<Link>> {
        let (address, manner) = (self.address.clone(), self.manner.clone());
        let open = || async move { Link::open(&address, &manner).await };
        self.link.get(open).await
    }

    pub(super) fn is_connected(&self) -> bool {
        self.link.is_filled()
    }
}

const IS_NODE: &str = "the server is a node of a cluster; the URL has to say redis+cluster";

/// The one server of a plain URL.
pub(super) struct Single(Server);

impl Single {
    pub(super) fn new(address: Address, manner: Manner) -> Self {
        Self(Server::new(address, manner))
    }

    async fn link(&self) -> Result<Arc<Link>> {
        let link = self.0.link().await?;
        let mistaken = match link.greeting().mode {
            Mode::Standalone => return Ok(link),
            Mode::Cluster => IS_NODE,
            Mode::Sentinel => "the server is a Sentinel; the URL has to say redis+sentinel",
        };
        Err(Error::new(Code::StoreFailed, mistaken))
    }

    /// Runs a request. A server that did not tell what it is shows by a redirection.
    pub(super) async fn run(&self, request: &Request<'_>) -> Result<Value, Failure> {
        let link = self.link().await.map_err(Failure::NotSent)?;
        match link.exchange(request, false).await {
            Err(Failure::Refused(refusal)) if matches!(refusal.code(), "MOVED" | "ASK") => {
                Err(Failure::NotSent(Error::new(Code::StoreFailed, IS_NODE)))
            }
            reply => reply,
        }
    }
}
