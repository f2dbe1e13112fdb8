//! The session of a request, pages that need one, and signing out.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::sync::Arc;
use std::time::Duration;

use super::super::super::{Body, FlowOptions, SessionOptions};
use super::*;
use crate::Client;
use crate::testing::{ManualClock, MockTransport};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const SECRET: &[u8] = b"WkT1vS7mQ9x4LhR2nYcB8dGpJ6fZaE3u";

struct Site {
    clock: Arc<ManualClock>,
    flow: LoginFlow,
}

impl Site {
    fn new(adapt: impl FnOnce(&mut FlowOptions)) -> Self {
        let clock = Arc::new(ManualClock::at(1_790_000_000));
        let client = Client::builder("https://example.com/verify")
            .transport(Arc::new(MockTransport::new()))
            .clock(clock.clone())
            .build()
            .unwrap();
        let mut options = FlowOptions {
            session: Some(SessionOptions::new(vec![SECRET.to_vec()])),
            ..FlowOptions::default()
        };
        adapt(&mut options);
        Self {
            clock,
            flow: LoginFlow::new(client, options).unwrap(),
        }
    }
}

fn request(method: &str, headers: &[(&str, &str)]) -> WebRequest {
    let mut request = WebRequest::new(method, Body::Empty);
    for (name, value) in headers {
        request.set_header(name, value);
    }
    request
}

/// The `Cookie` header of a browser for a cookie that was set.
fn sent_back(set_cookie: &str) -> &str {
    set_cookie.split(';').next().unwrap()
}

fn header<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    let mut headers = reply.headers.iter();
    headers
        .find(|(known, _)| *known == name)
        .map(|(_, value)| &**value)
}

#[test]
fn the_session_of_a_request_is_that_of_its_cookie() {
    let site = Site::new(|_| {});
    let (session, set_cookie) = site.flow.start_session("Alice@Example.com").unwrap();
    assert_eq!(session.email, "alice@example.com");
    let cookie = request("GET", &[("cookie", sent_back(&set_cookie))]);
    let visit = site.flow.session(&cookie).unwrap();
    assert_eq!((&visit.session, &visit.renewal), (&session, &None));
    assert_eq!(site.flow.session(&request("GET", &[])), None);
    site.clock.advance(8 * DAY);
    let renewal = site.flow.session(&cookie).unwrap().renewal.unwrap();
    site.clock.advance(8 * DAY);
    assert_eq!(site.flow.session(&cookie), None, "14 days are over");
    let renewed = request("GET", &[("cookie", sent_back(&renewal))]);
    assert_eq!(site.flow.session(&renewed).unwrap().session.id, session.id);
}

#[test]
fn a_flow_without_sessions_starts_and_finds_none() {
    let (_, set_cookie) = Site::new(|_| {})
        .flow
        .start_session("alice@example.com")
        .unwrap();
    let without = Site::new(|options| options.session = None);
    let cookie = request("GET", &[("cookie", sent_back(&set_cookie))]);
    assert_eq!(without.flow.session(&cookie), None);
    let error = without.flow.start_session("alice@example.com").unwrap_err();
    assert_eq!(error.code(), Code::InvalidOption);
}

#[test]
fn a_session_needs_an_address() {
    let error = Site::new(|_| {}).flow.start_session("nobody").unwrap_err();
    assert_eq!(error.code(), Code::InvalidEmail);
}

#[test]
fn a_secret_that_can_be_guessed_is_refused_with_the_options() {
    let client = Client::builder("https://example.com/verify")
        .build()
        .unwrap();
    let options = FlowOptions {
        session: Some(SessionOptions::new(vec![b"too short".to_vec()])),
        ..FlowOptions::default()
    };
    let error = LoginFlow::new(client, options).unwrap_err();
    assert_eq!(error.code(), Code::InvalidOption);
}

#[test]
fn a_browser_that_is_not_signed_in_is_redirected_to_the_login_page_and_back() {
    let site = Site::new(|options| options.login_url = Some("/in?lang=de".to_owned()));
    for (method, page, expected) in [
        (
            "GET",
            "/members?page=2",
            "/in?lang=de&next=%2Fmembers%3Fpage%3D2",
        ),
        ("HEAD", "/members", "/in?lang=de&next=%2Fmembers"),
        ("POST", "/members", "/in?lang=de"),
        ("PUT", "/members", "/in?lang=de"),
        ("GET", "//evil.example", "/in?lang=de"),
        ("GET", "https://evil.example/", "/in?lang=de"),
        ("GET", "/\\evil.example", "/in?lang=de"),
        ("GET", "/a\r\nSet-Cookie: b=1", "/in?lang=de"),
        ("GET", "", "/in?lang=de"),
    ] {
        let step = site.flow.require_login(&request(method, &[]), page);
        assert_eq!(step.reply.status, 303);
        assert_eq!(header(&step.reply, "location"), Some(expected), "{page}");
        assert_eq!(
            header(&step.reply, "cache-control"),
            Some("no-store, no-transform")
        );
        assert!(step.error.is_none() && step.page.is_none());
    }
}

/// Whether a redirect to the login page from a page would never end.
fn is_endless(site: &Site, page: &str) -> bool {
    let step = site.flow.require_login(&request("GET", &[]), page);
    let code = step.error.as_ref().map(Error::code);
    let expected = match step.reply.status {
        303 => None,
        _ => Some(Code::InvalidOption),
    };
    assert_eq!(code, expected, "{page}");
    code.is_some()
}

#[test]
fn a_login_page_that_needs_a_login_is_an_error_of_the_site() {
    for (login_url, page, expected) in [
        ("/", "/", true),
        ("/", "/?", true),
        ("/", "/?next=%2Fmembers", true),
        ("/", "/?page=2", false),
        ("/", "/members", false),
        ("/in#form", "/in", true),
        ("/in?lang=de", "/in?lang=de&next=%2F", true),
        ("/in?lang=de", "/in?lang=fr", false),
        // Another page may be at the same path.
        ("/?page=login", "/", false),
        ("/?page=login", "/?page=members", false),
        ("/für", "/f%C3%BCr", true),
        ("/in", "/In", false),
        ("/in", "/in/more", false),
        ("https://example.com/in", "https://example.com/in", false),
        ("https://id.example.com/in", "/in", false),
        ("https://id.example.com/in", "/in?next=%2Fin", false),
        ("http://example.com/in", "/in?next=%2Fin", false),
    ] {
        let site = Site::new(|options| options.login_url = Some(login_url.to_owned()));
        assert_eq!(is_endless(&site, page), expected, "{login_url} {page}");
    }
}

#[test]
fn a_browser_that_was_sent_back_to_a_guarded_page_is_not_sent_away_again() {
    for (login_url, page) in [
        ("https://example.com/in", "/in"),
        ("https://EXAMPLE.com:443/in?a=b", "/in?a=b"),
        // The server redirects to the path with a slash, or without it.
        ("/in", "/in/"),
        ("/in/", "/in"),
        ("/(in)", "/%28in%29"),
    ] {
        let site = Site::new(|options| options.login_url = Some(login_url.to_owned()));
        assert!(!is_endless(&site, page), "{login_url} {page}");
        let separator = if page.contains('?') { '&' } else { '?' };
        let visited = |next: &str| format!("{page}{separator}next={next}");
        assert!(!is_endless(&site, &visited("%2Fmembers")), "{login_url}");
        let own = form_urlencoded::byte_serialize(page.as_bytes()).collect::<String>();
        assert!(is_endless(&site, &visited(&own)), "{login_url} {page}");
    }
}

#[test]
fn only_a_browser_that_would_come_back_is_told_that_the_login_page_needs_a_login() {
    let site = Site::new(|_| {});
    for method in ["POST", "PUT", "DELETE"] {
        let step = site.flow.require_login(&request(method, &[]), "/");
        assert_eq!(header(&step.reply, "location"), Some("/"), "{method}");
    }
    let step = site.flow.require_login(&request("HEAD", &[]), "/");
    assert_eq!(step.reply.status, 500);
    let script = request("GET", &[("sec-fetch-mode", "cors")]);
    assert_eq!(site.flow.require_login(&script, "/").reply.status, 401);
    let failures = site.flow.client().stats().failures;
    assert_eq!(failures.get("invalid_option"), Some(&1));
}

#[test]
fn a_script_that_is_not_signed_in_gets_a_problem() {
    let site = Site::new(|options| options.languages = vec!["en".to_owned(), "de".to_owned()]);
    let headers = [
        ("accept", "application/json"),
        ("accept-language", "de"),
        ("hx-request", "true"),
    ];
    let step = site
        .flow
        .require_login(&request("GET", &headers), "/members");
    assert_eq!(step.reply.status, 401);
    assert_eq!(
        header(&step.reply, "content-type"),
        Some("application/problem+json")
    );
    assert_eq!(
        header(&step.reply, "cache-control"),
        Some("no-store, no-transform")
    );
    assert_eq!(header(&step.reply, "hx-redirect"), Some("/"));
    assert!(header(&step.reply, "www-authenticate").is_some());
    let problem: serde_json::Value = serde_json::from_str(&step.reply.body).unwrap();
    let expected = serde_json::json!({
        "type": "urn:portier-client:problem:not_signed_in",
        "title": "Bitte melden Sie sich an",
        "status": 401,
        "detail": "Diese Seite ist nur für angemeldete Personen zugänglich.",
        "code": "not_signed_in",
        "url": "/",
    });
    assert_eq!(problem, expected);
    assert!(step.error.is_none(), "no login has failed");
}

#[test]
fn signing_out_ends_the_session_and_the_proof_of_the_login() {
    let site = Site::new(|options| options.login_url = Some("/in".to_owned()));
    let here = ("sec-fetch-site", "same-origin");
    let step = site.flow.logout(request("POST", &[here]));
    assert_eq!(step.reply.status, 303);
    assert_eq!(header(&step.reply, "location"), Some("/in"));
    let flags = "; Max-Age=0; Path=/; HttpOnly; SameSite=Lax; Secure";
    let expected = [
        format!("__Host-portier-session={flags}"),
        format!("__Host-portier-signed-in={flags}"),
    ];
    assert_eq!(step.reply.cookies, expected);
    let script = [here, ("sec-fetch-mode", "cors")];
    let step = site.flow.logout(request("POST", &script));
    assert_eq!(
        (step.reply.status, &*step.reply.body),
        (200, r#"{"url":"/in"}"#)
    );
    assert_eq!(step.reply.cookies, expected);
}

#[test]
fn only_a_form_of_this_site_signs_out() {
    let site = Site::new(|_| {});
    let no_one = |method: &str, headers: &[(&str, &str)], status: u16| {
        let step = site.flow.logout(request(method, headers));
        assert_eq!(step.reply.status, status, "{method} {headers:?}");
        assert!(step.reply.cookies.is_empty() && step.error.is_some());
        step
    };
    for method in ["GET", "HEAD", "PUT", "DELETE", "post"] {
        let step = no_one(method, &[], 405);
        assert_eq!(header(&step.reply, "allow"), Some("POST"));
    }
    for headers in [
        &[("sec-fetch-site", "cross-site"), ("origin", "null")][..],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors")],
    ] {
        let step = no_one("POST", headers, 403);
        assert_eq!(step.error.unwrap().code(), Code::RequestOrigin);
    }
    let checked = request("POST", &[("origin", "null")]).with_checked_form_token(true);
    assert_eq!(site.flow.logout(checked).reply.status, 303);
}

#[test]
fn the_page_is_added_to_the_query_of_the_login_page() {
    const SITE: &str = "https://example.com";
    for (login_url, next, expected) in [
        ("/", "/a", "/?next=%2Fa"),
        ("/in", "/a?b=1&c=2#d", "/in?next=%2Fa%3Fb%3D1%26c%3D2%23d"),
        ("/in?", "/a", "/in?next=%2Fa"),
        ("/in?lang=de", "/a", "/in?lang=de&next=%2Fa"),
        ("/in?lang=de#form", "/a", "/in?lang=de&next=%2Fa#form"),
        ("/in#form?x", "/a", "/in?next=%2Fa#form?x"),
        ("/in?next=%2Fb&a=%20&n%65xt=c", "/a", "/in?a=%20&next=%2Fa"),
        ("/in?nexts=1", "/a", "/in?nexts=1&next=%2Fa"),
        (
            "https://example.com/in",
            "/a",
            "https://example.com/in?next=%2Fa",
        ),
        (
            "https://id.example.com/in",
            "/a",
            "https://id.example.com/in?next=https%3A%2F%2Fexample.com%2Fa",
        ),
        (
            "https://id.example.com/in",
            "https://shop.example.com/",
            "https://id.example.com/in?next=https%3A%2F%2Fshop.example.com%2F",
        ),
    ] {
        assert_eq!(with_next(login_url, next, SITE), expected, "{login_url}");
    }
}

#[test]
fn a_prefix_that_a_proxy_strips_is_added_once() {
    let client = Client::builder("https://example.com/app/verify")
        .transport(Arc::new(MockTransport::new()))
        .build()
        .unwrap();
    let options = FlowOptions {
        callback_path: Some("/verify".to_owned()),
        ..FlowOptions::default()
    };
    let flow = LoginFlow::new(client, options).unwrap();
    for (page, expected) in [
        ("/members?a=b", "/app/members?a=b"),
        ("/app", "/app"),
        ("/app?a=b", "/app?a=b"),
        ("/app/members", "/app/members"),
        ("/apple", "/app/apple"),
        ("//evil.example", "/app//evil.example"),
        ("*", "*"),
    ] {
        assert_eq!(flow.as_browsers_see(page), expected);
    }
}
