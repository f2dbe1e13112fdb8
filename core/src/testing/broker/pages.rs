//! The development broker's pages.

use askama::Template;

use super::authorize::ReturnAddress;
use super::inbox::Mail;

pub(super) const STYLE: &str = concat!(
    include_str!("../../../templates/style.css"),
    include_str!("../../../templates/broker/style.css"),
);
pub(super) const FORWARD_SCRIPT: &str = include_str!("../../../templates/broker/forward.js");

/// The page that asks whether to sign in, and asks for the address if the request has none.
pub(super) fn sign_in(client_id: &str, who: &Who<'_>, fields: &[(&str, &str)]) -> String {
    html(&SignIn {
        site: host(client_id),
        who,
        fields,
    })
}

/// The page that waits for the code of a mail.
pub(super) fn wait(client_id: &str, email: &str, session: &str, is_wrong: bool) -> String {
    html(&Wait {
        site: host(client_id),
        email,
        fields: &[("session", session)],
        is_wrong,
    })
}

/// The mails, the newest one first.
pub(super) fn inbox(mails: &[Mail]) -> String {
    html(&Inbox { mails })
}

/// What the page knows about the person.
pub(super) enum Who<'a> {
    /// The relying party has sent the address.
    Known(&'a str),
    /// The page has to ask.
    Asked { typed: &'a str, invalid: bool },
}

/// The page that posts the answer to the relying party, by script or with a button.
pub(super) fn forward(address: &ReturnAddress, fields: &[(&str, &str)]) -> String {
    let site = address.redirect_uri.origin().ascii_serialization();
    html(&Forward {
        site: host(&site),
        action: address.redirect_uri.as_str(),
        fields,
    })
}

/// A page with a single message.
pub(super) fn message(title: &str, text: &str) -> String {
    html(&Message { title, text })
}

/// The facts about the broker on its front page.
pub(super) fn home(origin: &str) -> String {
    html(&Home { origin })
}

#[derive(Template)]
#[template(path = "broker/sign_in.html")]
struct SignIn<'a> {
    site: &'a str,
    who: &'a Who<'a>,
    fields: &'a [(&'a str, &'a str)],
}

#[derive(Template)]
#[template(path = "broker/wait.html")]
struct Wait<'a> {
    site: &'a str,
    email: &'a str,
    fields: &'a [(&'a str, &'a str)],
    is_wrong: bool,
}

#[derive(Template)]
#[template(path = "broker/inbox.html")]
struct Inbox<'a> {
    mails: &'a [Mail],
}

#[derive(Template)]
#[template(path = "broker/forward.html")]
struct Forward<'a> {
    site: &'a str,
    action: &'a str,
    fields: &'a [(&'a str, &'a str)],
}

#[derive(Template)]
#[template(path = "broker/message.html")]
struct Message<'a> {
    title: &'a str,
    text: &'a str,
}

#[derive(Template)]
#[template(path = "broker/home.html")]
struct Home<'a> {
    origin: &'a str,
}

fn html(page: &impl Template) -> String {
    // Nothing in a page can fail, and neither can writing to a string.
    page.render().unwrap_or_default()
}

/// An origin as people know it: without its scheme.
fn host(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, host)| host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::broker::authorize::Params;

    #[test]
    fn a_page_contains_only_the_request() {
        let params = Params::parse(b"nonce=%22n%22&state=&evil=x").unwrap();
        let fields: Vec<_> = params.request().collect();
        let who = Who::Known("\"o'<b>&{{site}}\"@example.com");
        let page = sign_in("http://localhost:8888", &who, &fields);
        assert!(page.contains("name=\"nonce\" value=\"&#34;n&#34;\""));
        assert!(
            page.contains("<strong>&#34;o&#39;&#60;b&#62;&#38;{{site}}&#34;@example.com</strong>")
        );
        assert!(!page.contains("evil"));
    }
}
