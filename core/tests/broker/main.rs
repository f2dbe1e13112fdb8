//! Whole logins over HTTP, through the development broker and the transport clients really use.
#![cfg(feature = "testing")]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod keys;
mod load;
mod login;
mod outage;
mod server;
mod site;
