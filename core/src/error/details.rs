//! Facts about an error that only some codes have.

use std::fmt;
use std::time::Duration;

use super::{Code, Error, Kind};

/// Facts that only some codes have.
#[derive(Clone, Debug)]
pub(super) enum Details {
    None,
    Answer(Box<BrokerAnswer>),
    Mismatch(Box<BrowserMismatch>),
    Used {
        same_browser: bool,
    },
    Claim {
        name: &'static str,
        reason: ClaimReason,
    },
    Broker {
        status: Option<u16>,
        retry_after: Option<Duration>,
    },
}

impl Error {
    /// The `error` and `error_description` that the broker sent; only with [`Code::BrokerError`]. The text
    /// is untrusted: escape it before showing it.
    pub fn broker_answer(&self) -> Option<&BrokerAnswer> {
        match &self.parts.details {
            Details::Answer(answer) => Some(answer),
            _ => None,
        }
    }

    /// The login that was started in another browser, and how to complete it in this one; only with
    /// [`Code::SessionBrowser`].
    pub fn browser_mismatch(&self) -> Option<&BrowserMismatch> {
        match &self.parts.details {
            Details::Mismatch(mismatch) => Some(mismatch),
            _ => None,
        }
    }

    /// The name of the claim because of which the token was refused, such as `exp`.
    pub fn claim(&self) -> Option<&'static str> {
        match self.parts.details {
            Details::Claim { name, .. } => Some(name),
            _ => None,
        }
    }

    /// What is wrong with [`Error::claim`].
    pub fn claim_reason(&self) -> Option<ClaimReason> {
        match self.parts.details {
            Details::Claim { reason, .. } => Some(reason),
            _ => None,
        }
    }

    /// The HTTP status of the broker; only with [`Code::BrokerStatus`].
    pub fn status(&self) -> Option<u16> {
        match self.parts.details {
            Details::Broker { status, .. } => status,
            _ => None,
        }
    }

    /// How long the client sends no further request for the document that could not be fetched. Calls until
    /// then fail with the same error.
    pub fn retry_after(&self) -> Option<Duration> {
        match self.parts.details {
            Details::Broker { retry_after, .. } => retry_after,
            _ => None,
        }
    }

    /// A claim of a token was refused.
    pub(crate) fn refused_claim(
        code: Code,
        name: &'static str,
        reason: ClaimReason,
        message: impl fmt::Display,
    ) -> Self {
        Self::with_details(code, message, Details::Claim { name, reason })
    }

    #[must_use]
    pub(crate) fn with_status(mut self, status: u16) -> Self {
        let retry_after = self.retry_after();
        let status = Some(status);
        self.parts.details = Details::Broker {
            status,
            retry_after,
        };
        self
    }

    /// Adds how long no request is sent to a broker that is unavailable.
    #[must_use]
    pub(crate) fn with_retry_after(mut self, pause: Duration) -> Self {
        if self.kind() != Kind::BrokerUnavailable {
            return self;
        }
        let status = self.status();
        let retry_after = Some(pause);
        self.parts.details = Details::Broker {
            status,
            retry_after,
        };
        self
    }
}

/// Why a claim was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClaimReason {
    /// The token does not have the claim.
    Missing,
    /// The claim has the wrong type or format.
    Invalid,
    /// The claim has another value than the client expects.
    CheckFailed,
}

impl ClaimReason {
    /// The reason as text, the same in every language.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Invalid => "invalid",
            Self::CheckFailed => "check_failed",
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
