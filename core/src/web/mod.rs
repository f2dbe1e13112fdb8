//! The web side of a login: what happens between an HTTP request and its answer.
//!
//! A site has a login form and a redirect URI. It passes the facts of each request to a [`LoginFlow`],
//! and sends the answer that the flow returns. The flow checks the origin of forms, binds each login to
//! the browser that started it, completes the login, and makes the pages about problems. It does no I/O
//! over HTTP and needs no framework.
//!
//! ```
//! use http::{Request, Response};
//! use portier_client::web::{Body, FlowOptions, LoginFlow, WebRequest};
//! use portier_client::Client;
//!
//! # fn setup() -> Result<(), portier_client::Error> {
//! let client = Client::builder("https://example.com/verify").build()?;
//! let flow = LoginFlow::new(client, FlowOptions::default())?;
//! # Ok(())
//! # }
//!
//! /// `POST /login`: the site's form, with the field `email` and perhaps `next`.
//! async fn login(flow: &LoginFlow, request: Request<Vec<u8>>) -> Response<String> {
//!     let (parts, body) = request.into_parts();
//!     let step = flow.login(WebRequest::from_parts(&parts, Body::Bytes(body))).await;
//!     step.reply.into_response()
//! }
//!
//! /// The redirect URI, for every method.
//! async fn verify(flow: &LoginFlow, request: Request<Vec<u8>>) -> Response<String> {
//!     let (parts, body) = request.into_parts();
//!     let mut step = flow.callback(WebRequest::from_parts(&parts, Body::Bytes(body))).await;
//!     if let Some(login) = &step.login {
//!         step.reply.cookies.push(format!("session={}; HttpOnly; SameSite=Lax", session_of(&login.email)));
//!         step.reply.cookies.append(&mut step.login_cookies);
//!     }
//!     step.reply.into_response()
//! }
//! # fn session_of(_: &str) -> String { String::new() }
//! ```
//!
//! # With axum
//!
//! ```
//! use axum::Router;
//! use axum::body::to_bytes;
//! use axum::extract::{Request, State};
//! use axum::response::Response;
//! use axum::routing::{any, post};
//! use portier_client::web::{Body, LoginFlow, MAX_FORM_BYTES, WebRequest};
//!
//! fn routes(flow: LoginFlow) -> Router {
//!     Router::new()
//!         .route("/login", post(login))
//!         .route(flow.callback_path(), any(callback))
//!         .with_state(flow)
//! }
//!
//! async fn login(State(flow): State<LoginFlow>, request: Request) -> Response {
//!     let step = flow.login(facts(request).await).await;
//!     step.reply.into_response().map(Into::into)
//! }
//!
//! async fn callback(State(flow): State<LoginFlow>, request: Request) -> Response {
//!     let mut step = flow.callback(facts(request).await).await;
//!     if let Some(login) = &step.login {
//!         // Here the site begins a session for `login.email`; see also `FlowOptions::session`.
//!         step.reply.cookies.append(&mut step.login_cookies);
//!     }
//!     step.reply.into_response().map(Into::into)
//! }
//!
//! async fn facts(request: Request) -> WebRequest {
//!     let (parts, body) = request.into_parts();
//!     let body = to_bytes(body, MAX_FORM_BYTES).await;
//!     WebRequest::from_parts(&parts, body.map_or(Body::TooLarge, |bytes| Body::Bytes(bytes.into())))
//! }
//! ```
//!
//! `core/examples/axum.rs` in the repository is a whole site.

mod callback;
mod cookies;
mod flow;
mod form;
mod options;
mod pages;
mod problem;
mod reply;
mod request;
mod same_site;
mod script;
mod session;
mod signed_in;
mod texts;

pub use self::flow::LoginFlow;
pub use self::form::MAX_FORM_BYTES;
pub use self::options::{BrowserBinding, FlowOptions};
pub use self::problem::{Problem, ProblemId};
pub use self::reply::{Confirmation, Page, Reply, Step};
pub use self::request::{Body, WebRequest, target_path};
pub use self::session::{Session, SessionCookie, SessionOptions, Visit};
pub use crate::next::safe_next_on;
