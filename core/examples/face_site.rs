//! A site on axum, for the cases of all integrations; see `tests/faces`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a part of a test, which may fail"
)]

#[path = "../tests/web/options.rs"]
mod options;
#[path = "../tests/web/store.rs"]
mod store;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use portier_client::testing::{ManualClock, MockTransport};
use portier_client::web::{self, LoginFlow, MAX_FORM_BYTES, Page, Step, WebRequest};
use portier_client::{AuthenticateOptions, Client, Code, Error, MemoryStore};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use self::store::Switched;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let site = Site::default();
    let served = Router::new().fallback(serve).with_state(site.clone());
    let listeners = (bind().await, bind().await);
    let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
    println!("ready {} {}", port(&listeners.0), port(&listeners.1));
    tokio::spawn(obey(listeners.1, site));
    axum::serve(listeners.0, served).await.unwrap();
}

async fn bind() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// The state that all requests share.
#[derive(Clone, Default)]
struct Site(Arc<Mutex<Course>>);

/// The current case.
#[derive(Default)]
struct Course {
    flow: Option<LoginFlow>,
    clock: Option<Arc<ManualClock>>,
    store_is_down: Arc<AtomicBool>,
    transport: Arc<MockTransport>,
    token_endpoint: String,
    /// The token requests before the next request.
    token_requests: usize,
    /// The instructions for the next request.
    next: Value,
    /// What the hooks got with the last request.
    seen: Value,
}

impl Site {
    fn course(&self) -> MutexGuard<'_, Course> {
        self.0.lock().unwrap()
    }
}

/// Answers a request to the site.
async fn serve(State(site): State<Site>, request: Request) -> Response {
    let (flow, next) = {
        let course = site.course();
        (course.flow.clone().unwrap(), course.next.clone())
    };
    let (parts, body) = request.into_parts();
    let target = parts.uri.to_string();
    let form = match to_bytes(body, MAX_FORM_BYTES).await {
        Ok(bytes) => web::Body::Bytes(bytes.into()),
        Err(_) => web::Body::TooLarge,
    };
    let request = WebRequest::from_parts(&parts, form);
    let text = |name: &str| next["start"][name].as_str().unwrap_or_default();
    let step = match parts.uri.path() {
        _ if flow.is_callback(&target) => flow.callback(request).await,
        "/login" => flow.login(request).await,
        "/logout" => flow.logout(request),
        "/healthz" => flow.health(&request),
        "/members" => flow.require_login(&request, &target),
        "/session" => return session(&flow, &request),
        "/start" => flow.start(request, text("email"), text("next")).await,
        _ => return plain(404, "nowhere"),
    };
    let (response, seen) = answer(step, &next["hooks"]["on_login"]);
    site.course().seen = seen;
    response
}

/// Says who is signed in, and renews the session.
fn session(flow: &LoginFlow, request: &WebRequest) -> Response {
    let visit = flow.session(request);
    let email = visit.as_ref().map(|visit| &visit.session.email);
    let mut response = plain(200, &json!({ "email": email }).to_string());
    if let Some(cookie) = visit.and_then(|visit| visit.renewal) {
        let headers = response.headers_mut();
        headers.append("set-cookie", cookie.parse().unwrap());
    }
    response
}

/// Acts on a step like a site does, in this order: errors, pages, logins.
fn answer(mut step: Step, wanted: &Value) -> (Response, Value) {
    let login = step.login.as_ref().map(|login| {
        json!({
            "email": login.email,
            "same_browser": login.same_browser,
            "state": login.state,
            "session": login.session,
        })
    });
    if wanted["does"] == "refuse" {
        step = step.refuse(Code::from_text(wanted["code"].as_str().unwrap()).unwrap());
    }
    let error = step.error.as_ref().map(|error| error.code().as_str());
    let mut hooks = Vec::new();
    hooks.extend(error.map(|_| "on_login_error"));
    hooks.extend(step.page.as_ref().map(|page| match page {
        Page::Problem(_) => "show_problem",
        _ => "show_confirmation",
    }));
    hooks.extend(login.as_ref().map(|_| "on_login"));
    let seen = json!({ "error": error, "login": login, "hooks": hooks });
    if step.login.is_some() {
        let cookies = step.reply.cookies.iter().cloned();
        let cookies: Vec<_> = cookies.chain(step.login_cookies.drain(..)).collect();
        if let Some(response) = own_answer(wanted, &cookies) {
            return (response, seen);
        }
        step.reply.cookies = cookies;
    }
    (step.reply.into_response().map(Body::from), seen)
}

/// The site's own response to a login, with the cookies unless it refuses the login.
fn own_answer(wanted: &Value, cookies: &[String]) -> Option<Response> {
    if wanted["does"] == "throw" {
        return Some(plain(500, "the site has failed"));
    }
    let status = u16::try_from(wanted["status"].as_u64()?).unwrap();
    let mut response = plain(status, wanted["text"].as_str().unwrap());
    for cookie in cookies.iter().filter(|_| status < 400) {
        let headers = response.headers_mut();
        headers.append("set-cookie", cookie.parse().unwrap());
    }
    Some(response)
}

fn plain(status: u16, text: &str) -> Response {
    let response = Response::builder().status(status);
    response.body(Body::from(text.to_owned())).unwrap()
}

/// Receives commands of the tests, and answers them; each is a line.
async fn obey(listener: TcpListener, site: Site) {
    let (mut connection, _) = listener.accept().await.unwrap();
    let (commands, mut answers) = connection.split();
    let mut lines = BufReader::new(commands).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        let (command, said) = serde_json::from_str(&line).unwrap();
        let answer = tell(&site, command, said).await;
        let answer = format!("{answer}\n");
        answers.write_all(answer.as_bytes()).await.unwrap();
    }
}

/// Executes a command of the tests.
async fn tell(site: &Site, command: &str, said: Value) -> Value {
    match command {
        "case" => {
            let refused = site.course().start(&said).err();
            json!({ "refused": refused.map(|error| error.code().as_str()) })
        }
        "authenticate" => {
            let client = site.course().flow.as_ref().unwrap().client().clone();
            let mut options = AuthenticateOptions::for_email("alice@example.com");
            options.session = said["session"].as_str().map(str::to_owned);
            json!({ "url": client.authenticate_with(options).await.unwrap() })
        }
        "seen" => {
            let course = site.course();
            let requests = course.transport.requests(&course.token_endpoint);
            let mut seen = course.seen.clone();
            seen["token_requests"] = (requests - course.token_requests).into();
            seen
        }
        "advance" => {
            let seconds = Duration::from_secs(said["seconds"].as_u64().unwrap());
            site.course().clock.as_ref().unwrap().advance(seconds);
            json!({})
        }
        "step" => {
            let mut course = site.course();
            let (status, text) = (&said["token_answer"][0], &said["token_answer"][1]);
            let status = u16::try_from(status.as_u64().unwrap()).unwrap();
            let text = text.as_str().unwrap().to_owned();
            let json = [("content-type", "application/json")];
            let (transport, endpoint) = (&course.transport, &course.token_endpoint);
            transport.respond(endpoint, status, &json, text).unwrap();
            course.token_requests = course.transport.requests(&course.token_endpoint);
            let is_down = said["store_is_down"] == true;
            course.store_is_down.store(is_down, Ordering::Relaxed);
            course.next = said;
            course.seen = json!({ "error": null, "login": null, "hooks": [] });
            json!({})
        }
        _ => panic!("what is not known: {command}"),
    }
}

impl Course {
    /// Makes the flow of a case.
    fn start(&mut self, said: &Value) -> Result<(), Error> {
        let options = said["options"].as_object().unwrap();
        let clock = Arc::new(ManualClock::at(said["now"].as_u64().unwrap()));
        let transport = Arc::new(MockTransport::new());
        for (url, text) in said["documents"].as_object().unwrap() {
            let text = text.as_str().unwrap().to_owned();
            transport.respond(url, 200, &[], text).unwrap();
        }
        let is_down = Arc::new(AtomicBool::new(false));
        let store = Switched::new(MemoryStore::new(clock.clone()), Arc::clone(&is_down));
        let builder = Client::builder(options["redirect_uri"].as_str().unwrap())
            .broker(said["broker"].as_str().unwrap())
            .clock(clock.clone())
            .transport(transport.clone())
            .store(Arc::new(store));
        self.flow = Some(options::make(options.clone(), builder)?);
        self.clock = Some(clock);
        self.store_is_down = is_down;
        self.transport = transport;
        self.token_endpoint = format!("{}/token", said["broker"].as_str().unwrap());
        Ok(())
    }
}
