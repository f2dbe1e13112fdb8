//! A server with the answers of a test.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Response;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// One answer.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    pub(crate) fn json(document: &Value) -> Self {
        Self::new(200, document.to_string()).with("content-type", "application/json")
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

pub(crate) type Answers = Vec<(&'static str, Answer)>;

/// Serves the answers by path until the test ends; everything else is 404. Returns the origin.
pub(crate) async fn serve(answers: impl FnOnce(&str) -> Answers) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let answers = Arc::new(answers(&origin));
    let app = Router::new().fallback(respond).with_state(answers);
    tokio::spawn(async move { axum::serve(listener, app).await });
    origin
}

async fn respond(State(answers): State<Arc<Answers>>, request: Request) -> Response<Body> {
    answer(&answers, request.uri().path())
}

/// The answer to a path; 404 if there is none.
pub(crate) fn answer(answers: &Answers, path: &str) -> Response<Body> {
    let found = answers.iter().find(|(known, _)| *known == path);
    let answer = found.map_or_else(|| Answer::new(404, ""), |(_, answer)| answer.clone());
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(answer.body)).unwrap()
}

pub(crate) const DISCOVERY: &str = "/.well-known/openid-configuration";
pub(crate) const KEYS: &str = "/keys.json";
pub(crate) const AUTH: &str = "/auth";

/// A broker that offers both flows, with one member of its discovery document replaced.
pub(crate) fn discovery(origin: &str, name: &str, value: Value) -> Answer {
    let mut document = json!({
        "issuer": origin,
        "authorization_endpoint": format!("{origin}{AUTH}"),
        "token_endpoint": format!("{origin}/token"),
        "jwks_uri": format!("{origin}{KEYS}"),
        "response_types_supported": ["id_token", "code"],
        "response_modes_supported": ["form_post", "fragment", "query"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
    });
    document
        .as_object_mut()
        .unwrap()
        .insert(name.to_owned(), value);
    Answer::json(&document).with("cache-control", "max-age=3600")
}

/// Its keys: the example of RFC 8037.
pub(crate) fn keys() -> Answer {
    let key = json!({
        "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "one",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    });
    Answer::json(&json!({ "keys": [key] })).with("cache-control", "max-age=3600")
}

/// A broker with all documents, and a page to log in.
pub(crate) fn healthy(origin: &str) -> Answers {
    vec![
        (DISCOVERY, discovery(origin, "issuer", json!(origin))),
        (KEYS, keys()),
        (AUTH, Answer::new(200, "Your address?")),
    ]
}

/// A broker whose answer to one path is another.
pub(crate) async fn broken(path: &'static str, answer: Answer) -> String {
    serve(|origin| {
        let mut answers = healthy(origin);
        answers.retain(|(known, _)| *known != path);
        answers.push((path, answer));
        answers
    })
    .await
}
