//! The development broker's HTTP server.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use ::http::{Method, Request, StatusCode};
use bytes::Bytes;
use futures_util::future::{Either, select};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use super::inbox::Mail;
use super::reply::{self, Reply};
use super::scenario::Scenario;
use super::state::State;
use super::{login, pages, token_request};
use crate::error::Result;

/// The largest form the broker reads, in bytes.
const MAX_FORM_BYTES: usize = 64 * 1024;

/// What the broker says about its version, in the form of the real broker.
const VERSION: &str = concat!(
    "portier-client ",
    env!("CARGO_PKG_VERSION"),
    " (development broker)"
);

/// How long to wait when the system has no socket to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections for ever.
pub(super) async fn serve(listener: TcpListener, state: Arc<State>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(connection(stream, Arc::clone(&state)));
            }
            Err(error) => {
                tracing::warn!(%error, "development broker cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, state: Arc<State>) {
    if !state.is_reachable() {
        return;
    }
    let shared = Arc::clone(&state);
    let service = service_fn(move |request| {
        let state = Arc::clone(&shared);
        async move {
            // The request may have been read before the connection is closed. It must have no effect.
            if !state.is_reachable() {
                return Err(io::Error::from(io::ErrorKind::ConnectionAborted));
            }
            Ok(respond(state, request).await)
        }
    });
    // Answers are small and written at once; there is nothing to collect.
    let _ = stream.set_nodelay(true);
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    if let Either::Left((Err(error), _)) = select(pin!(served), pin!(state.unreachable())).await {
        tracing::debug!(%error, "development broker lost a connection");
    }
}

async fn respond(state: Arc<State>, request: Request<Incoming>) -> Reply {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    state.count(&path);
    state.released(&path).await;
    let mut reply = None;
    if let Some(fault) = state.next_fault(&path) {
        tokio::time::sleep(fault.delay).await;
        reply = reply::fault(&fault);
    }
    let reply = match reply {
        Some(reply) => reply,
        None => route(&state, request).await.unwrap_or_else(|error| {
            tracing::error!(%error, "development broker failed");
            reply::failure()
        }),
    };
    tracing::info!(%method, path, status = reply.status().as_u16(), "development broker answered");
    reply::finish(reply, state.clock.now())
}

async fn route(state: &Arc<State>, request: Request<Incoming>) -> Result<Reply> {
    let read = matches!(*request.method(), Method::GET | Method::HEAD);
    let query = request.uri().query().unwrap_or_default();
    Ok(match request.uri().path() {
        "/" if read => reply::page(StatusCode::OK, pages::home(&state.origin)),
        "/.well-known/openid-configuration" if read => reply::discovery(&discovery(state)),
        "/keys.json" if read => key_set(state).await?,
        "/ver.txt" if read => reply::text(VERSION),
        "/res/style.css" if read => reply::resource("text/css; charset=utf-8", pages::STYLE),
        "/res/forward.js" if read => {
            reply::resource("text/javascript; charset=utf-8", pages::FORWARD_SCRIPT)
        }
        "/auth" if read => login::authenticate(state, query.as_bytes()).await?,
        "/confirm" if read => login::follow(state, query.as_bytes()),
        "/inbox" if read => reply::page(StatusCode::OK, pages::inbox(&state.inbox.mails())),
        "/inbox.json" if read => {
            let mails = state.inbox.mails();
            let mails: Vec<_> = mails.iter().map(Mail::to_json).collect();
            reply::data(&json!({ "mails": mails }))
        }
        "/auth" | "/confirm" | "/token" | "/inbox" if *request.method() == Method::POST => {
            posted(state, request).await?
        }
        "/inbox.json" if *request.method() == Method::DELETE => {
            state.inbox.clear();
            reply::done()
        }
        // Not POST, which the form of any site could send.
        "/scenario" if *request.method() == Method::PUT => scenario(state, request).await?,
        "/auth" | "/confirm" | "/inbox" => reply::wrong_method("GET, HEAD, POST"),
        "/inbox.json" => reply::wrong_method("GET, HEAD, DELETE"),
        "/scenario" => reply::wrong_method("PUT"),
        "/token" => reply::wrong_method("POST"),
        "/"
        | "/.well-known/openid-configuration"
        | "/keys.json"
        | "/ver.txt"
        | "/res/style.css"
        | "/res/forward.js" => reply::wrong_method("GET, HEAD"),
        _ => reply::not_found(),
    })
}

async fn posted(state: &Arc<State>, request: Request<Incoming>) -> Result<Reply> {
    let path = request.uri().path().to_owned();
    let Some(form) = body(request).await else {
        return Ok(reply::bad_request("The form is too large."));
    };
    match path.as_str() {
        "/confirm" => login::confirm(state, &form).await,
        "/token" => token_request::answer(state, &form).await,
        "/inbox" => {
            state.inbox.clear();
            Ok(reply::see("/inbox"))
        }
        _ => login::authenticate(state, &form).await,
    }
}

async fn scenario(state: &Arc<State>, request: Request<Incoming>) -> Result<Reply> {
    let text = body(request).await.unwrap_or_default();
    let scenario = Scenario::from_json(&String::from_utf8_lossy(&text));
    Ok(match scenario.and_then(|scenario| scenario.apply(state)) {
        Ok(()) => reply::done(),
        Err(error) => reply::refused(&error.to_string()),
    })
}

/// `None` if it is too large.
async fn body(request: Request<Incoming>) -> Option<Bytes> {
    let limited = Limited::new(request.into_body(), MAX_FORM_BYTES);
    let body = limited.collect().await.ok()?;
    Some(body.to_bytes())
}

fn discovery(state: &State) -> Value {
    let origin = &state.origin;
    let mut document = json!({
        "issuer": origin,
        "authorization_endpoint": format!("{origin}/auth"),
        "jwks_uri": format!("{origin}/keys.json"),
        "scopes_supported": ["openid", "email"],
        "claims_supported": ["iss", "aud", "exp", "iat", "email", "email_verified", "email_original"],
        "token_endpoint": format!("{origin}/token"),
        "response_types_supported": ["id_token", "code"],
        "response_modes_supported": ["form_post", "fragment", "query"],
        "grant_types_supported": ["implicit", "authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "EdDSA"],
        "accepts_id_token_signing_alg_query_param": true,
    });
    if state.pkce
        && let Some(members) = document.as_object_mut()
    {
        members.insert(
            "code_challenge_methods_supported".to_owned(),
            json!(["S256"]),
        );
    }
    document
}

async fn key_set(state: &Arc<State>) -> Result<Reply> {
    let keys = state.blocking(|state| state.keys.published()).await?;
    Ok(reply::keys(
        json!(keys).to_string(),
        state.clock.now(),
        state.keys_lifetime,
    ))
}
