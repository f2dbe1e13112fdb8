//! The Redis store against real servers, which the tests start, freeze, fill and kill.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail"
)]

mod chaos;
mod cluster;
mod doctor;
mod eviction;
mod faults;
mod logins;
mod once;
mod persistence;
mod proxies;
mod records;
mod refusals;
mod replicas;
mod scripted;
mod server;
mod sizes;
mod tls;
