//! The authorization request (OpenID Connect Core, section 3.2.2.1).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Position;

use crate::config::Config;
use crate::discovery::Discovery;
use crate::error::{Code, Error, Result};
use crate::nonce::Nonce;
use crate::token::Algorithm;

/// Everything but the unreserved characters (RFC 3986, section 2.3) is encoded; a space becomes
/// `%20`, because not everybody reads `+` as one.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Builds the URL to send the browser to.
pub(crate) fn authorization_url(
    config: &Config,
    discovery: &Discovery,
    nonce: &Nonce,
    login_hint: Option<&str>,
    state: Option<&str>,
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
    if let Some(login_hint) = login_hint {
        query.push("login_hint", login_hint);
    }
    query.push("scope", "openid email");
    query.push("nonce", nonce.as_str());
    query.push("response_type", "id_token");
    query.push("response_mode", config.response_mode.as_str());
    query.push("client_id", &config.client_id);
    query.push("redirect_uri", &config.redirect_uri);
    if let Some(state) = state {
        query.push("state", state);
    }
    if asks_for_eddsa(config, discovery) {
        query.push("id_token_signing_alg", Algorithm::EdDsa.as_str());
    }
    query.url
}

/// Checks that the broker can answer in the way this client listens. A broker that lists nothing
/// is asked all the same.
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
        self.url.push(self.separator);
        self.url.push_str(name);
        self.url.push('=');
        self.url.extend(utf8_percent_encode(value, RESERVED));
        self.separator = '&';
    }
}
