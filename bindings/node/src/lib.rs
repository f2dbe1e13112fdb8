//! The addon of the npm package `portier-client`: it converts types and errors. The rules of the protocol
//! are in the core.
//!
//! All exports are private to the package. Its TypeScript checks types, names options, and creates the error
//! objects.
#![deny(unsafe_code)]
#![cfg_attr(
    test,
    allow(dead_code, reason = "napi exports nothing from a test build")
)]
#![expect(unreachable_pub, reason = "napi exports what is `pub`, wherever it is")]
#![expect(
    clippy::needless_pass_by_value,
    reason = "napi converts arguments to values that are owned"
)]

mod authorities;
mod call;
mod client;
mod closable;
mod completions;
mod current_call;
mod doctor;
mod events;
mod failure;
mod flow_sessions;
mod ids;
mod login;
mod metrics;
mod options;
mod runtime;
mod session;
mod stats;
mod step;
mod store;
mod testing;
mod thrown;
mod turn;
mod web;

use napi::bindgen_prelude::Either;
use napi_derive::napi;
use portier_client::{CallbackParams, Code, Error};

use self::failure::Failure;

/// The version of the addon, and of the package.
#[napi]
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The normalized form of an e-mail address.
#[napi(catch_unwind)]
pub fn normalize_email(text: String) -> Either<String, Failure> {
    failure::either(portier_client::normalize_email(&text))
}

/// The page to return to after a login, or null if a redirect to it could leave the site.
#[napi(catch_unwind)]
pub fn safe_next(text: String, allowed_hosts: Vec<String>) -> Option<String> {
    let hosts: Vec<&str> = allowed_hosts.iter().map(String::as_str).collect();
    portier_client::safe_next(&text, &hosts)
}

/// The names of the parameters of a callback.
#[napi(catch_unwind)]
pub fn callback_names() -> Vec<&'static str> {
    CallbackParams::NAMES.to_vec()
}

/// An error code, with its class.
#[napi(object, object_from_js = false)]
pub struct CodeInfo {
    /// The stable code.
    pub code: &'static str,
    /// The name of its class.
    pub kind: &'static str,
    /// Whether the same call may succeed later.
    pub retryable: bool,
    /// Whether it is a fault that the operator of a site has to mend.
    pub fault: bool,
}

/// All error codes.
#[napi(catch_unwind)]
pub fn codes() -> Vec<CodeInfo> {
    Code::ALL
        .iter()
        .map(|&code| CodeInfo {
            code: code.as_str(),
            kind: code.kind().as_str(),
            retryable: Error::new(code, "").retryable(),
            fault: code.is_fault(),
        })
        .collect()
}
