//! The broker's answer to a token request: the status, a line feed, the content type, a line feed, and the body.
//! `TOKEN` in the body becomes a good token.

use std::cell::RefCell;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portier_client::testing::{ManualClock, MockTransport};
use portier_client::{CallbackParams, Client, Code, Error, Flow, Kind};
use serde_json::{Value, json};
use url::Url;

use crate::quiet::says_nothing_of;
use crate::reference::json::{Object, Tree, read};
use crate::seal::SECRET;
use crate::setting::{
    BROKER, CLIENT_ID, DISCOVERY, EMAIL, KEY_SET, NOW, REDIRECT_URI, network, wait,
};
use crate::verify::sign;

const ENDPOINT: &str = "https://broker.example/token";

/// A login whose code is about to be redeemed.
struct Started {
    network: Arc<MockTransport>,
    client: Client,
    state: String,
    token: String,
}

/// The result of an answer follows from the members of OAuth in it, and a refused answer uses no login up.
pub fn run(bytes: &[u8]) {
    thread_local! {
        static STARTED: RefCell<Option<Started>> = const { RefCell::new(None) };
    }
    let started = STARTED.take().unwrap_or_else(Started::new);
    let mut parts = bytes.splitn(3, |byte| *byte == b'\n');
    let [status, content_type, body] = [(); 3].map(|()| parts.next().unwrap_or_default());
    let status = std::str::from_utf8(status)
        .ok()
        .and_then(|text| text.parse().ok());
    let status = status
        .filter(|status| (200..600).contains(status))
        .unwrap_or(200);
    let content_type = String::from_utf8_lossy(content_type);
    let body = match std::str::from_utf8(body) {
        Ok(text) => text.replace("TOKEN", &started.token).into_bytes(),
        Err(_) => body.to_vec(),
    };
    let headers = [("content-type", &*content_type)];
    let responds = started
        .network
        .respond(ENDPOINT, status, &headers, body.clone());
    if responds.is_err() {
        return STARTED.set(Some(started));
    }
    let params = [("code", "a code"), ("state", started.state.as_str())];
    let outcome = wait(
        started
            .client
            .complete(CallbackParams::from_pairs(params).unwrap(), None),
    );
    let tree = read(&body);
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    let object = tree
        .as_ref()
        .and_then(Tree::members)
        .filter(|_| media_type.eq_ignore_ascii_case("application/json"));
    match outcome {
        Ok(login) => {
            assert_eq!((status, login.email.as_str()), (200, EMAIL));
            assert_eq!(
                object.unwrap().text("id_token"),
                Some(started.token.as_str())
            );
        }
        Err(refusal) => {
            says_nothing_of(&refusal, &[&String::from_utf8_lossy(&body)]);
            check_refusal(&refusal, status, object, &started.token);
            STARTED.set(Some(started));
        }
    }
}

fn check_refusal(refusal: &Error, status: u16, object: Option<Object<'_>>, good: &str) {
    let text = |name| object.and_then(|object| object.text(name));
    let code = match (status, text("id_token"), text("error")) {
        (200, None, _) => Code::BrokerDocument,
        (200, Some(token), _) => {
            assert!(
                token != good && refusal.kind() == Kind::InvalidToken,
                "{refusal}"
            );
            return;
        }
        (400 | 401, _, Some("invalid_grant")) => Code::CodeRefused,
        (400 | 401, _, Some(error)) => {
            let shortened = |text: &str| text.chars().take(512).collect::<String>();
            let answer = refusal.broker_answer().unwrap();
            assert_eq!(answer.error, shortened(error));
            assert_eq!(answer.description, text("error_description").map(shortened));
            Code::BrokerError
        }
        _ => Code::BrokerStatus,
    };
    assert_eq!(refusal.code(), code, "{refusal}");
}

impl Started {
    fn new() -> Self {
        let mut discovery: Value = serde_json::from_str(&DISCOVERY).unwrap();
        discovery["token_endpoint"] = ENDPOINT.into();
        discovery["response_types_supported"] = json!(["code", "id_token"]);
        discovery["response_modes_supported"] = json!(["query", "form_post"]);
        let network = network(discovery.to_string().as_bytes(), KEY_SET.as_bytes());
        let client = Client::builder(REDIRECT_URI)
            .broker(BROKER)
            .flow(Flow::Code)
            .transport(network.clone())
            .clock(Arc::new(ManualClock::at(NOW)))
            .secret(SECRET)
            .build()
            .unwrap();
        let url = Url::parse(&wait(client.authenticate(EMAIL)).unwrap()).unwrap();
        let query = |name: &str| {
            let (_, value) = url.query_pairs().find(|(key, _)| key == name).unwrap();
            value.into_owned()
        };
        Self {
            token: token(&query("nonce")),
            state: query("state"),
            network,
            client,
        }
    }
}

fn token(nonce: &str) -> String {
    let header = json!({"alg": "EdDSA", "kid": "ed-a"});
    let payload = json!({
        "iss": BROKER, "aud": CLIENT_ID, "nonce": nonce, "iat": NOW, "exp": NOW + 600,
        "email": EMAIL, "email_verified": true,
    });
    let signed = [header, payload]
        .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()))
        .join(".");
    let signature = URL_SAFE_NO_PAD.encode(sign(b'a', signed.as_bytes()));
    format!("{signed}.{signature}")
}
