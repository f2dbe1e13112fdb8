//! The authorization request (OpenID Connect Core, section 3.2.2.1).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use url::Position;

use crate::algorithm::Algorithm;
use crate::config::{Config, Flow, ResponseMode};
use crate::discovery::Discovery;
use crate::error::{Code, Error, Result};

/// All characters except the unreserved ones (RFC 3986, section 2.3) are encoded. A space becomes `%20`,
/// because not all servers decode `+`.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The values of one login.
pub(crate) struct Request<'a> {
    pub(crate) flow: Flow,
    pub(crate) nonce: &'a str,
    pub(crate) login_hint: Option<&'a str>,
    pub(crate) state: Option<&'a str>,
    /// Of S256 (RFC 7636).
    pub(crate) code_challenge: Option<String>,
}

/// Builds the URL to which the browser is redirected.
pub(crate) fn authorization_url(
    config: &Config,
    discovery: &Discovery,
    request: &Request<'_>,
) -> String {
    let endpoint = &discovery.authorization_endpoint;
    let mut url = String::with_capacity(512);
    url.push_str(&endpoint[..Position::AfterPath]);
    let mut query = Query {
        url,
        separator: '?',
    };
    if let Some(existing) = endpoint.query().filter(|existing| !existing.is_empty()) {
        query.url.push('?');
        query.url.push_str(existing);
        query.separator = '&';
    }
    if let Some(login_hint) = request.login_hint {
        query.push("login_hint", login_hint);
    }
    query.push_encoded("scope=openid%20email");
    query.push("nonce", request.nonce);
    query.push_encoded(match (request.flow, config.response_mode) {
        (Flow::Implicit, ResponseMode::FormPost) => {
            "response_type=id_token&response_mode=form_post"
        }
        (Flow::Implicit, ResponseMode::Fragment) => "response_type=id_token&response_mode=fragment",
        (Flow::Code, _) => "response_type=code&response_mode=query",
    });
    query.push_encoded(&config.client_params);
    if let Some(state) = request.state {
        query.push("state", state);
    }
    if let Some(challenge) = &request.code_challenge {
        query.push("code_challenge", challenge);
        query.push_encoded("code_challenge_method=S256");
    }
    if asks_for_eddsa(config, discovery) {
        query.push("id_token_signing_alg", Algorithm::EdDsa.as_str());
    }
    query.url
}

/// The parameters that are the same for all logins of a client, as they stand in the query.
pub(crate) fn client_params(client_id: &str, redirect_uri: &str) -> String {
    let (client_id, redirect_uri) = (encode(client_id), encode(redirect_uri));
    format!("client_id={client_id}&redirect_uri={redirect_uri}")
}

fn encode(value: &str) -> PercentEncode<'_> {
    utf8_percent_encode(value, RESERVED)
}

/// Checks that the broker supports the response mode. A broker that lists no response modes is accepted.
pub(crate) fn check_response_mode(config: &Config, discovery: &Discovery) -> Result<()> {
    let mode = config.response_mode.as_str();
    match &discovery.response_modes {
        Some(modes) if !modes.iter().any(|listed| listed == mode) => Err(Error::new(
            Code::InvalidOption,
            format_args!("the broker does not support the response mode response_mode={mode}"),
        )),
        _ => Ok(()),
    }
}

fn asks_for_eddsa(config: &Config, discovery: &Discovery) -> bool {
    config.algorithms.first() == Some(&Algorithm::EdDsa)
        && discovery.accepts_signing_alg_param
        && discovery
            .signing_algorithms
            .iter()
            .flatten()
            .any(|listed| listed == Algorithm::EdDsa.as_str())
}

struct Query {
    url: String,
    separator: char,
}

impl Query {
    fn push(&mut self, name: &str, value: &str) {
        self.push_encoded(name);
        self.url.push('=');
        for part in encode(value) {
            self.url.push_str(part);
        }
    }

    /// Appends what stands in the query as it is.
    fn push_encoded(&mut self, text: &str) {
        self.url.push(self.separator);
        self.url.push_str(text);
        self.separator = '&';
    }
}
