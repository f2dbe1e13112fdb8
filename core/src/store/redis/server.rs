//! Which server a command goes to.

use std::sync::Arc;

use super::greeting::Mode;
use super::link::{Address, Link, Manner};
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

/// The one server of a plain URL.
pub(super) struct Single(Server);

impl Single {
    pub(super) fn new(address: Address, manner: Manner) -> Self {
        Self(Server::new(address, manner))
    }

    pub(super) async fn link(&self) -> Result<Arc<Link>> {
        let link = self.0.link().await?;
        let mistaken = match link.greeting().mode {
            Mode::Standalone => return Ok(link),
            Mode::Cluster => "the server is a node of a cluster; the URL has to say redis+cluster",
            Mode::Sentinel => "the server is a Sentinel; the URL has to say redis+sentinel",
        };
        Err(Error::new(Code::StoreFailed, mistaken))
    }
}
