//! Answers for scripts, which need JSON.

use serde_json::{Map, Value, json};

use super::problem::Problem;
use super::reply::Reply;
use super::request::Head;
use super::texts::Language;
use crate::error::Code;

/// Sends a browser on. A script gets the address as JSON, since it cannot follow a redirect to another
/// site; that of htmx gets it in a header as well.
pub(super) fn redirect(head: &Head, url: String) -> Reply {
    if !head.is_from_script() {
        return Reply::see_other(url);
    }
    let mut reply = Reply::json(200, "application/json", &json!({ "url": url }));
    if head.hx_request.as_deref() == Some("true") {
        reply.headers.push(("hx-redirect", url));
    }
    reply
}

/// A problem as RFC 9457 has it.
pub(super) fn problem(problem: &Problem, code: Code) -> Reply {
    let Problem {
        id,
        status,
        title,
        text,
        ..
    } = problem;
    let value = details(id.as_str(), *status, title, text, code);
    Reply::json(*status, PROBLEM_JSON, &value)
}

/// The question whether to go on in this browser: the script asks the person, and posts the fields if
/// they agree.
pub(super) fn question(language: &Language, email: &str, fields: Vec<(String, String)>) -> Reply {
    let (title, text) = language.question();
    let mut value = details("confirmation", 409, title, text, Code::SessionBrowser);
    let named: Map<_, _> = fields
        .into_iter()
        .map(|(name, value)| (name, Value::String(value)))
        .collect();
    if let Some(members) = value.as_object_mut() {
        members.insert("email".to_owned(), email.into());
        members.insert("fields".to_owned(), Value::Object(named));
    }
    Reply::json(409, PROBLEM_JSON, &value)
}

const PROBLEM_JSON: &str = "application/problem+json";

fn details(id: &str, status: u16, title: &str, text: &str, code: Code) -> Value {
    json!({
        "type": format!("urn:portier-client:problem:{id}"),
        "title": title,
        "status": status,
        "detail": text,
        "code": code.as_str(),
    })
}
