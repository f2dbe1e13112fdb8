//! What a person is told when a login fails.

use crate::error::{Code, Kind};

/// Seconds after which a broker or a store in trouble may be asked again.
const RETRY_AFTER_SECONDS: u32 = 30;

/// A failed login in words for the person in front of the browser.
///
/// Nothing of what came with the request is repeated in it: anybody can post any `error_description` to
/// the redirect URI.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// A stable name, such as `over` or `broker_unavailable`.
    pub id: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// A few words.
    pub title: String,
    /// A sentence or two: what happened, and what to do.
    pub text: String,
    /// Seconds after which it may work, as the header `Retry-After` says; `None` where waiting does
    /// not help.
    pub retry_after: Option<u32>,
    /// The language of `title` and `text`, such as `en`.
    pub language: String,
}

/// A kind of problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ProblemKind {
    pub(super) id: &'static str,
    pub(super) status: u16,
}

impl ProblemKind {
    /// Every kind there is, in no order.
    #[cfg(test)]
    pub(super) const ALL: [Self; 15] = [
        CANCELLED,
        CLOCKS_DIFFER,
        BROKER_UNAVAILABLE,
        COOKIES_NEEDED,
        INTERNAL,
        INVALID_EMAIL,
        NOT_A_FORM,
        NOT_CONFIRMED,
        NOT_POSSIBLE,
        OTHER_BROWSER,
        OTHER_SITE,
        OVER,
        POST_ONLY,
        TOO_LARGE,
        USED,
    ];

    /// `broker_error` is the error code that the broker has posted.
    pub(super) fn of(code: Code, broker_error: Option<&str>) -> Self {
        match code {
            Code::TokenClock | Code::TokenNotYetValid => CLOCKS_DIFFER,
            Code::TokenExpired | Code::CodeRefused => OVER,
            Code::SessionBrowser => OTHER_BROWSER,
            Code::SessionUsed => USED,
            Code::RequestOrigin => OTHER_SITE,
            Code::RequestForm => NOT_A_FORM,
            Code::RequestTooLarge => TOO_LARGE,
            Code::RequestMethod => POST_ONLY,
            Code::RequestCookies => COOKIES_NEEDED,
            code => match code.kind() {
                Kind::InvalidEmail => INVALID_EMAIL,
                Kind::InvalidSession => OVER,
                Kind::BrokerError if broker_error == Some("access_denied") => CANCELLED,
                Kind::BrokerError | Kind::InvalidToken => NOT_CONFIRMED,
                Kind::BrokerUnavailable => BROKER_UNAVAILABLE,
                Kind::StoreError => NOT_POSSIBLE,
                Kind::ConfigError | Kind::InternalError | Kind::InvalidRequest => INTERNAL,
            },
        }
    }

    pub(super) fn retry_after(self) -> Option<u32> {
        (self.status == 503).then_some(RETRY_AFTER_SECONDS)
    }
}

const BROKER_UNAVAILABLE: ProblemKind = kind("broker_unavailable", 503);
const CANCELLED: ProblemKind = kind("cancelled", 403);
const CLOCKS_DIFFER: ProblemKind = kind("clocks_differ", 503);
const COOKIES_NEEDED: ProblemKind = kind("cookies_needed", 400);
const INTERNAL: ProblemKind = kind("internal", 500);
const INVALID_EMAIL: ProblemKind = kind("invalid_email", 400);
const NOT_A_FORM: ProblemKind = kind("not_a_form", 415);
const NOT_CONFIRMED: ProblemKind = kind("not_confirmed", 400);
const NOT_POSSIBLE: ProblemKind = kind("not_possible", 503);
const OTHER_BROWSER: ProblemKind = kind("other_browser", 400);
const OTHER_SITE: ProblemKind = kind("other_site", 403);
const OVER: ProblemKind = kind("over", 400);
const POST_ONLY: ProblemKind = kind("post_only", 405);
const TOO_LARGE: ProblemKind = kind("too_large", 413);
const USED: ProblemKind = kind("used", 400);

const fn kind(id: &'static str, status: u16) -> ProblemKind {
    ProblemKind { id, status }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_is_a_problem_that_is_known() {
        for code in Code::ALL {
            let found = ProblemKind::of(*code, None);
            assert!(ProblemKind::ALL.contains(&found), "{code:?}");
        }
    }
}
