//! The development broker's pages. Every text is escaped on its way into a template.

use super::authorize::{Params, ReturnAddress};

pub(super) const STYLE: &str = include_str!("../pages/style.css");
pub(super) const FORWARD_SCRIPT: &str = include_str!("../pages/forward.js");

const ADDRESS: &str = include_str!("../pages/address.html");
const LAYOUT: &str = include_str!("../pages/layout.html");
const FORWARD: &str = include_str!("../pages/forward.html");
const HOME: &str = include_str!("../pages/home.html");
const MESSAGE: &str = include_str!("../pages/message.html");
const SIGN_IN: &str = include_str!("../pages/sign_in.html");

/// The page that asks whether to sign in, and as whom if that is open.
pub(super) fn sign_in(client_id: &str, who: &Who<'_>, params: &Params) -> String {
    let site = host(client_id);
    let who = match who {
        Who::Known(email) => fill(
            "<p class=\"who\">as <strong>{{email}}</strong></p>",
            &[("email", Part::Text(email))],
        ),
        Who::Asked { typed, invalid } => {
            let problem = if *invalid {
                "This is not an e-mail address."
            } else {
                ""
            };
            fill(
                ADDRESS,
                &[
                    ("typed", Part::Text(typed)),
                    ("problem", Part::Text(problem)),
                ],
            )
        }
    };
    let content = fill(
        SIGN_IN,
        &[
            ("site", Part::Text(site)),
            ("who", Part::Html(who)),
            ("fields", Part::Html(hidden(params.request()))),
        ],
    );
    layout(&format!("Sign in to {site}"), content)
}

/// What the page knows about the person.
pub(super) enum Who<'a> {
    /// The relying party said who it is.
    Known(&'a str),
    /// The page has to ask.
    Asked { typed: &'a str, invalid: bool },
}

/// The page that posts the answer to the relying party by itself, or by its button where scripts
/// are off.
pub(super) fn forward(address: &ReturnAddress, fields: &[(&str, &str)]) -> String {
    let site = address.redirect_uri.origin().ascii_serialization();
    let content = fill(
        FORWARD,
        &[
            ("site", Part::Text(host(&site))),
            ("action", Part::Text(address.redirect_uri.as_str())),
            ("fields", Part::Html(hidden(fields.iter().copied()))),
        ],
    );
    layout("Taking you back", content)
}

/// A page with one thing to say.
pub(super) fn message(title: &str, text: &str) -> String {
    let content = fill(
        MESSAGE,
        &[("title", Part::Text(title)), ("text", Part::Text(text))],
    );
    layout(title, content)
}

/// What the broker says about itself.
pub(super) fn home(origin: &str) -> String {
    let content = fill(HOME, &[("origin", Part::Text(origin))]);
    layout("Development broker", content)
}

fn layout(title: &str, content: String) -> String {
    fill(
        LAYOUT,
        &[
            ("title", Part::Text(title)),
            ("content", Part::Html(content)),
        ],
    )
}

fn hidden<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    fields
        .map(|(name, value)| {
            fill(
                "<input type=\"hidden\" name=\"{{name}}\" value=\"{{value}}\">\n",
                &[("name", Part::Text(name)), ("value", Part::Text(value))],
            )
        })
        .collect()
}

/// An origin as people know it: without its scheme.
fn host(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, host)| host)
}

/// A value for a template.
enum Part<'a> {
    Text(&'a str),
    /// Made by this file, hence escaped already.
    Html(String),
}

/// Puts values in place of `{{name}}`, in one pass: a value is never read as a template.
fn fill(template: &str, values: &[(&str, Part<'_>)]) -> String {
    let mut page = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        page.push_str(before);
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        for (_, value) in values.iter().filter(|(known, _)| *known == name) {
            match value {
                Part::Text(text) => escape(text, &mut page),
                Part::Html(html) => page.push_str(html),
            }
        }
        rest = after;
    }
    page.push_str(rest);
    page
}

fn escape(text: &str, page: &mut String) {
    for character in text.chars() {
        match character {
            '&' => page.push_str("&amp;"),
            '<' => page.push_str("&lt;"),
            '>' => page.push_str("&gt;"),
            '"' => page.push_str("&quot;"),
            '\'' => page.push_str("&#39;"),
            _ => page.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_and_never_read_as_templates() {
        let filled = fill(
            "<p title=\"{{a}}\">{{b}}{{c}}</p>",
            &[
                ("a", Part::Text("\"'><script>&")),
                ("b", Part::Text("{{c}}")),
                ("c", Part::Html("<b>ok</b>".to_owned())),
            ],
        );
        assert_eq!(
            filled,
            "<p title=\"&quot;&#39;&gt;&lt;script&gt;&amp;\">{{c}}<b>ok</b></p>"
        );
    }

    #[test]
    fn a_page_carries_the_request_along_and_nothing_else() {
        let params = Params::parse(b"nonce=%22n%22&state=&evil=x").unwrap();
        let page = sign_in(
            "http://localhost:8888",
            &Who::Known("a@example.com"),
            &params,
        );
        assert!(page.contains("name=\"nonce\" value=\"&quot;n&quot;\""));
        assert!(!page.contains("evil"));
        assert!(!page.contains("{{"));
    }
}
