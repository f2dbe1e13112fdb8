//! The errors that callers see.

mod details;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use self::details::Details;
pub use self::details::{BrokerAnswer, BrowserMismatch, ClaimReason};

/// The result of every fallible call in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the login protocol.
///
/// [`Error::code`] is stable and meant for programs; the message is for developers and never
/// contains a token, a nonce, a key or an e-mail address.
#[derive(Clone)]
pub struct Error {
    // In a box, because every result of a login has room for an error.
    parts: Box<Parts>,
}

#[derive(Clone)]
struct Parts {
    code: Code,
    message: Box<str>,
    details: Details,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// Makes an error. Messages are lowercase, begin with the fact, and end with values as `key=value`.
    pub fn new(code: Code, message: impl fmt::Display) -> Self {
        Self::with_details(code, message, Details::None)
    }

    fn with_details(code: Code, message: impl fmt::Display, details: Details) -> Self {
        Self {
            parts: Box::new(Parts {
                code,
                message: message.to_string().into_boxed_str(),
                details,
                source: None,
            }),
        }
    }

    /// Attaches the error that caused this one.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.parts.source = Some(Arc::from(source.into()));
        self
    }

    /// An error that the broker sent to the redirect URI.
    pub(crate) fn refused(answer: BrokerAnswer) -> Self {
        let message = "the broker answered with an error instead of a token";
        Self::with_details(
            Code::BrokerError,
            message,
            Details::Answer(Box::new(answer)),
        )
    }

    /// A login that was not started in this browser.
    pub(crate) fn other_browser(mismatch: BrowserMismatch) -> Self {
        let message = "the login was not started in this browser";
        let details = Details::Mismatch(Box::new(mismatch));
        Self::with_details(Code::SessionBrowser, message, details)
    }

    /// A login that was completed before.
    pub(crate) fn used(same_browser: bool) -> Self {
        let message = "the login was completed before";
        Self::with_details(Code::SessionUsed, message, Details::Used { same_browser })
    }

    /// A login of this site whose code the broker does not redeem.
    pub(crate) fn used_elsewhere(same_browser: bool) -> Self {
        let message = "the broker does not redeem the code: the login was completed by another process, or \
                       the code has expired, or was issued for another request";
        Self::with_details(Code::CodeRefused, message, Details::Used { same_browser })
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.parts.code
    }

    /// The class of the error.
    pub fn kind(&self) -> Kind {
        self.code().kind()
    }

    /// Whether the same call may succeed later without any change.
    pub fn retryable(&self) -> bool {
        matches!(self.kind(), Kind::BrokerUnavailable | Kind::StoreError)
    }

    /// Whether the login was started in this browser; only with [`Code::SessionUsed`]. It may have been
    /// completed in another browser, after the person confirmed that.
    pub fn same_browser(&self) -> bool {
        self.code() == Code::SessionUsed && self.is_of_same_browser()
    }

    /// Whether the login was started in this browser, and was completed before, or may have been in another
    /// process.
    pub(crate) fn is_of_same_browser(&self) -> bool {
        matches!(self.parts.details, Details::Used { same_browser: true })
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts {
            code,
            message,
            details,
            source,
        } = &*self.parts;
        formatter
            .debug_struct("Error")
            .field("code", code)
            .field("message", message)
            .field("details", details)
            .field("source", source)
            .finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.parts.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.parts
            .source
            .as_deref()
            .map(|source| source as &(dyn std::error::Error + 'static))
    }
}

/// The classes of errors; a caller acts on these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The client was configured with an unusable value.
    ConfigError,
    /// The address that a person typed is not a valid e-mail address.
    InvalidEmail,
    /// The broker answered with an error, or with a callback without a token.
    BrokerError,
    /// The broker's metadata, keys or token could not be fetched.
    BrokerUnavailable,
    /// The token is not valid for this client.
    InvalidToken,
    /// The token is valid, but no pending login matches it.
    InvalidSession,
    /// The session store failed.
    StoreError,
    /// The HTTP request cannot start or complete a login.
    InvalidRequest,
    /// The site refused the person of a completed login.
    LoginRefused,
    /// A bug in this library.
    InternalError,
}

impl Kind {
    /// The name of the class, the same in every language.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConfigError => "ConfigError",
            Self::InvalidEmail => "InvalidEmail",
            Self::BrokerError => "BrokerError",
            Self::BrokerUnavailable => "BrokerUnavailable",
            Self::InvalidToken => "InvalidToken",
            Self::InvalidSession => "InvalidSession",
            Self::StoreError => "StoreError",
            Self::InvalidRequest => "InvalidRequest",
            Self::LoginRefused => "LoginRefused",
            Self::InternalError => "InternalError",
        }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal in $kind:ident,)*) => {
        /// The stable codes of all errors.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// All codes.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as text, the same in every language.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Reads a code from its text.
            pub fn from_text(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.as_str() == text)
            }

            /// The class the code belongs to.
            pub fn kind(self) -> Kind {
                match self { $(Self::$name => Kind::$kind,)* }
            }

            /// Whether the broker, the store, this site or its clock is at fault, so that its operator has to act.
            /// All other codes are for invalid requests, which anybody can send.
            pub fn is_fault(self) -> bool {
                let kinds = [Kind::BrokerUnavailable, Kind::StoreError, Kind::InternalError];
                let codes = [Self::TokenClock, Self::TokenNotYetValid];
                kinds.contains(&self.kind()) || codes.contains(&self)
            }
        }
    };
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

codes! {
    /// The redirect URI is not an absolute `http` or `https` URL this client can use.
    InvalidRedirectUri = "invalid_redirect_uri" in ConfigError,
    /// The broker is not an origin.
    InvalidBroker = "invalid_broker" in ConfigError,
    /// Plain `http` where only `https` is allowed.
    InsecureUrl = "insecure_url" in ConfigError,
    /// An option has a value outside its range, or one that contradicts another.
    InvalidOption = "invalid_option" in ConfigError,
    /// The text is not a valid e-mail address.
    InvalidEmail = "invalid_email" in InvalidEmail,
    /// The broker answered with an error; see [`Error::broker_answer`].
    BrokerError = "broker_error" in BrokerError,
    /// The callback has no `id_token`.
    MissingToken = "missing_token" in BrokerError,
    /// The broker did not answer in time.
    BrokerTimeout = "broker_timeout" in BrokerUnavailable,
    /// The client could not connect to the broker.
    BrokerUnreachable = "broker_unreachable" in BrokerUnavailable,
    /// The broker answered with an unexpected HTTP status.
    BrokerStatus = "broker_status" in BrokerUnavailable,
    /// The broker answered with an invalid document.
    BrokerDocument = "broker_document" in BrokerUnavailable,
    /// The token is not a compact JWS of three base64url parts, or its payload not a JSON object.
    TokenMalformed = "token_malformed" in InvalidToken,
    /// The token is longer than 16 KiB.
    TokenTooLarge = "token_too_large" in InvalidToken,
    /// The token's header is not acceptable.
    TokenHeader = "token_header" in InvalidToken,
    /// The token's algorithm is not allowed, or does not match the key.
    TokenAlgorithm = "token_algorithm" in InvalidToken,
    /// The broker has no usable key with the token's key id.
    TokenKeyUnknown = "token_key_unknown" in InvalidToken,
    /// The token's signature is invalid.
    TokenSignature = "token_signature" in InvalidToken,
    /// The broker does not redeem the code: it has expired, was redeemed before, or is for another site
    /// or redirect URI.
    CodeRefused = "code_refused" in InvalidToken,
    /// The token was issued by another issuer.
    TokenIssuer = "token_issuer" in InvalidToken,
    /// The token was issued for another client.
    TokenAudience = "token_audience" in InvalidToken,
    /// The token has expired.
    TokenExpired = "token_expired" in InvalidToken,
    /// The token is not valid yet.
    TokenNotYetValid = "token_not_yet_valid" in InvalidToken,
    /// The token was issued before its login was started: a clock is wrong.
    TokenClock = "token_clock" in InvalidToken,
    /// A claim is missing or has an invalid value.
    TokenClaim = "token_claim" in InvalidToken,
    /// The login was not started here, or has expired.
    SessionUnknown = "session_unknown" in InvalidSession,
    /// The login was started here, and has expired. Only clients with a secret can tell.
    SessionExpired = "session_expired" in InvalidSession,
    /// None of the client's secrets opens the login.
    SessionSealed = "session_sealed" in InvalidSession,
    /// The login was completed before; see [`Error::same_browser`].
    SessionUsed = "session_used" in InvalidSession,
    /// The login was started for another address.
    SessionEmail = "session_email" in InvalidSession,
    /// The login was not started in this browser; see [`Error::browser_mismatch`].
    SessionBrowser = "session_browser" in InvalidSession,
    /// The store is unreachable, or cannot serve requests at present.
    StoreUnavailable = "store_unavailable" in StoreError,
    /// The store has reached its limit of pending logins, or has no memory left.
    StoreFull = "store_full" in StoreError,
    /// The store answered with an error or with an invalid record.
    StoreFailed = "store_failed" in StoreError,
    /// The login form was sent by a page of another site, or the browser does not tell by which page.
    RequestOrigin = "request_origin" in InvalidRequest,
    /// The request has no URL-encoded form.
    RequestForm = "request_form" in InvalidRequest,
    /// The form is larger than 64 KiB.
    RequestTooLarge = "request_too_large" in InvalidRequest,
    /// The redirect URI was requested with a method that completes no login.
    RequestMethod = "request_method" in InvalidRequest,
    /// The browser does not keep the cookies of this site, or a proxy removes them.
    RequestCookies = "request_cookies" in InvalidRequest,
    /// The site has no account with the address of a completed login.
    AccountUnknown = "account_unknown" in LoginRefused,
    /// The site does not sign in the person of a completed login.
    AccountRefused = "account_refused" in LoginRefused,
    /// A bug in this library; please report it.
    Internal = "internal" in InternalError,
}

/// A path for a message: in one line, with escaped control characters.
pub(crate) fn shown_path(path: &Path) -> String {
    let mut text = String::new();
    for character in path.to_string_lossy().chars() {
        if character.is_control() {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique() {
        let mut texts: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), Code::ALL.len());
    }

    #[test]
    fn codes_are_read_from_their_texts() {
        for code in Code::ALL {
            assert_eq!(Code::from_text(code.as_str()), Some(*code));
        }
        assert_eq!(Code::from_text("Internal"), None);
    }

    #[test]
    fn only_broker_and_store_failures_are_retryable() {
        assert!(Error::new(Code::BrokerTimeout, "").retryable());
        assert!(Error::new(Code::StoreFull, "").retryable());
        assert!(!Error::new(Code::SessionUsed, "").retryable());
    }
}
