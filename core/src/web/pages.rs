//! Pages; the real ones follow.

use super::problem::Problem;
use super::texts::Language;

pub(super) struct Html {
    pub(super) body: String,
    pub(super) policy: &'static str,
}

pub(super) fn problem(_: &Language, problem: &Problem, login_url: &str) -> Html {
    html(format!("{} {login_url}", problem.title))
}

pub(super) fn confirmation(
    _: &Language,
    email: &str,
    fields: &[(String, String)],
    login_url: &str,
) -> Html {
    html(format!("{email} {fields:?} {login_url}"))
}

pub(super) fn post_again(_: &Language, fields: &[(String, String)]) -> Html {
    html(format!("{fields:?}"))
}

pub(super) fn fragment(_: &Language) -> Html {
    html(String::new())
}

fn html(body: String) -> Html {
    Html {
        body,
        policy: "default-src 'none'",
    }
}
