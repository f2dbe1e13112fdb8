//! Logins over HTTP, with the development broker and the real transport.
#![cfg(feature = "testing")]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod command;
mod inbox;
mod keys;
mod load;
mod login;
mod modes;
mod outage;
mod server;
mod site;
mod time;
