//! What came of a request, in the types of JavaScript.

use napi_derive::napi;
use portier_client::web::{self, Reply};

use crate::failure::Failure;
use crate::login::{self, Login};
use crate::session::{PackedSession, packed};

/// What came of a request: the status; the headers, each as a name, a colon, and the value; the cookies; the
/// cookies of a login; the login; its session; the page; and why there is no login.
///
/// It is an array, and a list of texts is one text: each property of an object, and each text, takes time.
pub(crate) type Step = (
    u16,
    Lines,
    Lines,
    Lines,
    Option<Login>,
    Option<PackedSession>,
    Option<Page>,
    Option<Failure>,
);

/// Texts without line breaks, a line for each. Without a text it is empty.
type Lines = String;

/// The body of a reply: its policy, the body, and the problem or the question that it shows.
type Page = (
    Option<String>,
    String,
    Option<Problem>,
    Option<Confirmation>,
);

/// The headers of every reply, which a step does not repeat.
#[napi(catch_unwind)]
pub fn common_headers() -> Vec<Vec<&'static str>> {
    Reply::COMMON_HEADERS
        .iter()
        .map(|&(name, value)| vec![name, value])
        .collect()
}

pub(crate) fn to_js(step: web::Step) -> Step {
    let Reply {
        status,
        headers,
        cookies,
        policy,
        body,
        ..
    } = step.reply;
    let (problem, confirmation) = match step.page {
        Some(web::Page::Problem(problem)) => (Some(problem.into()), None),
        Some(web::Page::Confirmation(question)) => (None, Some(question.into())),
        _ => (None, None),
    };
    (
        status,
        own(&headers),
        cookies.join("\n"),
        step.login_cookies.join("\n"),
        step.login.map(login::to_js),
        step.session.map(|session| packed(&session, None)),
        (!body.is_empty()).then_some((policy, body, problem, confirmation)),
        step.error.as_ref().map(Failure::from),
    )
}

/// The headers that only this reply has.
fn own(headers: &[(&'static str, String)]) -> Lines {
    let mut lines = String::new();
    for (name, value) in headers {
        if !Reply::COMMON_HEADERS.contains(&(*name, value.as_str())) {
            let end = if lines.is_empty() { "" } else { "\n" };
            lines.extend([end, *name, ":", value.as_str()]);
        }
    }
    lines
}

/// A failed login in words.
#[napi(object, object_from_js = false, use_nullable = true)]
pub struct Problem {
    /// The stable name.
    pub id: &'static str,
    /// The status.
    pub status: u16,
    /// A few words.
    pub title: String,
    /// A sentence or two.
    pub text: String,
    /// Seconds.
    pub retry_after: Option<u32>,
    /// The language of the words.
    pub language: String,
    /// What was typed into the login form as the address.
    pub typed_email: Option<String>,
    /// The page that the login form leads to.
    pub next: Option<String>,
}

impl From<web::Problem> for Problem {
    fn from(problem: web::Problem) -> Self {
        Self {
            id: problem.id.as_str(),
            status: problem.status,
            title: problem.title,
            text: problem.text,
            retry_after: problem.retry_after,
            language: problem.language,
            typed_email: problem.typed_email,
            next: problem.next,
        }
    }
}

/// The question whether to sign in in this browser.
#[napi(object, object_from_js = false)]
pub struct Confirmation {
    /// The address to sign in as.
    pub email: String,
    /// Names and values of the hidden fields of the form that confirms.
    pub fields: Vec<(String, String)>,
    /// The language chosen for this browser.
    pub language: String,
}

impl From<web::Confirmation> for Confirmation {
    fn from(question: web::Confirmation) -> Self {
        Self {
            email: question.email,
            fields: question.fields,
            language: question.language,
        }
    }
}
