//! What can go wrong, as the caller sees it.

use std::fmt;
use std::sync::Arc;

use crate::session_key::SessionKey;

/// The result of every fallible call in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the login protocol.
///
/// [`Error::code`] is stable and meant for programs; the message is for developers and never
/// contains a token, a nonce, a key or an e-mail address.
#[derive(Clone, Debug)]
pub struct Error {
    code: Code,
    message: Box<str>,
    details: Details,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// What belongs to some codes only.
#[derive(Clone, Debug)]
enum Details {
    None,
    Answer(Box<BrokerAnswer>),
    Mismatch(Box<BrowserMismatch>),
    Used {
        same_browser: bool,
        session: SessionKey,
    },
}

impl Error {
    /// Makes an error from its code and a message in the house's form: lowercase, the fact first,
    /// values last as `key=value`.
    pub fn new(code: Code, message: impl fmt::Display) -> Self {
        Self {
            code,
            message: message.to_string().into_boxed_str(),
            details: Details::None,
            source: None,
        }
    }

    /// Attaches the error that caused this one.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// The broker's own refusal, as it came to the redirect URI.
    pub(crate) fn refused(answer: BrokerAnswer) -> Self {
        Self {
            code: Code::BrokerError,
            message: "the broker answered with an error instead of a token".into(),
            details: Details::Answer(Box::new(answer)),
            source: None,
        }
    }

    /// A login that was not started in this browser.
    pub(crate) fn other_browser(mismatch: BrowserMismatch) -> Self {
        Self {
            code: Code::SessionBrowser,
            message: "the login was not started in this browser".into(),
            details: Details::Mismatch(Box::new(mismatch)),
            source: None,
        }
    }

    /// A login that was completed before.
    pub(crate) fn used(same_browser: bool, session: SessionKey) -> Self {
        Self {
            code: Code::SessionUsed,
            message: "the login was completed before".into(),
            details: Details::Used {
                same_browser,
                session,
            },
            source: None,
        }
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The class of the error.
    pub fn kind(&self) -> Kind {
        self.code.kind()
    }

    /// Whether the same call may succeed later without any change.
    pub fn retryable(&self) -> bool {
        matches!(self.kind(), Kind::BrokerUnavailable | Kind::StoreError)
    }

    /// What the broker posted as `error` and `error_description`; only with
    /// [`Code::BrokerError`]. Untrusted text: escape it before showing it.
    pub fn broker_answer(&self) -> Option<&BrokerAnswer> {
        match &self.details {
            Details::Answer(answer) => Some(answer),
            _ => None,
        }
    }

    /// Whose login it is that was started in another browser, and how to go on with it in this one;
    /// only with [`Code::SessionBrowser`].
    pub fn browser_mismatch(&self) -> Option<&BrowserMismatch> {
        match &self.details {
            Details::Mismatch(mismatch) => Some(mismatch),
            _ => None,
        }
    }

    /// Whether the login was started in this browser; only ever with [`Code::SessionUsed`]. It may have
    /// been completed in another one, where its person has confirmed that.
    pub fn same_browser(&self) -> bool {
        matches!(
            self.details,
            Details::Used {
                same_browser: true,
                ..
            }
        )
    }

    /// The login that was completed before; only with [`Code::SessionUsed`].
    pub(crate) fn used_session(&self) -> Option<&SessionKey> {
        match &self.details {
            Details::Used { session, .. } => Some(session),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn std::error::Error + 'static))
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

/// A login that was started in another browser than the one that is to complete it, as when mail is
/// opened on another device.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BrowserMismatch {
    /// The verified address in normalized form.
    pub email: String,
    /// What completes the login in this browser all the same, with
    /// [`CompleteOptions::confirmation`](crate::CompleteOptions::confirmation); `None` if no secret
    /// of this browser was given. Only the person may decide it: an attacker can have any browser
    /// send the answer to a login of his own.
    pub confirmation: Option<String>,
}

impl fmt::Debug for BrokerAnswer {
    /// Leaves the explanation out, which may say whose mail could not be sent.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BrokerAnswer")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for BrowserMismatch {
    /// Tells the type and nothing else: all of it is personal or secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("BrowserMismatch")
            .finish_non_exhaustive()
    }
}

/// The classes of errors; a caller acts on these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The client was configured with something that cannot work.
    ConfigError,
    /// The address a person typed could never receive mail.
    InvalidEmail,
    /// The broker refused, or sent a callback without a token.
    BrokerError,
    /// The broker's documents could not be had.
    BrokerUnavailable,
    /// The token is not one this client accepts.
    InvalidToken,
    /// The token is genuine, but not the answer to a login that is pending here.
    InvalidSession,
    /// The session store failed.
    StoreError,
    /// The request was none that a login can start or end with.
    InvalidRequest,
    /// A defect in this library.
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
            /// Every code there is.
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
        }
    };
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
    /// The text could never be an e-mail address.
    InvalidEmail = "invalid_email" in InvalidEmail,
    /// The broker answered with an error; see [`Error::broker_answer`].
    BrokerError = "broker_error" in BrokerError,
    /// The callback has no `id_token`.
    MissingToken = "missing_token" in BrokerError,
    /// The broker did not answer in time.
    BrokerTimeout = "broker_timeout" in BrokerUnavailable,
    /// No connection to the broker.
    BrokerUnreachable = "broker_unreachable" in BrokerUnavailable,
    /// The broker answered with an HTTP status that is not a success.
    BrokerStatus = "broker_status" in BrokerUnavailable,
    /// The broker answered with a document that cannot be used.
    BrokerDocument = "broker_document" in BrokerUnavailable,
    /// The token is not a compact JWS of three base64url parts, or its payload not a JSON object.
    TokenMalformed = "token_malformed" in InvalidToken,
    /// The token is longer than 16 KiB.
    TokenTooLarge = "token_too_large" in InvalidToken,
    /// The token's header is not one this client accepts.
    TokenHeader = "token_header" in InvalidToken,
    /// The token's algorithm is not allowed, or does not fit the key.
    TokenAlgorithm = "token_algorithm" in InvalidToken,
    /// The broker has no usable key with the token's key id.
    TokenKeyUnknown = "token_key_unknown" in InvalidToken,
    /// The signature does not hold.
    TokenSignature = "token_signature" in InvalidToken,
    /// The broker does not redeem the code: it has expired, was redeemed before, or is for another site
    /// or redirect URI.
    CodeRefused = "code_refused" in InvalidToken,
    /// The token was issued by someone else.
    TokenIssuer = "token_issuer" in InvalidToken,
    /// The token was issued for someone else.
    TokenAudience = "token_audience" in InvalidToken,
    /// The token has expired.
    TokenExpired = "token_expired" in InvalidToken,
    /// The token is not valid yet.
    TokenNotYetValid = "token_not_yet_valid" in InvalidToken,
    /// The token was issued before its login was started, which only a wrong clock can say.
    TokenClock = "token_clock" in InvalidToken,
    /// A claim is missing or has a value that is not allowed.
    TokenClaim = "token_claim" in InvalidToken,
    /// The login was not started here, or has expired.
    SessionUnknown = "session_unknown" in InvalidSession,
    /// The login was completed before; see [`Error::same_browser`].
    SessionUsed = "session_used" in InvalidSession,
    /// The login was started for another address.
    SessionEmail = "session_email" in InvalidSession,
    /// The login was not started in this browser; see [`Error::browser_mismatch`].
    SessionBrowser = "session_browser" in InvalidSession,
    /// The store cannot be reached.
    StoreUnavailable = "store_unavailable" in StoreError,
    /// The store holds as many pending logins as it may.
    StoreFull = "store_full" in StoreError,
    /// The store answered with an error or with something it was never given.
    StoreFailed = "store_failed" in StoreError,
    /// The login form was sent by a page of another site, or the browser does not say by which.
    RequestOrigin = "request_origin" in InvalidRequest,
    /// The request has no form that is URL-encoded.
    RequestForm = "request_form" in InvalidRequest,
    /// The form is larger than 64 KiB.
    RequestTooLarge = "request_too_large" in InvalidRequest,
    /// The method of a request to the redirect URI completes no login.
    RequestMethod = "request_method" in InvalidRequest,
    /// The browser does not keep the cookies of this site.
    RequestCookies = "request_cookies" in InvalidRequest,
    /// A defect in this library; please report it.
    Internal = "internal" in InternalError,
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
