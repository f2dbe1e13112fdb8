#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Some unit tests share files with integration tests.
#[cfg(test)]
extern crate self as portier_client;

mod algorithm;
mod authorize;
mod base64url;
mod browser;
mod builder;
mod claims;
mod client;
mod clock;
mod command_line;
mod config;
mod discovery;
pub mod doctor;
mod documents;
mod email;
mod error;
pub mod events;
mod fork;
mod framing;
mod freshness;
mod future;
mod health;
mod http;
mod json;
mod jwks;
pub mod metrics;
mod next;
mod nonce;
mod operation;
mod origin;
mod record;
mod sealing;
mod session;
mod session_key;
mod stats;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod tls;
mod token;
pub mod web;

pub use self::algorithm::Algorithm;
pub use self::builder::Builder;
pub use self::client::Client;
pub use self::clock::{Clock, Random, SystemClock, SystemRandom};
pub use self::config::{Flow, ResponseMode};
pub use self::email::normalize_email;
pub use self::error::{BrokerAnswer, BrowserMismatch, ClaimReason, Code, Error, Kind, Result};
pub use self::fork::{ForkGuard, before_fork};
pub use self::future::BoxFuture;
pub use self::health::{Health, HealthCheck, HealthChecks, HealthStatus};
pub use self::http::{Request, Response, SentRequest, Transport};
pub use self::jwks::KeyInfo;
pub use self::next::safe_next;
#[doc(hidden)]
pub use self::operation::{start_all, start_here};
pub use self::session::{AuthenticateOptions, CallbackParams, CompleteOptions, FieldValue, Login};
pub use self::session_key::SessionKey;
pub use self::stats::{DocumentStats, DurationBucket, DurationStats, Stats};
#[cfg(feature = "redis")]
pub use self::store::RedisStore;
#[cfg(feature = "sqlite")]
pub use self::store::SqliteStore;
pub use self::store::{
    MAX_RECORD_BYTES, MemoryStore, NonceStore, SharedDocuments, Store, Taken, open_store,
};
pub use self::tls::{trust_extra_ca_file, trust_without_system};

/// The page about Rust, whose examples are tested.
#[cfg(doctest)]
#[doc = include_str!("../docs/getting-started-rust.md")]
struct GettingStarted;

/// The page about sessions, whose example in Rust is compiled.
#[cfg(doctest)]
#[doc = include_str!("../docs/sessions.md")]
struct Sessions;

/// The page about axum, whose examples are compiled.
#[cfg(doctest)]
#[doc = include_str!("../docs/frameworks/axum.md")]
struct Axum;
