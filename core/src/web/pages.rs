//! The pages of the flow. They load nothing, and work without scripts.

use std::sync::LazyLock;

use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::problem::{Problem, ProblemId};
use super::texts::{Language, Text};

/// Where the forms of a page may lead, as sources of a policy.
///
/// Chromium holds a form to it through all redirects that follow, and those of the site go where it
/// likes: to another host of it, or to the client of a single sign-on.
const FORM_TARGETS: &str = "'self' https:";

const STYLE: &str = include_str!("../../templates/style.css");
const CONFIRMATION_SCRIPT: &str = include_str!("../../templates/web/confirmation.js");
const POST_SCRIPT: &str = include_str!("../../templates/web/post.js");
const FRAGMENT_SCRIPT: &str = include_str!("../../templates/web/fragment.js");

/// A page.
pub(super) struct Html {
    pub(super) body: String,
    /// Its `Content-Security-Policy`.
    pub(super) policy: &'static str,
}

/// Says what went wrong, with a link to start again.
pub(super) fn problem(language: &Language, problem: &Problem, login_url: &str) -> Html {
    static POLICY: LazyLock<String> = LazyLock::new(|| policy(None));
    let page = ProblemPage {
        language,
        problem,
        login_url,
    };
    html(&page, &POLICY)
}

/// Asks whether to go on in a browser that did not start the login.
pub(super) fn confirmation(
    language: &Language,
    email: &str,
    fields: &[(String, String)],
    login_url: &str,
) -> Html {
    static POLICY: LazyLock<String> = LazyLock::new(|| policy(Some(CONFIRMATION_SCRIPT)));
    let (before, after) = language.around_email();
    let page = ConfirmationPage {
        language,
        before,
        email,
        after,
        fields,
        login_url,
    };
    html(&page, &POLICY)
}

/// Posts a form to its own address: the browser then sends the cookies that it withholds from a form
/// of another site.
pub(super) fn post_again(language: &Language, fields: &[(String, String)]) -> Html {
    static POLICY: LazyLock<String> = LazyLock::new(|| policy(Some(POST_SCRIPT)));
    html(&PostPage { language, fields }, &POLICY)
}

/// Posts the fragment of its address, which no server ever sees, to that address.
pub(super) fn fragment(language: &Language) -> Html {
    static POLICY: LazyLock<String> = LazyLock::new(|| policy(Some(FRAGMENT_SCRIPT)));
    html(&FragmentPage { language }, &POLICY)
}

#[derive(Template)]
#[template(path = "web/problem.html")]
struct ProblemPage<'a> {
    language: &'a Language,
    problem: &'a Problem,
    login_url: &'a str,
}

#[derive(Template)]
#[template(path = "web/confirmation.html")]
struct ConfirmationPage<'a> {
    language: &'a Language,
    before: &'a str,
    email: &'a str,
    after: &'a str,
    fields: &'a [(String, String)],
    login_url: &'a str,
}

#[derive(Template)]
#[template(path = "web/post.html")]
struct PostPage<'a> {
    language: &'a Language,
    fields: &'a [(String, String)],
}

#[derive(Template)]
#[template(path = "web/fragment.html")]
struct FragmentPage<'a> {
    language: &'a Language,
}

fn html(page: &impl Template, policy: &'static str) -> Html {
    Html {
        // Nothing in a page can fail, and neither can writing to a string.
        body: page.render().unwrap_or_default(),
        policy,
    }
}

/// The policy of a page with this script, which then has a form, or without one.
fn policy(script: Option<&str>) -> String {
    let style = source(STYLE);
    let (script, targets) = match script {
        None => (String::new(), "'none'"),
        Some(script) => (format!(" script-src {};", source(script)), FORM_TARGETS),
    };
    format!(
        "default-src 'none'; style-src {style};{script} base-uri 'none'; form-action {targets}; \
         frame-ancestors 'none'"
    )
}

/// Allows what stands in the page, by its hash (Content Security Policy, section 2.3.1).
fn source(text: &str) -> String {
    let hash = STANDARD.encode(digest(&SHA256, text.as_bytes()));
    format!("'sha256-{hash}'")
}

#[cfg(test)]
mod tests;
