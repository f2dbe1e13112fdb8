//! The state that the server and the test share.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::codes::Codes;
use super::inbox::Inbox;
use super::keys::Keys;
use super::mint::MintOptions;
use super::mode::{Mode, Modes};
use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::fork::{Locked, busy, lock};

/// A fault of one path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// The delay before the response.
    pub delay: Duration,
    /// The status of the response. Without it and without a body, the response is the usual one.
    pub status: Option<u16>,
    /// The headers of the response.
    pub headers: Vec<(String, String)>,
    /// The body of the response; the default status is then 200.
    pub body: Option<String>,
}

pub(super) struct State {
    pub(super) origin: String,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) keys: Keys,
    pub(super) keys_lifetime: Duration,
    pub(super) pkce: bool,
    pub(super) prints_mails: bool,
    pub(super) codes: Codes,
    pub(super) inbox: Inbox,
    modes: Mutex<Modes>,
    requests: Mutex<BTreeMap<String, u64>>,
    faults: Mutex<HashMap<String, (u32, Fault)>>,
    held: watch::Sender<HashSet<String>>,
    is_reachable: watch::Sender<bool>,
}

impl State {
    pub(super) fn new(
        origin: String,
        clock: Arc<dyn Clock>,
        keys_lifetime: Duration,
        mode: Mode,
        pkce: bool,
        prints_mails: bool,
    ) -> Self {
        Self {
            origin,
            clock,
            keys: Keys::default(),
            keys_lifetime,
            pkce,
            prints_mails,
            codes: Codes::default(),
            inbox: Inbox::default(),
            modes: Mutex::new(Modes::of(mode)),
            requests: Mutex::default(),
            faults: Mutex::default(),
            held: watch::Sender::default(),
            is_reachable: watch::Sender::new(true),
        }
    }

    /// Runs slow work, such as generating keys, outside of the server's thread.
    pub(super) async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let state = Arc::clone(self);
        spawn_blocking(move || work(&state))
            .await
            .map_err(|cause| {
                Error::new(Code::Internal, "the development broker stopped").with_source(cause)
            })?
    }

    pub(super) fn mint(&self, options: &MintOptions) -> Result<String> {
        options.mint(&self.keys, &self.origin, self.clock.now())
    }

    pub(super) fn modes(&self) -> Locked<'_, Modes> {
        lock(&self.modes)
    }

    /// Returns to the beginning, except for keys and codes.
    pub(super) fn reset(&self) {
        self.modes().reset();
        self.inbox.clear();
        lock(&self.requests).clear();
        lock(&self.faults).clear();
        self.set_reachable(true);
        let _busy = busy();
        self.held.send_modify(HashSet::clear);
    }

    pub(super) fn set_reachable(&self, reachable: bool) {
        let _busy = busy();
        self.is_reachable.send_replace(reachable);
    }

    pub(super) fn is_reachable(&self) -> bool {
        *self.is_reachable.borrow()
    }

    /// Waits until the broker cannot be reached.
    pub(super) async fn unreachable(&self) {
        // There is no error: the sender is part of the state.
        let _ = self
            .is_reachable
            .subscribe()
            .wait_for(|reachable| !reachable)
            .await;
    }

    pub(super) fn count(&self, path: &str) {
        *lock(&self.requests).entry(path.to_owned()).or_default() += 1;
    }

    pub(super) fn requests(&self) -> BTreeMap<String, u64> {
        lock(&self.requests).clone()
    }

    pub(super) fn fail_next(&self, path: &str, requests: u32, fault: Fault) {
        lock(&self.faults).insert(path.to_owned(), (requests, fault));
    }

    pub(super) fn hold(&self, path: &str) {
        let _busy = busy();
        self.held.send_modify(|held| {
            held.insert(path.to_owned());
        });
    }

    pub(super) fn release(&self, path: &str) {
        let _busy = busy();
        self.held.send_modify(|held| {
            held.remove(path);
        });
    }

    /// Waits as long as the path is held.
    pub(super) async fn released(&self, path: &str) {
        // There is no error: the sender is part of the state.
        let _ = self
            .held
            .subscribe()
            .wait_for(|held| !held.contains(path))
            .await;
    }

    /// The fault of this request, if there is one.
    pub(super) fn next_fault(&self, path: &str) -> Option<Fault> {
        let mut faults = lock(&self.faults);
        let (left, fault) = faults.get_mut(path)?;
        *left = left.checked_sub(1)?;
        Some(fault.clone())
    }
}
