//! The broker's discovery document (OpenID Connect Discovery 1.0, sections 3 and 4).

use url::Url;

use crate::error::{Code, Error, Result};
use crate::json::{Object, Value};
use crate::origin::{Origin, parse_url};

/// The path of the document.
pub(crate) const DISCOVERY_PATH: &str = "/.well-known/openid-configuration";

/// Why a document is refused that another server has sent, or a proxy.
const PAGE: &str =
    "it is a web page; check the option broker, and whether something else answers in its place";

/// The maximum length of a refused value in an error message.
const MAX_CHARS_SHOWN: usize = 200;

/// The part of the document that a relying party needs.
#[derive(Debug)]
pub(crate) struct Discovery {
    pub(crate) authorization_endpoint: Url,
    pub(crate) jwks_uri: Url,
    /// Where codes are redeemed; `None` when the broker names no usable URL.
    pub(crate) token_endpoint: Option<Url>,
    /// `None` when the broker lists none.
    pub(crate) response_types: Option<Vec<String>>,
    /// Whether the broker knows PKCE with S256 (RFC 7636).
    pub(crate) has_pkce: bool,
    /// `None` when the broker lists none.
    pub(crate) response_modes: Option<Vec<String>>,
    /// `None` when the broker lists none.
    pub(crate) signing_algorithms: Option<Vec<String>>,
    /// Whether a client can request an algorithm; an extension of Portier.
    pub(crate) accepts_signing_alg_param: bool,
    /// The document as received.
    pub(crate) raw: String,
}

impl Discovery {
    /// Parses the document of `broker`. Optional members may be missing, but all members must have the right
    /// type.
    ///
    /// # Errors
    /// [`Code::BrokerDocument`].
    pub(crate) fn parse(body: &[u8], broker: &Origin) -> Result<Self> {
        let object = Object::parse(body).map_err(|reason| {
            let is_page = body.trim_ascii_start().starts_with(b"<");
            refused("document", if is_page { PAGE } else { reason })
        })?;
        let members = Members { object, broker };
        members.check_issuer()?;
        Ok(Self {
            authorization_endpoint: members.endpoint("authorization_endpoint")?,
            jwks_uri: members.endpoint("jwks_uri")?,
            // A site that uses no codes does not need the endpoint.
            token_endpoint: members.endpoint("token_endpoint").ok(),
            response_types: members.list("response_types_supported")?,
            has_pkce: lists(
                members.list("code_challenge_methods_supported")?.as_ref(),
                "S256",
            ),
            response_modes: members.list("response_modes_supported")?,
            signing_algorithms: members.list("id_token_signing_alg_values_supported")?,
            accepts_signing_alg_param: members
                .flag("accepts_id_token_signing_alg_query_param")?
                .unwrap_or(false),
            raw: String::from_utf8_lossy(body).into_owned(),
        })
    }
}

impl Discovery {
    /// Where to redeem codes, if the broker says that it sends them in the query of the redirect URI.
    pub(crate) fn code_endpoint(&self) -> Option<&Url> {
        let sends_codes = lists(self.response_types.as_ref(), "code")
            && lists(self.response_modes.as_ref(), "query");
        self.token_endpoint.as_ref().filter(|_| sends_codes)
    }
}

fn lists(list: Option<&Vec<String>>, name: &str) -> bool {
    list.is_some_and(|list| list.iter().any(|listed| listed == name))
}

struct Members<'a> {
    object: Object<'a>,
    broker: &'a Origin,
}

impl Members<'_> {
    /// Discovery, section 4.3: the issuer must be the broker. Portier does not require the member.
    fn check_issuer(&self) -> Result<()> {
        match self.object.get("issuer") {
            None => Ok(()),
            Some(issuer) => {
                let issuer = issuer
                    .as_str()
                    .ok_or_else(|| refused("issuer", "not a string"))?;
                if issuer == self.broker.as_str() {
                    return Ok(());
                }
                Err(refused_value(
                    "issuer",
                    "the issuer is another broker; the option broker here and the public URL in the settings of the broker must have the same origin",
                    issuer,
                    self.broker,
                ))
            }
        }
    }

    fn endpoint(&self, name: &str) -> Result<Url> {
        let member = self
            .object
            .get(name)
            .ok_or_else(|| refused(name, "missing"))?;
        let text = member
            .as_str()
            .ok_or_else(|| refused(name, "not a string"))?;
        let url = parse_url(text).ok_or_else(|| {
            refused_value(name, "not an absolute http or https URL", text, self.broker)
        })?;
        if !self.broker.trusts(&url) {
            return Err(refused_value(
                name,
                "plain http, but the broker is https",
                text,
                self.broker,
            ));
        }
        Ok(url)
    }

    fn list(&self, name: &str) -> Result<Option<Vec<String>>> {
        let Some(member) = self.object.get(name) else {
            return Ok(None);
        };
        let refused = || refused(name, "not an array of strings");
        let elements = member.as_array().ok_or_else(refused)?;
        let texts = elements.iter().map(|text| text.as_str().map(str::to_owned));
        texts.collect::<Option<_>>().map(Some).ok_or_else(refused)
    }

    fn flag(&self, name: &str) -> Result<Option<bool>> {
        match self.object.get(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(refused(name, "neither true nor false")),
        }
    }
}

fn refused(member: &str, reason: &str) -> Error {
    Error::new(
        Code::BrokerDocument,
        format_args!("the broker's discovery document is refused: {reason} member={member}"),
    )
}

/// Refuses a member, and shows its value and the configured origin. A value with an `@` is not shown: it may
/// contain a password or an address.
fn refused_value(member: &str, reason: &str, value: &str, broker: &Origin) -> Error {
    let found: String = if value.contains('@') {
        "(not shown)".to_owned()
    } else {
        let start = value.chars().take(MAX_CHARS_SHOWN);
        start.flat_map(char::escape_debug).collect()
    };
    Error::new(
        Code::BrokerDocument,
        format_args!(
            "the broker's discovery document is refused: {reason} member={member} found={found} broker={}",
            broker.as_str()
        ),
    )
}

#[cfg(test)]
mod tests;
