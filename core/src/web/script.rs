//! Answers for scripts, which need JSON.

use serde_json::{Map, Value, json};

use super::problem::Problem;
use super::reply::Reply;
use super::request::Head;
use super::texts::Language;
use crate::error::Code;

/// Redirects a browser. A script gets the URL as JSON, because it cannot follow a redirect to
/// another site.
pub(super) fn redirect(head: &Head, url: String) -> Reply {
    if !head.is_from_script() {
        return Reply::see_other(url);
    }
    let reply = Reply::json(200, "application/json", &json!({ "url": url }));
    with_htmx_redirect(reply, head, url)
}

/// A problem in the format of RFC 9457.
pub(super) fn problem(problem: &Problem, code: Code) -> Reply {
    let code = ("code", code.as_str().into());
    problem_json(problem.status, details_of(problem), &[code])
}

/// The problem of a page that needs a login, and the URL of the login page. No login has failed, so the code is
/// that of no error.
pub(super) fn not_signed_in(head: &Head, problem: &Problem, login_url: String) -> Reply {
    let members = [
        ("code", problem.id.as_str().into()),
        ("url", login_url.as_str().into()),
    ];
    let mut reply = problem_json(problem.status, details_of(problem), &members);
    // A challenge is required (RFC 9110, section 15.5.2). Browsers ignore this one.
    reply.headers.push(("www-authenticate", "Cookie".into()));
    with_htmx_redirect(reply, head, login_url)
}

/// The question whether to continue in this browser: the script asks the person, and posts the
/// fields if they agree.
pub(super) fn question(language: &Language, email: &str, fields: Vec<(String, String)>) -> Reply {
    let (title, text) = language.question();
    let mut posted = Map::new();
    for (name, value) in fields {
        posted.insert(name, value.into());
    }
    let members = [
        ("code", Code::SessionBrowser.as_str().into()),
        ("email", email.into()),
        ("fields", posted.into()),
    ];
    problem_json(409, ("confirmation", title, text), &members)
}

/// The script of htmx follows the redirect in this header.
fn with_htmx_redirect(mut reply: Reply, head: &Head, url: String) -> Reply {
    if head.is_from_htmx() {
        reply.headers.push(("hx-redirect", url.into()));
    }
    reply
}

fn details_of(problem: &Problem) -> (&str, &str, &str) {
    (problem.id.as_str(), &problem.title, &problem.text)
}

fn problem_json(
    status: u16,
    (id, title, text): (&str, &str, &str),
    more: &[(&str, Value)],
) -> Reply {
    let common = [
        ("type", format!("urn:portier-client:problem:{id}").into()),
        ("title", title.into()),
        ("status", status.into()),
        ("detail", text.into()),
    ];
    let mut members = Map::new();
    for (name, value) in common.iter().chain(more) {
        members.insert((*name).to_owned(), value.clone());
    }
    Reply::json(status, "application/problem+json", &members.into())
}
