//! The state that the server and the test share.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::codes::Codes;
use super::keys::Keys;
use super::mint::MintOptions;
use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::fork::{busy, lock};

/// How the broker answers a request to sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// It shows a page and asks.
    #[default]
    Page,
    /// It signs the person in at once.
    Accept,
    /// It refuses at once, as if the person had pressed Cancel.
    Refuse,
}

impl FromStr for Mode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "page" => Ok(Self::Page),
            "accept" => Ok(Self::Accept),
            "refuse" => Ok(Self::Refuse),
            _ => Err(Error::new(
                Code::InvalidOption,
                "mode is not one of page, accept, refuse",
            )),
        }
    }
}

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
    pub(super) codes: Codes,
    mode: Mutex<Mode>,
    requests: Mutex<BTreeMap<String, u64>>,
    faults: Mutex<HashMap<String, (u32, Fault)>>,
    held: watch::Sender<HashSet<String>>,
}

impl State {
    pub(super) fn new(
        origin: String,
        clock: Arc<dyn Clock>,
        keys_lifetime: Duration,
        mode: Mode,
        pkce: bool,
    ) -> Self {
        Self {
            origin,
            clock,
            keys: Keys::default(),
            keys_lifetime,
            pkce,
            codes: Codes::default(),
            mode: Mutex::new(mode),
            requests: Mutex::default(),
            faults: Mutex::default(),
            held: watch::Sender::default(),
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

    pub(super) fn mode(&self) -> Mode {
        *lock(&self.mode)
    }

    pub(super) fn set_mode(&self, mode: Mode) {
        *lock(&self.mode) = mode;
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
