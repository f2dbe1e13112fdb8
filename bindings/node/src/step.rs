//! What came of a request, in the types of JavaScript.

use napi_derive::napi;
use portier_client::web::{self, Reply};

use crate::failure::Failure;
use crate::login::{self, Login};
use crate::session::{PackedSession, packed};

/// What came of a request: the head of the reply, the login, its session, and what a redirect does not have.
///
/// It is an array, and the head is one text: each property of an object, and each text, takes time.
pub(crate) type Step = (Head, Option<Login>, Option<PackedSession>, Option<Page>);

/// The head of a reply: a line with the status, and one for each header: the name, a colon, and the value. The
/// cookies of a login have the name `login-cookie`.
type Head = String;

/// The policy of a body, the body, the problem or the question that it shows, and why there is no login.
type Page = (
    Option<String>,
    String,
    Option<Problem>,
    Option<Confirmation>,
    Option<Failure>,
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
    let head = head(&step.reply, &step.login_cookies);
    let Reply { policy, body, .. } = step.reply;
    let (problem, confirmation) = match step.page {
        Some(web::Page::Problem(problem)) => (Some(problem.into()), None),
        Some(web::Page::Confirmation(question)) => (None, Some(question.into())),
        _ => (None, None),
    };
    let error = step.error.as_ref().map(Failure::from);
    let is_page = !body.is_empty() || error.is_some();
    (
        head,
        step.login.map(login::to_js),
        step.session.map(|session| packed(&session, None)),
        is_page.then_some((policy, body, problem, confirmation, error)),
    )
}

/// The status, the cookies, and the headers that only this reply has.
fn head(reply: &Reply, login_cookies: &[String]) -> Head {
    let mut lines = String::with_capacity(256);
    lines.push_str(&reply.status.to_string());
    let mut add = |name: &str, value: &str| lines.extend(["\n", name, ":", value]);
    for (name, value) in &reply.headers {
        if !Reply::COMMON_HEADERS.contains(&(*name, &**value)) {
            add(name, value);
        }
    }
    for cookie in &reply.cookies {
        add("set-cookie", cookie);
    }
    for cookie in login_cookies {
        add("login-cookie", cookie);
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
