//! Discovery documents and logins: the bytes of a body, then a zero byte, then what the login is
//! started with.

use std::sync::Arc;

use portier_client::testing::ManualClock;
use portier_client::{AuthenticateOptions, Code};
use url::Url;

use crate::quiet::says_nothing_of;
use crate::reference::json::{Object, Tree, read};
use crate::setting::{self, BROKER, CLIENT_ID, EMAIL, KEY_SET, NONCE, NOW, REDIRECT_URI, wait};

const LISTS: [&str; 4] = [
    "response_types_supported",
    "response_modes_supported",
    "code_challenge_methods_supported",
    "id_token_signing_alg_values_supported",
];

/// The client accepts the documents that the reference accepts, redirects to the endpoint with
/// exactly the expected parameters, and fetches keys only over https.
pub fn run(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == 0);
    let [body, state] = [(); 2].map(|()| parts.next().unwrap_or_default());
    let network = setting::network(body, KEY_SET.as_bytes());
    let clock = Arc::new(ManualClock::at(NOW));
    let client = setting::client(&network, &clock).build().unwrap();
    let tree = read(body);
    let document = tree
        .as_ref()
        .and_then(Tree::members)
        .filter(|document| is_good(*document));
    let outcome = wait(client.discover());
    let Some(document) = document else {
        let error = outcome.unwrap_err();
        assert_eq!(error.code(), Code::BrokerDocument);
        says_nothing_of(&error, &[&String::from_utf8_lossy(body)]);
        return;
    };
    assert_eq!(outcome.unwrap().as_bytes(), body);

    let state = String::from_utf8_lossy(state);
    let mut start = AuthenticateOptions::for_email(EMAIL);
    start.state = Some(state.clone().into_owned());
    let modes = document
        .get("response_modes_supported")
        .and_then(Tree::texts);
    let takes_forms = modes.is_none_or(|modes| modes.contains(&"form_post"));
    match wait(client.authenticate_with(start)) {
        Ok(url) => {
            assert!(takes_forms && state.len() <= 4096);
            check_url(&url, document, &state);
        }
        Err(error) => {
            assert_eq!(error.code(), Code::InvalidOption);
            assert!(!takes_forms || state.len() > 4096, "{error}");
        }
    }
    // Keys are fetched only from the URL in the document.
    drop(wait(client.keys()));
    let keys_url = Url::parse(document.text("jwks_uri").unwrap()).unwrap();
    assert_eq!(network.requests(keys_url.as_str()), 1);
}

fn is_good(document: Object<'_>) -> bool {
    let is_url = |name| document.text(name).is_some_and(is_good_url);
    let is_list = |name| document.get(name).is_none_or(|list| list.texts().is_some());
    let flag = document.get("accepts_id_token_signing_alg_query_param");
    (document.get("issuer").is_none() || document.text("issuer") == Some(BROKER))
        && is_url("authorization_endpoint")
        && is_url("jwks_uri")
        && LISTS.into_iter().all(is_list)
        && matches!(flag, None | Some(Tree::Bool(_)))
}

/// An absolute https URL with a host, without parts that a parser drops, user information and a
/// fragment.
fn is_good_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_at_checked("https://".len()) else {
        return false;
    };
    let authority = rest.split(['/', '?']).next().unwrap();
    scheme.eq_ignore_ascii_case("https://")
        && !authority.is_empty()
        && !authority.contains('@')
        && !text.contains(|c: char| c.is_control() || c.is_whitespace() || "\\#".contains(c))
        && Url::parse(text).is_ok()
}

fn check_url(url: &str, document: Object<'_>, state: &str) {
    let endpoint = Url::parse(document.text("authorization_endpoint").unwrap()).unwrap();
    // The client's parameters are encoded so that every parser reads the same.
    let own = &url[url.rfind("login_hint=").unwrap()..];
    assert!(
        own.chars()
            .all(|c| c.is_ascii_alphanumeric() || "-._~%=&".contains(c)),
        "{own}"
    );
    let url = Url::parse(url).unwrap();
    assert_eq!(
        (url.origin(), url.path()),
        (endpoint.origin(), endpoint.path())
    );
    let mut expected: Vec<(String, String)> = endpoint.query_pairs().into_owned().collect();
    let ours = [
        ("login_hint", EMAIL),
        ("scope", "openid email"),
        ("nonce", NONCE),
        ("response_type", "id_token"),
        ("response_mode", "form_post"),
        ("client_id", CLIENT_ID),
        ("redirect_uri", REDIRECT_URI),
        ("state", state),
    ];
    expected.extend(ours.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let found: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    assert_eq!(found, expected);
}
