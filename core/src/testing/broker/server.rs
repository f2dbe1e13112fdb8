//! The development broker's HTTP server.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use ::http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use super::reply::{self, Reply};
use super::state::State;
use super::{login, pages, token_request};
use crate::error::Result;

/// The largest form the broker reads, in bytes.
const MAX_FORM_BYTES: usize = 64 * 1024;

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
    let service = service_fn(move |request| {
        let state = Arc::clone(&state);
        async move { Ok::<_, Infallible>(respond(state, request).await) }
    });
    // Answers are small and written at once; there is nothing to collect.
    let _ = stream.set_nodelay(true);
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
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
    let post = *request.method() == Method::POST;
    Ok(match request.uri().path() {
        "/" if read => reply::page(StatusCode::OK, pages::home(&state.origin)),
        "/.well-known/openid-configuration" if read => reply::discovery(&discovery(state)),
        "/keys.json" if read => key_set(state).await?,
        "/res/style.css" if read => reply::resource("text/css; charset=utf-8", pages::STYLE),
        "/res/forward.js" if read => {
            reply::resource("text/javascript; charset=utf-8", pages::FORWARD_SCRIPT)
        }
        "/auth" if read => {
            let query = request.uri().query().unwrap_or_default();
            login::authenticate(state, query.as_bytes()).await?
        }
        "/auth" | "/confirm" | "/token" if post => {
            let path = request.uri().path().to_owned();
            match Limited::new(request.into_body(), MAX_FORM_BYTES)
                .collect()
                .await
            {
                Err(_) => reply::bad_request("The form is too large."),
                Ok(form) if path == "/confirm" => login::confirm(state, &form.to_bytes()).await?,
                Ok(form) if path == "/token" => {
                    token_request::answer(state, &form.to_bytes()).await?
                }
                Ok(form) => login::authenticate(state, &form.to_bytes()).await?,
            }
        }
        "/auth" => reply::wrong_method("GET, HEAD, POST"),
        "/confirm" | "/token" => reply::wrong_method("POST"),
        "/"
        | "/.well-known/openid-configuration"
        | "/keys.json"
        | "/res/style.css"
        | "/res/forward.js" => reply::wrong_method("GET, HEAD"),
        _ => reply::not_found(),
    })
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
