//! The flow answers every request.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use http::header::HeaderMap;
use proptest::prelude::*;

use super::super::{Body, BrowserBinding, FlowOptions, LoginFlow, WebRequest};
use crate::Client;
use crate::session::FieldValue;
use crate::testing::{ManualClock, ManualRandom, MockTransport};

fn flow(options: FlowOptions) -> LoginFlow {
    let transport = Arc::new(MockTransport::new());
    let client = Client::builder("https://example.com/verify")
        .broker("https://broker.example")
        .transport(transport)
        .clock(Arc::new(ManualClock::at(1_790_000_000)))
        .random(Arc::new(ManualRandom::default()))
        .build()
        .unwrap();
    LoginFlow::new(client, options).unwrap()
}

fn header_values() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("same-origin".to_owned()),
        Just("cross-site".to_owned()),
        Just("cors".to_owned()),
        Just("null".to_owned()),
        Just("https://example.com".to_owned()),
        Just("application/json".to_owned()),
        Just("application/x-www-form-urlencoded".to_owned()),
        Just("prefetch;prerender".to_owned()),
        Just(format!(
            "__Host-portier={}; __Host-portier-probe=1",
            "a".repeat(43)
        )),
        Just(format!(
            "__Host-portier={}; __Host-portier-signed-in=L21lbWJlcnM.abc",
            "a".repeat(43)
        )),
        "\\PC{0,40}",
        "[a-z]{2}(-[A-Z]{2})?;q=[0-9.]{1,5}",
    ]
}

fn bodies() -> impl Strategy<Value = Body> {
    let names = prop_oneof![
        Just("email"),
        Just("next"),
        Just("id_token"),
        Just("code"),
        Just("state"),
        Just("error"),
        Just("error_description"),
        Just("portier_again"),
        Just("portier_confirmation"),
    ];
    let values = prop_oneof![
        Just("<script>alert(1)</script>".to_owned()),
        Just("\"><img src=x>".to_owned()),
        Just("a@example.com\r\nSet-Cookie: b=1".to_owned()),
        Just("//evil.example".to_owned()),
        Just("access_denied".to_owned()),
        "\\PC{0,30}",
    ];
    let field = (names, values, any::<bool>()).prop_map(|(name, value, is_text)| {
        let value = if is_text {
            FieldValue::Text(value)
        } else {
            FieldValue::NotText
        };
        (name.to_owned(), value)
    });
    prop_oneof![
        prop::collection::vec(field, 0..6).prop_map(Body::Fields),
        prop::collection::vec(any::<u8>(), 0..200).prop_map(Body::Bytes),
        Just(Body::TooLarge),
        Just(Body::Unreadable),
        Just(Body::Empty),
    ]
}

fn requests() -> impl Strategy<Value = WebRequest> {
    let methods = prop_oneof![Just("POST"), Just("GET"), Just("HEAD"), Just("PUT")];
    let headers = prop::collection::vec(
        (
            prop::sample::select(&WebRequest::HEADERS[..]),
            header_values(),
        ),
        0..8,
    );
    let queries = prop_oneof![
        Just(String::new()),
        Just("?code=a&state=b".to_owned()),
        Just("error=access_denied".to_owned()),
        Just("id_token=a.b.c".to_owned()),
        "([a-z_]{1,9}|code|state|error)=\\PC{0,20}&(code|portier_again)=[%0-9a-z]{0,9}",
    ];
    (methods, headers, bodies(), queries).prop_map(|(method, headers, body, query)| {
        let mut request = WebRequest::new(method, body).with_query(query);
        for (name, value) in headers {
            request.set_header(name, &value);
        }
        request
    })
}

fn bindings() -> impl Strategy<Value = BrowserBinding> {
    prop_oneof![
        Just(BrowserBinding::Confirm),
        Just(BrowserBinding::Require),
        Just(BrowserBinding::Off)
    ]
}

#[derive(Clone, Copy, Debug)]
enum Asked {
    Login,
    Callback,
    RequireLogin,
    Logout,
}

proptest! {
    #[test]
    fn every_request_has_an_answer_that_is_safe_to_send(
        request in requests(),
        binding in bindings(),
        asked in prop::sample::select(vec![
            Asked::Login, Asked::Callback, Asked::RequireLogin, Asked::Logout,
        ]),
        page in "/?\\PC{0,30}",
    ) {
        let options = FlowOptions { browser_binding: binding, ..FlowOptions::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let step = runtime.block_on(async {
            let flow = flow(options);
            match asked {
                Asked::Login => flow.login(request).await,
                Asked::Callback => flow.callback(request).await,
                Asked::RequireLogin => flow.require_login(&request, &page),
                Asked::Logout => flow.logout(request),
            }
        });
        prop_assert!(step.login.is_none() && step.login_cookies.is_empty());
        let reply = step.reply.clone();
        // Neither a page fetched in advance nor a page for members is an error of a login.
        let is_quiet = reply.body.is_empty() || reply.status == 401;
        prop_assert_eq!(step.error.is_some(), reply.status >= 400 && !is_quiet);
        let sent = reply.headers.len() + reply.cookies.len() + usize::from(reply.policy.is_some());
        let response = reply.clone().into_response();
        prop_assert_eq!(response.headers().len(), sent, "a header was lost");
        prop_assert!(is_private(response.headers()));
        prop_assert!(!reply.body.contains("<script>alert") && !reply.body.contains("<img"));
        let names: BTreeMap<_, _> = reply.headers.into_iter().collect();
        let is_ours = |url: &Cow<'_, str>| {
            url == "/" || url.starts_with("/?next=") || url.starts_with('?')
                || url.starts_with("https://broker.example/")
        };
        prop_assert!(names.get("location").is_none_or(is_ours));
    }
}

fn is_private(headers: &HeaderMap) -> bool {
    headers["cache-control"] == "no-store, no-transform"
        && headers["referrer-policy"] == "no-referrer"
        && headers["x-content-type-options"] == "nosniff"
}

#[test]
fn the_callback_is_found_by_its_exact_path() {
    let site = flow(FlowOptions::default());
    for (target, expected) in [
        ("/verify", true),
        ("/verify?a=/b", true),
        ("https://example.com/verify", true),
        ("http://127.0.0.1:8000/verify?a=b", true),
        ("/verify/", false),
        ("/Verify", false),
        ("/app/verify", false),
        ("/%76erify", false),
        ("/login?next=https://example.com/verify", false),
        ("https://example.com", false),
        ("*", false),
        ("", false),
    ] {
        assert_eq!(site.is_callback(target), expected, "{target}");
    }
    let moved = FlowOptions {
        callback_path: Some("/inside".to_owned()),
        ..FlowOptions::default()
    };
    assert!(flow(moved).is_callback("/inside?x"));
}

#[test]
fn the_flow_may_run_on_any_thread() {
    fn check<T: Send>(_: T) {}
    let site = flow(FlowOptions::default());
    check(site.login(WebRequest::new("POST", Body::Empty)));
    check(site.start(WebRequest::new("POST", Body::Empty), "", ""));
    check(site.callback(WebRequest::new("POST", Body::Empty)));
}

#[tokio::test]
async fn a_script_of_another_site_replaces_no_secret() {
    for site in ["cross-site", "same-site"] {
        let fields = vec![("id_token".to_owned(), "a.b.c".to_owned().into())];
        let mut request = WebRequest::new("POST", Body::Fields(fields));
        for (name, value) in [
            ("content-type", "application/x-www-form-urlencoded"),
            ("accept", "application/json"),
            ("sec-fetch-mode", "cors"),
            ("sec-fetch-site", site),
        ] {
            request.set_header(name, value);
        }
        let step = flow(FlowOptions::default()).callback(request).await;
        let cookies = step.reply.cookies;
        assert_eq!(cookies.len(), 1, "{site}");
        let is_probe = |cookie: &String| cookie.starts_with("__Host-portier-probe=");
        assert!(cookies.iter().all(is_probe), "{site}");
    }
}

/// Every call of a binding moves its future into a box, and then to the runtime if it has to wait.
#[test]
fn futures_are_small() {
    let flow = flow(FlowOptions::default());
    let request = || WebRequest::new("POST", Body::Empty);
    let client = flow.client();
    for (name, size, limit) in [
        ("verify", size_of_val(&client.verify("token")), 2048),
        (
            "authenticate",
            size_of_val(&client.authenticate("alice@example.com")),
            2560,
        ),
        ("login", size_of_val(&flow.login(request())), 4096),
        ("callback", size_of_val(&flow.callback(request())), 5120),
    ] {
        assert!(size <= limit, "{name}: {size} bytes");
    }
}
