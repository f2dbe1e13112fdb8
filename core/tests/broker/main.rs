//! Logins over HTTP, with the development broker and the real transport.
#![cfg(feature = "testing")]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod keys;
mod load;
mod login;
mod outage;
mod server;
mod site;
