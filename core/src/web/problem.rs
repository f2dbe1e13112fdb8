//! The message for a person when a login fails.

use std::fmt;

use crate::error::{Code, Kind};

/// Seconds after which a failed broker or store may be tried again.
const RETRY_AFTER_SECONDS: u32 = 30;

/// A failed login, described for the person at the browser.
///
/// `title` and `text` contain nothing of the request, because anybody can post any
/// `error_description` to the redirect URI.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The kind of the problem.
    pub id: ProblemId,
    /// The HTTP status.
    pub status: u16,
    /// A few words.
    pub title: String,
    /// A sentence or two: what happened, and what to do.
    pub text: String,
    /// Seconds to wait before another attempt, for the header `Retry-After`; `None` if waiting does
    /// not help.
    pub retry_after: Option<u32>,
    /// The language of `title` and `text`, such as `en`.
    pub language: String,
    /// What was typed into the login form as the address, to show the form again with it; `None` if the
    /// problem is not about a login form with an address. It can be any text: escape it.
    pub typed_email: Option<String>,
    /// The field `next` of that login form, if it is an allowed redirect target.
    pub next: Option<String>,
}

impl fmt::Debug for Problem {
    /// Omits what was typed, which is personal.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Problem")
            .field("id", &self.id)
            .field("status", &self.status)
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}

macro_rules! problem_ids {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $status:literal;)*) => {
        /// The kind of a problem. Each has a stable name, a status, and two texts in every
        /// language.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum ProblemId {
            $($(#[$doc])* $name,)*
        }

        impl ProblemId {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The stable name, such as `over` or `broker_unavailable`.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $id,)*
                }
            }

            /// The HTTP status.
            pub fn status(self) -> u16 {
                match self {
                    $(Self::$name => $status,)*
                }
            }
        }
    };
}

problem_ids! {
    /// The text is no e-mail address.
    InvalidEmail = "invalid_email", 400;
    /// The login was started in another browser.
    OtherBrowser = "other_browser", 400;
    /// The login was completed before.
    Used = "used", 400;
    /// The login has expired, or was never started here.
    Over = "over", 400;
    /// The broker did not confirm the address.
    NotConfirmed = "not_confirmed", 400;
    /// The person cancelled the login.
    Cancelled = "cancelled", 403;
    /// The broker does not answer.
    BrokerUnavailable = "broker_unavailable", 503;
    /// The store does not answer.
    NotPossible = "not_possible", 503;
    /// The clocks of site and broker differ.
    ClocksDiffer = "clocks_differ", 503;
    /// A configuration error of the site.
    Internal = "internal", 500;
    /// The form was sent by a page of another site.
    OtherSite = "other_site", 403;
    /// The request is not a form.
    NotAForm = "not_a_form", 415;
    /// The request is too large.
    TooLarge = "too_large", 413;
    /// This URL accepts only other methods.
    PostOnly = "post_only", 405;
    /// The browser keeps no cookies.
    CookiesNeeded = "cookies_needed", 400;
    /// The page is for people who are signed in.
    NotSignedIn = "not_signed_in", 401;
    /// The site has no account with the address.
    AccountUnknown = "account_unknown", 403;
    /// The account with the address must not sign in.
    AccountRefused = "account_refused", 403;
}

impl ProblemId {
    /// The problem for an error. `broker_error` is the error code of the broker's answer.
    pub fn of(code: Code, broker_error: Option<&str>) -> Self {
        match code {
            Code::TokenClock | Code::TokenNotYetValid => Self::ClocksDiffer,
            Code::TokenExpired | Code::CodeRefused => Self::Over,
            Code::SessionBrowser => Self::OtherBrowser,
            Code::SessionUsed => Self::Used,
            Code::RequestOrigin => Self::OtherSite,
            Code::RequestForm => Self::NotAForm,
            Code::RequestTooLarge => Self::TooLarge,
            Code::RequestMethod => Self::PostOnly,
            Code::RequestCookies => Self::CookiesNeeded,
            Code::AccountUnknown => Self::AccountUnknown,
            code => match code.kind() {
                Kind::InvalidEmail => Self::InvalidEmail,
                Kind::InvalidSession => Self::Over,
                Kind::BrokerError if broker_error == Some("access_denied") => Self::Cancelled,
                Kind::BrokerError | Kind::InvalidToken => Self::NotConfirmed,
                Kind::BrokerUnavailable => Self::BrokerUnavailable,
                Kind::StoreError => Self::NotPossible,
                Kind::LoginRefused => Self::AccountRefused,
                Kind::ConfigError | Kind::InternalError | Kind::InvalidRequest => Self::Internal,
            },
        }
    }

    /// Seconds to wait before another attempt; `None` if waiting does not help.
    pub fn retry_after(self) -> Option<u32> {
        (self.status() == 503).then_some(RETRY_AFTER_SECONDS)
    }
}

impl fmt::Display for ProblemId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
