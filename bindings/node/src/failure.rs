//! Errors of the core as plain objects. The package makes instances of its classes of them.

use std::error::Error as StdError;
use std::time::Duration;

use napi::bindgen_prelude::Either;
use napi_derive::napi;
use portier_client::{ClaimReason, Error};

use crate::thrown::Thrown;

/// An error of the core, for JavaScript.
#[napi(object, object_from_js = false, use_nullable = true)]
pub struct Failure {
    /// The stable code.
    pub code: &'static str,
    /// The message for developers.
    pub message: String,
    /// The broker's error code, if it refused the login.
    pub error: Option<String>,
    /// The broker's explanation, if it gave one.
    pub error_description: Option<String>,
    /// The verified address, if the login was started in another browser.
    pub email: Option<String>,
    /// The confirmation that completes such a login in this browser.
    pub confirmation: Option<String>,
    /// Whether a login that was completed before is bound to this browser.
    pub same_browser: bool,
    /// The claim because of which a token was refused.
    pub claim: Option<&'static str>,
    /// What is wrong with that claim.
    pub reason: Option<&'static str>,
    /// The HTTP status of the broker, if it is not a success.
    pub status: Option<u16>,
    /// How long the client does not ask the broker again.
    pub retry_after_seconds: Option<f64>,
    /// The causes, nearest first.
    pub causes: Vec<Cause>,
    /// The id of the value that a store threw, which is the last cause.
    pub thrown: Option<f64>,
}

/// A cause of an error.
#[napi(object, object_from_js = false, use_nullable = true)]
pub struct Cause {
    /// The code, if the cause is an error of the core as well.
    pub code: Option<&'static str>,
    /// The message for developers.
    pub message: String,
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        let answer = error.broker_answer();
        let mismatch = error.browser_mismatch();
        Self {
            code: error.code().as_str(),
            message: error.to_string(),
            error: answer.map(|answer| answer.error.clone()),
            error_description: answer.and_then(|answer| answer.description.clone()),
            email: mismatch.map(|mismatch| mismatch.email.clone()),
            confirmation: mismatch.and_then(|mismatch| mismatch.confirmation.clone()),
            same_browser: error.same_browser(),
            claim: error.claim(),
            reason: error.claim_reason().map(ClaimReason::as_str),
            status: error.status(),
            retry_after_seconds: error.retry_after().as_ref().map(Duration::as_secs_f64),
            causes: causes(error),
            thrown: chain(error)
                .find_map(|cause| cause.downcast_ref::<Thrown>())
                .map(Thrown::claim),
        }
    }
}

/// Makes the return value of a function that does not wait.
pub(crate) fn either<T>(outcome: portier_client::Result<T>) -> Either<T, Failure> {
    match outcome {
        Ok(value) => Either::A(value),
        Err(error) => Either::B(Failure::from(&error)),
    }
}

fn causes(error: &Error) -> Vec<Cause> {
    chain(error)
        .filter(|cause| !cause.is::<Thrown>())
        .map(|cause| Cause {
            code: cause
                .downcast_ref::<Error>()
                .map(|error| error.code().as_str()),
            message: cause.to_string(),
        })
        .collect()
}

fn chain(error: &Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}
