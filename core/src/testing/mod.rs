//! What tests and development need: time, randomness and network that do as they are told.
//!
//! Only with the feature `testing`. Nothing here is for production.

mod broker;
mod clock;
#[cfg(feature = "faults")]
mod faults;
mod random;
#[cfg(feature = "trace")]
mod trace;
mod transport;

pub use self::broker::{DevBroker, DevBrokerOptions, Fault, KeyChoice, MintOptions, Mode};
pub use self::clock::ManualClock;
#[cfg(feature = "faults")]
pub use self::faults::{Act, Authority, Certificate, DeafServer, FaultServer, control};
pub use self::random::ManualRandom;
#[cfg(feature = "trace")]
pub(crate) use self::trace::trace_if_asked;
#[cfg(feature = "trace")]
pub use self::trace::{Trace, trace};
pub use self::transport::CannedTransport;

use crate::session_key::SessionKey;

/// A key such as stores are given, for the tests of a store: another for each text.
pub fn session_key(text: &str) -> SessionKey {
    SessionKey::new("https://broker.example", "https://example.com", text)
}
