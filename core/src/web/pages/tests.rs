use std::collections::BTreeMap;

use super::*;
use crate::web::texts::{Texts, ids};

const EMAIL: &str = "\"<b>&'\"@example.com";

fn language(tag: &str) -> Language {
    Language::new(tag, &BTreeMap::new()).unwrap()
}

fn over(language: &Language) -> Problem {
    let (title, text) = language.problem(ProblemId::Over);
    Problem {
        id: ProblemId::Over,
        status: 400,
        title: title.to_owned(),
        text: text.to_owned(),
        retry_after: None,
        typed_email: None,
        next: None,
        language: language.tag().to_owned(),
    }
}

fn fields() -> Vec<(String, String)> {
    let fields = [
        ("id_token", "a.b.c"),
        ("state", "\"><script>alert(1)</script>&amp;"),
    ];
    fields
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

/// Every page, by its `data-portier`.
fn pages(language: &Language, email: &str) -> [(&'static str, Html); 4] {
    [
        (
            "problem",
            problem(language, &over(language), "/login?a=1&b=\""),
        ),
        (
            "confirmation",
            confirmation(language, email, &fields(), "/login"),
        ),
        ("post", post_again(language, &fields())),
        ("fragment", fragment(language)),
    ]
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    Some(text.split_once(start)?.1.split_once(end)?.0)
}

#[test]
fn a_page_runs_and_shows_only_what_its_policy_allows() {
    for (name, page) in pages(&language("en"), EMAIL) {
        let style = between(&page.body, "<style>", "</style>").unwrap();
        let style = format!("style-src {};", source(style));
        assert!(page.policy.contains(&style), "{name}");
        let script = between(&page.body, "<script>", "</script>");
        let script = script.map(|script| format!("script-src {};", source(script)));
        assert!(
            script.is_none_or(|script| page.policy.contains(&script)),
            "{name}"
        );
        assert_eq!(page.policy.contains("script-src"), name != "problem");
        assert_eq!(
            page.policy.contains("form-action 'none'"),
            name == "problem"
        );
        assert!(page.policy.starts_with("default-src 'none'; "));
        assert!(page.policy.contains("base-uri 'none'; form-action"));
        assert!(page.policy.ends_with("; frame-ancestors 'none'"));
    }
}

#[test]
fn a_page_loads_nothing() {
    for (name, page) in pages(&language("en"), EMAIL) {
        for loads in ["src=", "url(", "@import", "<link", "<img", "<iframe", "//"] {
            let body = page.body.replace("// ", "");
            assert!(!body.contains(loads), "{name} {loads}");
        }
    }
}

#[test]
fn a_page_has_a_language_a_kind_and_a_heading() {
    for tag in ["de", "en", "ja"] {
        let language = language(tag);
        for (name, page) in pages(&language, EMAIL) {
            assert!(page.body.starts_with("<!doctype html>\n"));
            assert!(
                page.body
                    .contains(&format!("<html lang=\"{tag}\" dir=\"ltr\">"))
            );
            assert!(page.body.contains(&format!(" data-portier=\"{name}\"")));
            assert!(
                page.body
                    .contains("aria-labelledby=\"heading\">\n<h1 id=\"heading\"")
            );
            assert_eq!(page.body.matches("<h1").count(), 1, "{name}");
            assert_eq!(
                page.body.matches("<form").count(),
                usize::from(name != "problem")
            );
            assert!(!page.body.contains("<title></title>"));
            assert!(!page.body.contains("autofocus"));
        }
    }
}

#[test]
fn what_comes_from_outside_is_escaped() {
    let language = language("en");
    for (name, page) in pages(&language, EMAIL) {
        assert!(
            !page.body.contains("<b>") && !page.body.contains("alert(1)</"),
            "{name}"
        );
    }
    let [problem, confirmation, post, _] = pages(&language, EMAIL).map(|(_, page)| page.body);
    assert!(problem.contains("href=\"/login?a=1&#38;b=&#34;\">Start again</a>"));
    let heading =
        "Sign in as <bdi>&#34;&#60;b&#62;&#38;&#39;&#34;@example.com</bdi> on this device?</h1>";
    assert!(confirmation.contains(heading), "{confirmation}");
    for page in [confirmation, post] {
        assert!(page.contains("<input type=\"hidden\" name=\"id_token\" value=\"a.b.c\">\n"));
        let state = "name=\"state\" value=\"&#34;&#62;&#60;script&#62;alert(1)&#60;/script&#62;&#38;amp;\">";
        assert!(page.contains(state), "{page}");
    }
}

#[test]
fn a_problem_names_its_id() {
    let language = language("de");
    let page = problem(&language, &over(&language), "/login").body;
    assert!(page.contains("<main data-portier=\"problem\" data-id=\"over\""));
    assert!(page.contains("<title>Diese Anmeldung ist nicht mehr gültig</title>"));
    assert!(page.contains("<a class=\"button primary\" href=\"/login\">Neu beginnen</a>"));
}

#[test]
fn a_right_to_left_language_has_its_direction() {
    let own = ids().map(|id| (id, "{email}".to_owned())).collect();
    let texts = BTreeMap::from([("ar".to_owned(), own)]);
    let texts = Texts::new(&["ar".to_owned()], &texts).unwrap();
    for (name, page) in pages(texts.choose(None), EMAIL) {
        let html = "<html lang=\"ar\" dir=\"rtl\">";
        assert!(page.body.contains(html), "{name}");
    }
}
