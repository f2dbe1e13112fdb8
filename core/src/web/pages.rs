//! The pages of the flow. They load nothing, and work without scripts.

use std::sync::LazyLock;

use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::problem::{Problem, ProblemId};
use super::texts::{Language, Text};

/// The targets of the forms on a page, as sources of a policy.
///
/// Chromium applies the policy to all following redirects. The site's own redirects may lead
/// anywhere, for example to another host or to a single sign-on.
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

/// Describes a problem, with a link to start again.
pub(super) fn problem(language: &Language, problem: &Problem, login_url: &str) -> Html {
    static POLICY: LazyLock<String> = LazyLock::new(|| policy(None));
    let page = ProblemPage {
        language,
        problem,
        login_url,
    };
    html(&page, &POLICY)
}

/// Asks whether to continue in a browser that did not start the login.
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

/// Posts a form to its own URL. The browser then sends the cookies that it omits from a form of
/// another site.
pub(super) fn post_again(language: &Language, fields: &[(String, String)]) -> Html {
    static POLICY: LazyLock<String> = LazyLock::new(|| policy(Some(POST_SCRIPT)));
    html(&PostPage { language, fields }, &POLICY)
}

/// Posts the fragment of its URL, which browsers do not send to servers, to that URL.
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
        // No page can fail, and writing to a string cannot fail either.
        body: page.render().unwrap_or_default(),
        policy,
    }
}

/// The policy of a page with this script and a form, or of one without both.
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

/// Allows inline content by its hash (Content Security Policy, section 2.3.1).
fn source(text: &str) -> String {
    let hash = STANDARD.encode(digest(&SHA256, text.as_bytes()));
    format!("'sha256-{hash}'")
}

#[cfg(test)]
mod tests;
