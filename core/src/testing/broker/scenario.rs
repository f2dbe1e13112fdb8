//! Scripts for the development broker: accounts, the next logins, and faults.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::mode::{Mode, Pattern};
use super::state::{Fault, State};
use crate::error::{Code, Error, Result};

/// Changes how the broker responds. What a script does not name stays as it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// How the broker responds to logins.
    pub mode: Option<Mode>,
    /// How it responds to those of some addresses; see [`DevBroker::set_account`](super::DevBroker::set_account).
    pub accounts: BTreeMap<String, Mode>,
    /// How it responds to the next logins, one after the other.
    pub logins: Option<Vec<Mode>>,
    /// Faults of the next requests, by path.
    pub faults: BTreeMap<String, ScriptedFault>,
}

/// A fault in a script.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScriptedFault {
    /// How many requests have it.
    pub requests: u32,
    /// As in [`Fault`].
    pub status: Option<u16>,
    /// The delay before the response, in milliseconds.
    pub delay_ms: u64,
    /// As in [`Fault`].
    pub headers: BTreeMap<String, String>,
    /// As in [`Fault`].
    pub body: Option<String>,
}

impl Default for ScriptedFault {
    fn default() -> Self {
        Self {
            requests: 1,
            status: None,
            delay_ms: 0,
            headers: BTreeMap::new(),
            body: None,
        }
    }
}

impl Scenario {
    /// Reads a script from a JSON object with the names of the fields.
    ///
    /// # Errors
    /// [`Code::InvalidOption`] for unknown names and wrong values.
    pub fn from_json(text: &str) -> Result<Self> {
        let invalid = |cause: serde_json::Error| {
            let problem = format_args!("the scenario cannot be read: {cause}");
            Error::new(Code::InvalidOption, problem)
        };
        // The derived reader would accept a sequence as well.
        let members: Map<String, Value> = serde_json::from_str(text).map_err(invalid)?;
        let scenario: Self = serde_json::from_value(members.into()).map_err(invalid)?;
        scenario.patterns()?;
        Ok(scenario)
    }

    pub(super) fn apply(self, state: &State) -> Result<()> {
        let patterns = self.patterns()?;
        let mut modes = state.modes();
        if let Some(mode) = self.mode {
            modes.usual = mode;
        }
        for (pattern, mode) in patterns.into_iter().zip(self.accounts.into_values()) {
            modes.set_account(pattern, mode);
        }
        if let Some(logins) = self.logins {
            modes.set_next(logins);
        }
        drop(modes);
        for (path, fault) in self.faults {
            state.fail_next(&path, fault.requests, fault.into());
        }
        Ok(())
    }

    fn patterns(&self) -> Result<Vec<Pattern>> {
        self.accounts.keys().map(|text| text.parse()).collect()
    }
}

impl From<ScriptedFault> for Fault {
    fn from(fault: ScriptedFault) -> Self {
        Self {
            delay: Duration::from_millis(fault.delay_ms),
            status: fault.status,
            headers: fault.headers.into_iter().collect(),
            body: fault.body,
        }
    }
}
