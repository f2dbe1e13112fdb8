//! Facts about an error that only some codes have.

use std::fmt;

use super::Error;
use crate::session_key::SessionKey;

/// Facts that only some codes have.
#[derive(Clone, Debug)]
pub(super) enum Details {
    None,
    Answer(Box<BrokerAnswer>),
    Mismatch(Box<BrowserMismatch>),
    Used {
        same_browser: bool,
        session: SessionKey,
    },
}

impl Error {
    /// The `error` and `error_description` that the broker sent; only with [`Code::BrokerError`]. The text
    /// is untrusted: escape it before showing it.
    pub fn broker_answer(&self) -> Option<&BrokerAnswer> {
        match &self.details {
            Details::Answer(answer) => Some(answer),
            _ => None,
        }
    }

    /// The login that was started in another browser, and how to complete it in this one; only with
    /// [`Code::SessionBrowser`].
    pub fn browser_mismatch(&self) -> Option<&BrowserMismatch> {
        match &self.details {
            Details::Mismatch(mismatch) => Some(mismatch),
            _ => None,
        }
    }
}

/// The `error` and `error_description` a broker sent to the redirect URI (OpenID Connect Core,
/// section 3.2.2.6).
#[derive(Clone, PartialEq, Eq)]
pub struct BrokerAnswer {
    /// The error code, for example `access_denied`.
    pub error: String,
    /// The broker's explanation, if it gave one.
    pub description: Option<String>,
}

/// A login that was started in another browser, for example because the mail was opened on another
/// device.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BrowserMismatch {
    /// The verified address in normalized form.
    pub email: String,
    /// Completes the login in this browser anyway, as
    /// [`CompleteOptions::confirmation`](crate::CompleteOptions::confirmation); `None` if no secret
    /// of this browser was given. Only the person may decide that: an attacker can make any browser
    /// send the answer to a login of the attacker.
    pub confirmation: Option<String>,
}

impl fmt::Debug for BrokerAnswer {
    /// Omits the explanation, which may contain an address.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BrokerAnswer")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for BrowserMismatch {
    /// Shows only the type: all values are personal or secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BrowserMismatch")
            .finish_non_exhaustive()
    }
}
