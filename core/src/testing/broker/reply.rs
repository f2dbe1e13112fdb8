//! The HTTP responses of the development broker.

use std::time::{Duration, SystemTime};

use ::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, DATE, EXPIRES, HeaderName,
    HeaderValue, LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use ::http::{Response, StatusCode};
use bytes::Bytes;
use http_body_util::Full;
use url::form_urlencoded::byte_serialize;

use super::authorize::{ResponseMode, ReturnAddress};
use super::pages;
use super::state::Fault;

pub(super) type Reply = Response<Full<Bytes>>;

/// The broker's policy. Without `allow-same-origin`, a form that its pages post has `Origin: null`.
const POLICY: &str = "sandbox allow-scripts allow-forms; default-src 'none'; script-src 'self'; \
    style-src 'self'; form-action *";

/// The discovery document: a relying party may cache it for a week, a shared cache not at all.
pub(super) fn discovery(document: &serde_json::Value) -> Reply {
    let mut reply = json(document.to_string());
    set(
        &mut reply,
        CACHE_CONTROL,
        "public, max-age=604800, s-maxage=0",
    );
    reply
}

/// The key set, whose lifetime is only in `Expires`.
pub(super) fn keys(document: String, now: SystemTime, lifetime: Duration) -> Reply {
    let mut reply = json(document);
    set(&mut reply, CACHE_CONTROL, "public");
    if let Some(end) = now.checked_add(lifetime) {
        set(&mut reply, EXPIRES, &httpdate::fmt_http_date(end));
    }
    reply
}

/// The answer to a token request (RFC 6749, section 5).
pub(super) fn token(status: StatusCode, body: &serde_json::Value) -> Reply {
    let mut reply = json(body.to_string());
    *reply.status_mut() = status;
    set(&mut reply, CACHE_CONTROL, "no-store");
    reply
}

/// A page, which must not be cached.
pub(super) fn page(status: StatusCode, html: String) -> Reply {
    let mut reply = new(status, "text/html; charset=utf-8", html);
    set(&mut reply, CACHE_CONTROL, "no-store");
    reply
}

/// Data for scripts, which must not be cached.
pub(super) fn data(value: &serde_json::Value) -> Reply {
    let mut reply = json(value.to_string());
    set(&mut reply, CACHE_CONTROL, "no-store");
    reply
}

/// Plain text, which must not be cached.
pub(super) fn text(text: &'static str) -> Reply {
    let mut reply = new(StatusCode::OK, "text/plain; charset=utf-8", text);
    set(&mut reply, CACHE_CONTROL, "no-store");
    reply
}

/// The response to a request that changed something.
pub(super) fn done() -> Reply {
    new(StatusCode::NO_CONTENT, "text/plain; charset=utf-8", "")
}

/// The response to a script that cannot be followed.
pub(super) fn refused(problem: &str) -> Reply {
    new(
        StatusCode::BAD_REQUEST,
        "text/plain; charset=utf-8",
        format!("{problem}\n"),
    )
}

/// Redirects to a page of the broker.
pub(super) fn see(path: &str) -> Reply {
    let mut reply = page(StatusCode::SEE_OTHER, String::new());
    set(&mut reply, LOCATION, path);
    reply
}

/// A style sheet or a script of a page.
pub(super) fn resource(content_type: &'static str, text: &'static str) -> Reply {
    let mut reply = new(StatusCode::OK, content_type, text);
    set(&mut reply, CACHE_CONTROL, "no-cache");
    reply
}

/// Redirects the person to the relying party with the answer.
pub(super) fn callback(address: &ReturnAddress, answer: &[(&str, &str)]) -> Reply {
    // The broker sends `state` even if there is none.
    let state = [("state", address.state.as_str())];
    let fields: Vec<_> = answer.iter().chain(&state).copied().collect();
    let mut location = address.redirect_uri.clone();
    match address.mode {
        ResponseMode::FormPost => return page(StatusCode::OK, pages::forward(address, &fields)),
        ResponseMode::Fragment => {
            let encoded = fields
                .iter()
                .map(|(name, value)| format!("{name}={}", encode(value)));
            location.set_fragment(Some(&encoded.collect::<Vec<_>>().join("&")));
        }
        ResponseMode::Query => {
            location.query_pairs_mut().extend_pairs(&fields);
        }
    }
    let mut reply = page(StatusCode::SEE_OTHER, String::new());
    set(&mut reply, LOCATION, location.as_str());
    reply
}

/// Refuses a request that cannot be sent back, with a message for the person at the browser.
pub(super) fn bad_request(text: &str) -> Reply {
    page(
        StatusCode::BAD_REQUEST,
        pages::message("This sign-in request is not valid", text),
    )
}

/// Explains that a mail cannot be used any more.
pub(super) fn gone() -> Reply {
    let text = "It has expired or is complete. Start again at the site.";
    page(StatusCode::GONE, pages::message("This login is over", text))
}

pub(super) fn not_found() -> Reply {
    page(
        StatusCode::NOT_FOUND,
        pages::message("Nothing here", "There is no such page on this broker."),
    )
}

pub(super) fn wrong_method(allowed: &'static str) -> Reply {
    let mut reply = page(
        StatusCode::METHOD_NOT_ALLOWED,
        pages::message("Wrong method", "This page answers to other requests."),
    );
    set(&mut reply, ALLOW, allowed);
    reply
}

pub(super) fn failure() -> Reply {
    page(
        StatusCode::INTERNAL_SERVER_ERROR,
        pages::message("The broker failed", "Its log may say why."),
    )
}

/// The response that a test has set; `None` if only a delay is set.
pub(super) fn fault(fault: &Fault) -> Option<Reply> {
    if fault.status.is_none() && fault.body.is_none() {
        return None;
    }
    let status = fault.status.unwrap_or(200);
    let mut reply = new(
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        "text/plain; charset=utf-8",
        fault.body.clone().unwrap_or_default(),
    );
    for (name, value) in &fault.headers {
        if let Ok(name) = HeaderName::try_from(name) {
            set(&mut reply, name, value);
        }
    }
    Some(reply)
}

/// Adds the headers of every response of the broker.
pub(super) fn finish(mut reply: Reply, now: SystemTime) -> Reply {
    // Otherwise the server would use the system's clock.
    set(&mut reply, DATE, &httpdate::fmt_http_date(now));
    set(&mut reply, CONTENT_SECURITY_POLICY, POLICY);
    set(&mut reply, X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(&mut reply, X_FRAME_OPTIONS, "DENY");
    set(&mut reply, REFERRER_POLICY, "no-referrer");
    reply
}

fn json(text: String) -> Reply {
    new(StatusCode::OK, "application/json", text)
}

fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    *reply.status_mut() = status;
    set(&mut reply, CONTENT_TYPE, content_type);
    reply
}

fn set(reply: &mut Reply, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        reply.headers_mut().insert(name, value);
    }
}

/// Percent-encodes as in RFC 3986: a space is `%20`.
fn encode(value: &str) -> String {
    byte_serialize(value.as_bytes())
        .map(|part| if part == "+" { "%20" } else { part })
        .collect()
}
