//! The authorization request to the development broker.

use std::collections::BTreeMap;

use url::{Url, form_urlencoded};

use crate::algorithm::Algorithm;
use crate::origin::parse_url;

/// The parameters the broker understands; it ignores all others.
const NAMES: [&str; 11] = [
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "id_token_signing_alg",
    "login_hint",
    "nonce",
    "redirect_uri",
    "response_mode",
    "response_type",
    "scope",
    "state",
];

/// The parameters of a request, each at most once.
#[derive(Clone, Debug, Default)]
pub(super) struct Params(BTreeMap<String, String>);

impl Params {
    /// Decodes a query or a form. A repeated parameter is an error (RFC 6749, section 3.1).
    pub(super) fn parse(encoded: &[u8]) -> Result<Self, &'static str> {
        let mut params = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(encoded) {
            if params
                .insert(name.into_owned(), value.into_owned())
                .is_some()
            {
                return Err("A parameter is repeated.");
            }
        }
        Ok(Self(params))
    }

    /// A parameter that is present and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The fields that a page needs to repeat the request.
    pub(super) fn request(&self) -> impl Iterator<Item = (&str, &str)> {
        NAMES
            .into_iter()
            .filter_map(|name| Some((name, self.get(name)?)))
    }
}

/// The target and the mode of the answer.
#[derive(Clone, Debug)]
pub(super) struct ReturnAddress {
    pub(super) redirect_uri: Url,
    pub(super) mode: ResponseMode,
    pub(super) state: String,
}

/// How the answer is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResponseMode {
    FormPost,
    Fragment,
    Query,
}

impl ReturnAddress {
    /// Reads the address. If it is missing, the person at the browser sees the error.
    pub(super) fn parse(params: &Params) -> Result<Self, &'static str> {
        let client_id = params.get("client_id").ok_or("There is no client_id.")?;
        let redirect_uri = params
            .get("redirect_uri")
            .ok_or("There is no redirect_uri.")?;
        let redirect_uri = parse_redirect_uri(redirect_uri)?;
        if redirect_uri.origin().ascii_serialization() != client_id {
            return Err("The client_id is not the origin of the redirect_uri.");
        }
        Ok(Self {
            redirect_uri,
            // OAuth 2.0 Multiple Response Type Encoding Practices, section 5.
            mode: match (params.get("response_mode"), params.get("response_type")) {
                (Some("form_post"), _) => ResponseMode::FormPost,
                // A token is never sent in a query.
                (Some("query") | None, Some("code")) => ResponseMode::Query,
                (Some("fragment") | None, _) => ResponseMode::Fragment,
                _ => return Err("The response_mode is none of form_post, fragment and query."),
            },
            state: params.get("state").unwrap_or_default().to_owned(),
        })
    }
}

/// Reads a redirect URI. It must begin with its origin in the URL parser's spelling, and continue
/// with a slash or end. The real broker refuses all others, too.
fn parse_redirect_uri(text: &str) -> Result<Url, &'static str> {
    let url = parse_url(text)
        .ok_or("The redirect_uri is not an absolute http or https URL without a fragment.")?;
    let rest = text.strip_prefix(&url.origin().ascii_serialization());
    if !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
        return Err(
            "The redirect_uri is not written as the URL parser writes it: scheme and host \
            in lower case and ASCII, no default port, a slash before the query.",
        );
    }
    Ok(url)
}

/// An error that is sent to the relying party (RFC 6749, section 4.2.2.1).
pub(super) struct Refusal {
    pub(super) error: &'static str,
    pub(super) description: &'static str,
}

/// A request for a token, or for a code that stands for one.
#[derive(Clone, Debug)]
pub(super) struct AuthRequest {
    pub(super) wants_code: bool,
    pub(super) code_challenge: Option<String>,
    pub(super) client_id: String,
    pub(super) nonce: String,
    pub(super) login_hint: Option<String>,
    pub(super) algorithm: Algorithm,
}

impl AuthRequest {
    pub(super) fn parse(params: &Params) -> Result<Self, Refusal> {
        let invalid = |description| Refusal {
            error: "invalid_request",
            description,
        };
        let response_type = params.get("response_type");
        if !matches!(response_type, Some("id_token" | "code")) {
            return Err(Refusal {
                error: "unsupported_response_type",
                description: "response_type must be id_token or code",
            });
        }
        let code_challenge = params.get("code_challenge");
        if code_challenge.is_some() && params.get("code_challenge_method") != Some("S256") {
            return Err(invalid("code_challenge_method must be S256"));
        }
        let mut scopes: Vec<_> = params
            .get("scope")
            .unwrap_or_default()
            .split_ascii_whitespace()
            .collect();
        scopes.sort_unstable();
        if scopes != ["email", "openid"] {
            return Err(Refusal {
                error: "invalid_scope",
                description: "scope must be openid email",
            });
        }
        let nonce = params
            .get("nonce")
            .ok_or_else(|| invalid("there is no nonce"))?;
        let algorithm = params
            .get("id_token_signing_alg")
            .map_or(Ok(Algorithm::Rs256), str::parse)
            .map_err(|_| invalid("id_token_signing_alg is not supported"))?;
        Ok(Self {
            wants_code: response_type == Some("code"),
            code_challenge: code_challenge.map(str::to_owned),
            client_id: params.get("client_id").unwrap_or_default().to_owned(),
            nonce: nonce.to_owned(),
            login_hint: params.get("login_hint").map(str::to_owned),
            algorithm,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPLETE: &str = "client_id=http://rp.test&redirect_uri=http://rp.test/verify\
        &response_type=id_token&response_mode=form_post&scope=openid+email&nonce=n";

    #[test]
    fn a_complete_request_is_read() {
        let params = Params::parse(COMPLETE.as_bytes()).unwrap();
        let address = ReturnAddress::parse(&params).unwrap();
        assert_eq!(address.redirect_uri.as_str(), "http://rp.test/verify");
        assert_eq!(address.mode, ResponseMode::FormPost);
        let request = AuthRequest::parse(&params).ok().unwrap();
        assert_eq!(request.nonce, "n");
        assert_eq!(request.algorithm, Algorithm::Rs256);
    }

    #[test]
    fn an_answer_goes_to_the_relying_party_that_asked_and_nowhere_else() {
        for (from, to) in [
            ("client_id=http://rp.test&", ""),
            ("client_id=http://rp.test&", "client_id=http://other.test&"),
            ("client_id=http://rp.test&", "client_id=http://rp.test/&"),
            ("http://rp.test/verify", "http://rp.test:81/verify"),
            ("http://rp.test/verify", "javascript:alert(1)"),
            ("http://rp.test/verify", "http://rp.test/%23fragment%0a"),
            ("form_post", "query"),
            ("nonce=n", "client_id=http://rp.test"),
        ] {
            let changed = COMPLETE.replace(from, to);
            assert_ne!(changed, COMPLETE);
            let params = Params::parse(changed.as_bytes());
            assert!(
                params
                    .and_then(|params| ReturnAddress::parse(&params))
                    .is_err(),
                "{changed}"
            );
        }
    }

    #[test]
    fn a_redirect_uri_is_normalized_by_the_url_parser() {
        for (text, client_id) in [
            ("http://rp.test", "http://rp.test"),
            ("http://rp.test/?x=1", "http://rp.test"),
            ("https://rp.test/verify?x=1", "https://rp.test"),
            (
                "https://xn--bcher-kva.test/verify",
                "https://xn--bcher-kva.test",
            ),
            (
                "https://[2001:db8::1]:8443/verify",
                "https://[2001:db8::1]:8443",
            ),
        ] {
            let url = parse_redirect_uri(text).unwrap();
            assert_eq!(url.origin().ascii_serialization(), client_id);
        }
        for text in [
            "https://rp.test:443/verify",
            "http://rp.test:80/verify",
            "https://rp.test:/verify",
            "https://rp.test:08443/verify",
            "https://rp.test:0/verify",
            "https://Rp.test/verify",
            "HTTPS://rp.test/verify",
            "https://b\u{fc}cher.test/verify",
            "https://XN--bcher-kva.test/verify",
            "https://rp.test?x=1",
            "https://127.1/verify",
            "https://[2001:DB8::1]/verify",
            "https://user@rp.test/verify",
            "https://rp.test/verify#",
            "https://rp.test\\verify",
        ] {
            assert!(parse_redirect_uri(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_relying_party_learns_what_is_wrong_with_its_request() {
        for (from, to, error) in [
            ("=id_token", "=token", "unsupported_response_type"),
            ("openid+email", "openid", "invalid_scope"),
            ("nonce=n", "nonce=", "invalid_request"),
            (
                "nonce=n",
                "nonce=n&id_token_signing_alg=none",
                "invalid_request",
            ),
        ] {
            let params = Params::parse(COMPLETE.replace(from, to).as_bytes()).unwrap();
            assert_eq!(AuthRequest::parse(&params).err().unwrap().error, error);
        }
    }
}
