//! A site on axum: a page with a login form, a page for members, and a way to sign out.
//!
//! `cargo run --example axum` serves it at <http://localhost:8888> and logs in with the public broker. Set
//! `BROKER` to use another one, such as the development broker, and `PORT` to listen elsewhere.

use std::collections::HashMap;
use std::env;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{any, get, post};
use portier_client::web::{
    Body as Form, FlowOptions, LoginFlow, MAX_FORM_BYTES, Page, ProblemId, SessionOptions, Step,
    Visit, WebRequest,
};
use portier_client::{Client, Error};
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = env::var("PORT").map_or(Ok(8888), |port| port.parse())?;
    let mut client = Client::builder(format!("http://localhost:{port}/verify"));
    if let Ok(broker) = env::var("BROKER") {
        client = client.broker(broker);
    }
    let app = app(client.build()?, new_secret()?)?;
    let listener = TcpListener::bind(("localhost", port)).await?;
    println!("http://localhost:{port}/");
    axum::serve(listener, app).await?;
    Ok(())
}

/// The site. `secret` seals its sessions.
pub(crate) fn app(client: Client, secret: Vec<u8>) -> Result<Router, Error> {
    let mut options = FlowOptions::default();
    options.default_next = Some(String::from("/members"));
    options.session = Some(SessionOptions::new(vec![secret]));
    let flow = LoginFlow::new(client, options)?;
    Ok(Router::new()
        .route("/", get(login_page))
        .route("/login", post(login))
        .route(flow.callback_path(), any(callback))
        .route("/members", get(members))
        .route("/logout", post(logout))
        .with_state(flow))
}

async fn login_page(
    State(flow): State<LoginFlow>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    form_page(&flow, "", query.get("next").map_or("", String::as_str), "")
}

/// Takes the form of the login page, and shows it again after a typing error.
async fn login(State(flow): State<LoginFlow>, request: Request) -> Response {
    let step = flow.login(facts(request).await).await;
    match &step.page {
        Some(Page::Problem(problem)) if problem.id == ProblemId::InvalidEmail => {
            let typed = problem.typed_email.as_deref().unwrap_or_default();
            let next = problem.next.as_deref().unwrap_or_default();
            let page = form_page(&flow, typed, next, &problem.text);
            (StatusCode::BAD_REQUEST, page).into_response()
        }
        _ => answer(step),
    }
}

fn form_page(flow: &LoginFlow, email: &str, next: &str, complaint: &str) -> Response {
    let policy = flow.form_policy().to_owned();
    let page = Html(format!(
        r#"<!doctype html><html lang="en"><title>Sign in</title>
        <form method="post" action="/login">
        <input type="hidden" name="next" value="{}">
        <label>Your address: <input type="email" name="email" value="{}" required></label>
        <button>Sign in</button> {complaint}</form>"#,
        escape(next),
        escape(email)
    ));
    ([(header::CONTENT_SECURITY_POLICY, policy)], page).into_response()
}

/// The redirect URI, for every method.
async fn callback(State(flow): State<LoginFlow>, request: Request) -> Response {
    let mut step = flow.callback(facts(request).await).await;
    // A site that keeps accounts looks for that of `step.login` here. If this fails, it does not send the
    // cookies, and nobody is signed in.
    step.reply.cookies.append(&mut step.login_cookies);
    answer(step)
}

async fn members(State(flow): State<LoginFlow>, request: Request) -> Response {
    let target = request.uri().to_string();
    let request = facts(request).await;
    let Some(Visit {
        session, renewal, ..
    }) = flow.session(&request)
    else {
        return answer(flow.require_login(&request, &target));
    };
    let page = Html(format!(
        r#"<!doctype html><html lang="en"><title>Members</title>
        <p>You are {}.</p>
        <form method="post" action="/logout"><button>Sign out</button></form>"#,
        escape(&session.email)
    ));
    let mut response = ([(header::CACHE_CONTROL, "no-store")], page).into_response();
    // A visit makes the session last longer.
    if let Some(Ok(cookie)) = renewal.map(|cookie| cookie.parse()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

async fn logout(State(flow): State<LoginFlow>, request: Request) -> Response {
    answer(flow.logout(facts(request).await))
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
