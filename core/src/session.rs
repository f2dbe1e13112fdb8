//! A login: the options of its start, its record in the store, the callback, and the result.

use std::fmt;

use crate::config::Flow;
use crate::email::TypedEmail;
use crate::error::{BrokerAnswer, Code, Error, Result};
use crate::session_key::SessionKey;

/// The longest `session` text a caller may attach to a login, in bytes.
const MAX_SESSION_BYTES: usize = 4096;

/// The longest `state`, and the longest browser binding, in bytes.
const MAX_STATE_BYTES: usize = 4096;

/// The shortest browser binding, in bytes: 128 bits as URL-safe base64.
const MIN_BROWSER_BYTES: usize = 22;

/// The options of a new login.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthenticateOptions {
    /// The address as it was typed; without one, the broker asks for it.
    pub email: Option<String>,
    /// Text that travels through the browser and comes back untrusted; at most 4 KiB.
    pub state: Option<String>,
    /// Text of the application that the store keeps until the login completes, for example the page to
    /// return to; at most 4 KiB.
    pub session: Option<String>,
    /// A secret of this browser, for example from a cookie: at least 128 random bits in 22 to 4096 bytes.
    /// The login can then be completed only with the same secret, or if the person confirms it.
    pub browser: Option<String>,
    /// Another flow than the client's.
    pub(crate) flow: Option<WantedFlow>,
}

/// Which flow a login is to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WantedFlow {
    /// This one.
    Always(Flow),
    /// The code flow if the broker and the store support it.
    CodeIfPossible,
}

impl AuthenticateOptions {
    /// A login for an address, without other options.
    pub fn for_email(email: impl Into<String>) -> Self {
        Self {
            email: Some(email.into()),
            ..Self::default()
        }
    }

    /// The address, if it is the only value to keep, for stores that keep nothing else.
    pub(crate) fn only_email<'a>(&self, email: Option<TypedEmail<'a>>) -> Result<&'a str> {
        let problem = match (email, &self.session, &self.browser) {
            (Some(email), None, None) => return Ok(email.as_str()),
            (None, _, _) => "the store cannot keep a login without an address",
            (_, Some(_), _) => "the store cannot keep a session text",
            (_, _, Some(_)) => "the store cannot keep a binding to the browser",
        };
        Err(Error::new(Code::InvalidOption, problem))
    }

    /// Checks the lengths, so that no text of unlimited length reaches a store or a URL.
    pub(crate) fn check(&self) -> Result<()> {
        for (name, value, limit) in [
            ("state", &self.state, MAX_STATE_BYTES),
            ("session", &self.session, MAX_SESSION_BYTES),
            ("browser", &self.browser, MAX_STATE_BYTES),
        ] {
            let length = value.as_ref().map_or(0, String::len);
            if length > limit {
                return Err(Error::new(
                    Code::InvalidOption,
                    format_args!("{name} is too long limit={limit} bytes={length}"),
                ));
            }
        }
        let browser = self.browser.as_ref().map(String::len);
        match browser.filter(|bytes| *bytes < MIN_BROWSER_BYTES) {
            None => Ok(()),
            Some(bytes) => Err(Error::new(
                Code::InvalidOption,
                format_args!(
                    "browser is too short to be a secret; use 128 random bits or more \
                     least={MIN_BROWSER_BYTES} bytes={bytes}"
                ),
            )),
        }
    }
}

/// The options of a completion.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CompleteOptions<'a> {
    /// The secret of this browser. If it is given, a login completes only if it is bound to this browser,
    /// or if the person has confirmed.
    pub browser: Option<&'a str>,
    /// The confirmation of [`BrowserMismatch`](crate::BrowserMismatch) for the same token and secret, after
    /// the person has agreed to continue in this browser.
    pub confirmation: Option<&'a str>,
}

impl<'a> CompleteOptions<'a> {
    /// Completes a login in the browser with this secret.
    pub fn in_browser(secret: &'a str) -> Self {
        Self::default().browser(secret)
    }

    /// Sets the secret of this browser.
    #[must_use]
    pub fn browser(mut self, secret: &'a str) -> Self {
        self.browser = Some(secret);
        self
    }

    /// Sets the confirmation that the person has given.
    #[must_use]
    pub fn confirmation(mut self, confirmation: &'a str) -> Self {
        self.confirmation = Some(confirmation);
        self
    }

    /// Refuses a secret if the store keeps no bindings: a login would complete in any browser.
    pub(crate) fn check_unbound(&self) -> Result<()> {
        if self.browser.is_none() {
            return Ok(());
        }
        Err(Error::new(
            Code::InvalidOption,
            "the store cannot keep a binding to the browser",
        ))
    }
}

/// The parameters that a broker sends to the redirect URI.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallbackParams {
    /// The token, in the implicit flow.
    pub id_token: Option<String>,
    /// The code that stands for the token, in the code flow.
    pub code: Option<String>,
    /// The state given at the start; untrusted. In the code flow it names the login.
    pub state: Option<String>,
    /// An error code, instead of a token.
    pub error: Option<String>,
    /// The broker's explanation of the error.
    pub error_description: Option<String>,
}

impl CallbackParams {
    /// The names of the parameters; the fields are called the same.
    pub const NAMES: [&str; 5] = ["id_token", "code", "state", "error", "error_description"];

    /// Takes the parameters of the protocol from a decoded form, and ignores all others.
    ///
    /// # Errors
    /// [`Code::TokenMalformed`] when one of them is repeated (RFC 6749, section 3.1), or is a file.
    pub fn from_pairs<K, V>(pairs: impl IntoIterator<Item = (K, V)>) -> Result<Self>
    where
        K: AsRef<str>,
        V: Into<FieldValue>,
    {
        let mut params = Self::default();
        for (name, value) in pairs {
            let member = match name.as_ref() {
                "id_token" => &mut params.id_token,
                "code" => &mut params.code,
                "state" => &mut params.state,
                "error" => &mut params.error,
                "error_description" => &mut params.error_description,
                _ => continue,
            };
            let malformed = |problem| {
                let name = name.as_ref();
                let message = format_args!("callback parameter is {problem} name={name}");
                Error::new(Code::TokenMalformed, message)
            };
            let FieldValue::Text(text) = value.into() else {
                return Err(malformed("not text"));
            };
            if member.replace(text).is_some() {
                return Err(malformed("repeated"));
            }
        }
        Ok(params)
    }

    /// Reads what the broker has granted, or says why there is nothing.
    pub(crate) fn grant(&self) -> Result<Grant<'_>> {
        for (name, value) in [
            ("code", &self.code),
            ("state", &self.state),
            ("error", &self.error),
            ("error_description", &self.error_description),
        ] {
            if value
                .as_ref()
                .is_some_and(|value| value.len() > MAX_STATE_BYTES)
            {
                return Err(Error::new(
                    Code::TokenMalformed,
                    format_args!(
                        "callback parameter is too long name={name} limit={MAX_STATE_BYTES}"
                    ),
                ));
            }
        }
        if let Some(error) = filled(self.error.as_deref()) {
            return Err(Error::refused(BrokerAnswer {
                error: error.to_owned(),
                description: filled(self.error_description.as_deref()).map(str::to_owned),
            }));
        }
        let state = filled(self.state.as_deref());
        match (
            filled(self.id_token.as_deref()),
            filled(self.code.as_deref()),
            state,
        ) {
            // A code together with a token was not requested.
            (Some(id_token), _, state) => Ok(Grant::Token { id_token, state }),
            (None, Some(code), Some(state)) => Ok(Grant::Code { code, state }),
            (None, _, _) => Err(Error::new(
                Code::MissingToken,
                "the callback has no id_token, and no code with a state",
            )),
        }
    }
}

fn filled(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

/// What comes back from the broker through the browser.
pub(crate) enum Grant<'a> {
    Token {
        id_token: &'a str,
        state: Option<&'a str>,
    },
    Code {
        code: &'a str,
        state: &'a str,
    },
}

/// The value of a form field.
#[derive(Clone, PartialEq, Eq)]
pub enum FieldValue {
    /// Text.
    Text(String),
    /// Anything else, such as an uploaded file.
    NotText,
}

impl<T: Into<String>> From<T> for FieldValue {
    fn from(text: T) -> Self {
        Self::Text(text.into())
    }
}

/// A completed login.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Login {
    /// The verified address in normalized form. Use it unchanged as the key of the account.
    pub email: String,
    /// The address as it was typed. Do not use it as an identity: two people may type the same text.
    pub email_original: String,
    /// The application's own text from the start of the login.
    pub session: Option<String>,
    /// The state that came back; untrusted.
    pub state: Option<String>,
    /// When the token was issued, in seconds since 1970.
    pub issued_at: f64,
    /// When the broker last saw proof of the address, in seconds since 1970.
    pub auth_time: Option<f64>,
    /// Whether the login was bound to a browser and completed in it.
    pub same_browser: bool,
    /// The name of the login in the store.
    pub(crate) session_key: SessionKey,
}

macro_rules! redacted_debug {
    ($($name:ident),*) => {
        $(impl fmt::Debug for $name {
            /// Shows only the type: all values are personal or secret.
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        })*
    };
}

redacted_debug!(AuthenticateOptions, CallbackParams, FieldValue, Login);

impl fmt::Debug for CompleteOptions<'_> {
    /// Shows only the type, as above.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CompleteOptions")
            .finish_non_exhaustive()
    }
}
