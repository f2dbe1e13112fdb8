//! Requests to the login flow. Three letters: the operation, how the body is given, and the binding to the
//! browser. Then lines: the method, the query, headers, an empty line, and the body.

use std::cell::RefCell;
use std::sync::Arc;

use portier_client::Client;
use portier_client::testing::ManualClock;
use portier_client::web::{
    Body, BrowserBinding, FlowOptions, LoginFlow, Reply, SessionOptions, Step, WebRequest,
};
use url::form_urlencoded;

use crate::quiet::says_nothing_of;
use crate::seal::SECRET;
use crate::setting::{BROKER, NOW, REDIRECT_URI, usual_network, wait};

/// Would end an attribute or begin an element if it were not escaped.
const CANARY: &str = "\"'<canary>";
/// A flow is replaced after as many requests, because each may start a login.
const REQUESTS: usize = 5000;

/// Every request has an answer that is safe to send, and none completes a login: none was started.
pub fn run(bytes: &[u8]) {
    thread_local! {
        static FLOWS: RefCell<Option<(usize, [LoginFlow; 3])>> = const { RefCell::new(None) };
    }
    let [operation, given, binding, rest @ ..] = bytes else {
        return;
    };
    let (used, flows) = FLOWS
        .take()
        .filter(|(used, _)| *used < REQUESTS)
        .unwrap_or_else(|| (0, flows()));
    let flow = &flows[usize::from(binding % 3)];
    let (request, values) = request(*given, rest);
    let step = wait(async {
        match operation {
            b'l' => flow.login(request).await,
            b'o' => flow.logout(request),
            b'r' => flow.require_login(&request, values.first().map_or("/", String::as_str)),
            b's' => {
                let step = flow
                    .start(
                        request.clone(),
                        values.first().map_or("", String::as_str),
                        "/",
                    )
                    .await;
                assert!(flow.session(&request).is_none());
                step
            }
            _ => flow.callback(request).await,
        }
    });
    check(step, &values);
    FLOWS.set(Some((used + 1, flows)));
}

fn flows() -> [LoginFlow; 3] {
    let bindings = [
        BrowserBinding::Confirm,
        BrowserBinding::Require,
        BrowserBinding::Off,
    ];
    bindings.map(|binding| {
        let client = Client::builder(REDIRECT_URI)
            .broker(BROKER)
            .transport(usual_network())
            .clock(Arc::new(ManualClock::at(NOW)))
            // Logins that are not bound to a browser cannot be sealed.
            .store_url("memory:")
            .build()
            .unwrap();
        let mut options = FlowOptions::default();
        options.browser_binding = binding;
        options.languages = ["en", "de", "ja", "zh-Hans"].map(str::to_owned).to_vec();
        options.session = Some(SessionOptions::new(vec![SECRET.into()]));
        LoginFlow::new(client, options).unwrap()
    })
}

/// The request, and the texts in it that no message may quote.
fn request(given: u8, bytes: &[u8]) -> (WebRequest, Vec<String>) {
    let end = bytes.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = match end {
        Some(end) => (&bytes[..end], &bytes[end + 2..]),
        None => (bytes, &[][..]),
    };
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let [method, query] = [(); 2].map(|()| lines.next().unwrap_or_default());
    let fields = || form_urlencoded::parse(body).into_owned();
    let mut values: Vec<_> = fields().map(|(_, value)| value).collect();
    values.extend(form_urlencoded::parse(query.as_bytes()).map(|(_, value)| value.into_owned()));
    let body = match given {
        b'f' => Body::Fields(
            fields()
                .map(|(name, value)| (name, format!("{value}{CANARY}").into()))
                .collect(),
        ),
        b't' => Body::TooLarge,
        b'u' => Body::Unreadable,
        b'e' => Body::Empty,
        _ => Body::Bytes(body.to_vec()),
    };
    let mut request = WebRequest::new(method, body).with_query(query);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        request.set_header(name, value.trim());
        values.push(value.to_owned());
    }
    (request, values)
}

fn check(step: Step, values: &[String]) {
    assert!(step.login.is_none() && step.session.is_none() && step.login_cookies.is_empty());
    if let Some(error) = &step.error {
        // The message about the origin of a form names it.
        if error.code().as_str() != "request_origin" {
            says_nothing_of(
                error,
                &values.iter().map(String::as_str).collect::<Vec<_>>(),
            );
        }
    }
    let reply = step.reply;
    // Neither a page fetched in advance nor a page for members is an error of a login.
    let is_quiet = reply.body.is_empty() || reply.status == 401;
    assert_eq!(step.error.is_some(), reply.status >= 400 && !is_quiet);
    assert!(!reply.body.contains("<canary"));
    let text = |name| {
        let mut headers = reply.headers.iter();
        headers
            .find(|(given, _)| *given == name)
            .map(|(_, value)| &**value)
    };
    if text("content-type").is_some_and(|kind| kind.contains("json")) {
        serde_json::from_str::<serde_json::Value>(&reply.body).unwrap();
    }
    assert!(text("cache-control").is_some_and(|value| value.starts_with("no-store")));
    for location in ["location", "hx-redirect"].into_iter().filter_map(text) {
        // The page is a path, and not a URL without a scheme.
        let next = location.strip_prefix("/?next=");
        let is_of_site =
            next.is_some_and(|next| next.starts_with("%2F") && !next.starts_with("%2F%2F"));
        let is_ours = location == "/" || is_of_site || location.starts_with('?');
        assert!(
            is_ours || location.starts_with("https://broker.example/auth?"),
            "{location}"
        );
    }
    check_sent(reply);
}

/// Nothing is lost on the way, and nobody else adds a header.
fn check_sent(reply: Reply) {
    for cookie in &reply.cookies {
        let (pair, flags) = cookie.split_once(';').unwrap();
        assert!(pair.starts_with("__Host-portier"), "{cookie}");
        assert!(
            flags.contains("; Path=/; HttpOnly; SameSite=Lax; Secure"),
            "{cookie}"
        );
    }
    let sent = reply.headers.len() + reply.cookies.len() + usize::from(reply.policy.is_some());
    assert_eq!(
        reply.into_response().headers().len(),
        sent,
        "a header was lost"
    );
}
