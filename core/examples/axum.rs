//! A site on axum: a page with a login form, a page for members, and a way to sign out.
//!
//! `cargo run --example axum` serves it at <http://localhost:8888> and logs in with the public broker. Set
//! `BROKER` to use another one, such as the development broker, and `PORT` to listen elsewhere.

use std::collections::HashMap;
use std::env;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{any, get, post};
use portier_client::web::{
    Body as Form, FlowOptions, LoginFlow, MAX_FORM_BYTES, Session, SessionCookie, SessionOptions,
    Step, WebRequest,
};
use portier_client::{Client, Error};
use tokio::net::TcpListener;

#[derive(Clone)]
struct Site {
    flow: LoginFlow,
    sessions: Arc<SessionCookie>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = env::var("PORT").map_or(Ok(8888), |port| port.parse())?;
    let mut client = Client::builder(format!("http://localhost:{port}/verify"));
    if let Ok(broker) = env::var("BROKER") {
        client = client.broker(broker);
    }
    let mut options = FlowOptions::default();
    options.default_next = String::from("/members");
    let app = app(client.build()?, options, new_secret()?)?;
    let listener = TcpListener::bind(("localhost", port)).await?;
    println!("http://localhost:{port}/");
    axum::serve(listener, app).await?;
    Ok(())
}

/// The site. `secret` seals its sessions.
pub(crate) fn app(client: Client, options: FlowOptions, secret: Vec<u8>) -> Result<Router, Error> {
    let sessions = SessionCookie::new(client.clone(), &SessionOptions::new(vec![secret]))?;
    let flow = LoginFlow::new(client, options)?;
    Ok(Router::new()
        .route("/", get(login_page))
        .route("/login", post(login))
        .route(flow.callback_path(), any(callback))
        .route("/members", get(members))
        .route("/logout", post(logout))
        .with_state(Site {
            flow,
            sessions: Arc::new(sessions),
        }))
}

async fn login_page(
    State(site): State<Site>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let next = query.get("next").map_or("", String::as_str);
    let policy = site.flow.form_policy().to_owned();
    let page = Html(format!(
        r#"<!doctype html><html lang="en"><title>Sign in</title>
        <form method="post" action="/login">
        <input type="hidden" name="next" value="{}">
        <label>Your address: <input type="email" name="email" required></label>
        <button>Sign in</button></form>"#,
        escape(next)
    ));
    ([(header::CONTENT_SECURITY_POLICY, policy)], page).into_response()
}

/// Takes the form of the login page.
async fn login(State(site): State<Site>, request: Request) -> Response {
    answer(site.flow.login(facts(request).await).await)
}

/// The redirect URI, for every method.
async fn callback(State(site): State<Site>, request: Request) -> Response {
    let mut step = site.flow.callback(facts(request).await).await;
    if let Some(login) = &step.login {
        let Ok((_, cookie)) = site.sessions.start(&login.email) else {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        step.reply.cookies.push(cookie);
        // Only now: it says that the person has been signed in.
        step.reply.cookies.extend(step.signed_in_cookie.take());
    }
    answer(step)
}

async fn members(State(site): State<Site>, headers: HeaderMap) -> Response {
    let Some(session) = site.session(&headers) else {
        return Redirect::to("/?next=/members").into_response();
    };
    let page = Html(format!(
        r#"<!doctype html><html lang="en"><title>Members</title>
        <p>You are {}.</p>
        <form method="post" action="/logout"><button>Sign out</button></form>"#,
        escape(&session.email)
    ));
    let mut response = ([(header::CACHE_CONTROL, "no-store")], page).into_response();
    // A visit makes the session last longer.
    if let Ok(Some(cookie)) = site.sessions.renew(&session) {
        set_cookie(&mut response, &cookie);
    }
    response
}

async fn logout(State(site): State<Site>, headers: HeaderMap) -> Response {
    let mut response = Redirect::to("/").into_response();
    // The cookie is `Lax`: a form of another site comes without it, and signs nobody out.
    if site.session(&headers).is_some() {
        set_cookie(&mut response, &site.sessions.clear());
    }
    response
}

impl Site {
    fn session(&self, headers: &HeaderMap) -> Option<Session> {
        let cookie = headers.get(header::COOKIE)?.to_str().ok();
        self.sessions.read(cookie)
    }
}

/// What the flow needs to know of a request.
async fn facts(request: Request) -> WebRequest {
    let (parts, body) = request.into_parts();
    let form = match to_bytes(body, MAX_FORM_BYTES).await {
        Ok(bytes) => Form::Bytes(bytes.into()),
        Err(_) => Form::TooLarge,
    };
    WebRequest::from_parts(&parts, form)
}

fn answer(step: Step) -> Response {
    step.reply.into_response().map(Body::from)
}

fn set_cookie(response: &mut Response, cookie: &str) {
    if let Ok(value) = cookie.parse() {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

/// A real site reads its secret from where it keeps secrets: with a new one, everybody is signed out.
fn new_secret() -> Result<Vec<u8>, getrandom::Error> {
    let mut secret = vec![0; 32];
    #[expect(
        clippy::disallowed_methods,
        reason = "a site is not part of the client"
    )]
    getrandom::fill(&mut secret)?;
    Ok(secret)
}
