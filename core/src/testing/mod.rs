//! What tests and development need: time, randomness and network that do as they are told.
//!
//! Only with the feature `testing`. Nothing here is for production.

mod broker;
mod clock;
mod random;
mod transport;

pub use self::broker::{DevBroker, DevBrokerOptions, Fault, KeyChoice, MintOptions, Mode};
pub use self::clock::ManualClock;
pub use self::random::ManualRandom;
pub use self::transport::CannedTransport;
