//! Helpers for tests and development: controllable time, randomness and network.
//!
//! Requires the feature `testing`. Do not use it in production.

mod broker;
mod clock;
#[cfg(feature = "faults")]
mod faults;
mod random;
mod time;
#[cfg(feature = "trace")]
mod trace;
mod transport;

pub use self::broker::{
    BrokerCommand, DevBroker, DevBrokerOptions, Fault, KeyChoice, Mail, MintOptions, Mode,
    Scenario, ScriptedFault, SignInOptions, run_broker_command,
};
pub use self::clock::ManualClock;
#[cfg(feature = "faults")]
pub use self::faults::{Act, Authority, Certificate, DeafServer, FaultServer, control};
pub use self::random::ManualRandom;
pub(crate) use self::time::clock_of;
#[cfg(feature = "trace")]
pub(crate) use self::trace::trace_if_asked;
#[cfg(feature = "trace")]
pub use self::trace::{Trace, trace};
pub use self::transport::MockTransport;

use crate::session_key::SessionKey;

/// A session key for tests of a store. Different texts give different keys.
pub fn session_key(text: &str) -> SessionKey {
    SessionKey::new("https://broker.example", "https://example.com", text)
}
