//! The settings of a client, checked.

use std::time::Duration;

use crate::algorithm::Algorithm;
use crate::error::{Code, Error, Result};
use crate::origin::Origin;

/// How the broker sends its answer to the redirect URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ResponseMode {
    /// As a form the browser posts (OAuth 2.0 Form Post Response Mode).
    #[default]
    FormPost,
    /// In the fragment of the URL, for a script on the page to read.
    Fragment,
}

impl ResponseMode {
    /// The value of the `response_mode` parameter.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FormPost => "form_post",
            Self::Fragment => "fragment",
        }
    }
}

impl std::str::FromStr for ResponseMode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "form_post" => Ok(Self::FormPost),
            "fragment" => Ok(Self::Fragment),
            _ => Err(Error::new(
                Code::InvalidOption,
                "response_mode is neither form_post nor fragment",
            )),
        }
    }
}

/// The OpenID Connect flow of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Flow {
    /// The broker sends the token through the browser (OpenID Connect Core, section 3.2).
    #[default]
    Implicit,
    /// The broker sends a code through the browser, and gives the token for it to the site alone
    /// (OpenID Connect Core, section 3.1).
    Code,
}

impl Flow {
    /// The name of the option.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Implicit => "implicit",
            Self::Code => "code",
        }
    }
}

impl std::str::FromStr for Flow {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "implicit" => Ok(Self::Implicit),
            "code" => Ok(Self::Code),
            _ => Err(Error::new(
                Code::InvalidOption,
                "flow is neither implicit nor code",
            )),
        }
    }
}

/// A checked configuration.
pub(crate) struct Config {
    pub(crate) redirect_uri: String,
    pub(crate) client_id: String,
    /// Both of them, as they stand in the query of every authorization request.
    pub(crate) client_params: String,
    pub(crate) broker: Origin,
    pub(crate) flow: Flow,
    pub(crate) response_mode: ResponseMode,
    pub(crate) leeway: Duration,
    pub(crate) session_ttl: Duration,
    /// In order of preference, without duplicates.
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) idp: bool,
}
