//! The options of a login flow, checked when the flow is made.

use std::collections::BTreeMap;
use std::str::FromStr;

use url::{Position, Url};

use super::session::{SessionCookie, SessionOptions};
use super::texts::Texts;
use crate::client::Client;
use crate::config::Flow;
use crate::error::{Code, Error, Result};
use crate::origin::parse_url;

/// The identity provider to which the public broker redirects at once: Gmail addresses go to
/// Google.
const GOOGLE: &str = "https://accounts.google.com";

/// What happens if a login ends in another browser than it was started in, for example because the
/// mail was opened on another device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum BrowserBinding {
    /// The person is asked whether to continue.
    #[default]
    Confirm,
    /// The login is refused.
    Require,
    /// Nothing is checked: an attacker can sign a visitor in as the attacker.
    Off,
}

impl FromStr for BrowserBinding {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "confirm" => Ok(Self::Confirm),
            "require" => Ok(Self::Require),
            "off" => Ok(Self::Off),
            _ => Err(invalid("browser_binding is none of confirm, require, off")),
        }
    }
}

/// The options of a login flow. Every option has a default.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FlowOptions {
    /// The flow of logins. `None`, the default, is the code flow if the broker and the store
    /// support it, and otherwise the implicit flow.
    pub flow: Option<Flow>,
    /// What happens if a login ends in another browser than it was started in.
    pub browser_binding: BrowserBinding,
    /// The page with the login form, which pages about problems link to: a path on this site, as browsers see
    /// it, or an absolute URL. By default `/`, below the prefix that `callback_path` shows.
    pub login_url: Option<String>,
    /// The redirect target of a login without `next`: a path on this site, as browsers see it, or an absolute
    /// URL. By default `/`, below the prefix that `callback_path` shows.
    pub default_next: Option<String>,
    /// Other hosts that `next` may name, over `https` only; none by default. A host has its port,
    /// unless that is 443.
    pub allowed_hosts: Vec<String>,
    /// Origins to which the broker sends people on at once, for [`LoginFlow::form_policy`]; Google's by
    /// default.
    ///
    /// [`LoginFlow::form_policy`]: super::LoginFlow::form_policy
    pub identity_providers: Vec<String>,
    /// The path of the callback as the site sees it, if a proxy changes paths; by default the path
    /// of the redirect URI. What precedes it there is the prefix that the proxy strips: with `/verify` and
    /// `https://example.com/app/verify`, it is `/app`.
    pub callback_path: Option<String>,
    /// Whether the site checks a token in every login form before the flow gets it, such as that of a
    /// CSRF protection. See [`WebRequest::with_checked_form_token`] for single requests.
    ///
    /// [`WebRequest::with_checked_form_token`]: super::WebRequest::with_checked_form_token
    pub form_token_checked: bool,
    /// The languages of the pages, such as `["de", "en"]`; only English by default.
    /// `Accept-Language` selects one of them; the first one is the default. Built-in languages are
    /// `en`, `de`, `fr`, `es`, `it`, `nl`, `pt`, `pl`, `ja` and `zh`.
    pub languages: Vec<String>,
    /// Texts that replace the built-in ones, by language and id. A language that is not built in
    /// needs all texts.
    pub texts: BTreeMap<String, BTreeMap<String, String>>,
    /// Sessions of the flow in a sealed cookie; none by default. With sessions, a completed login
    /// starts one. If the client has neither a store that was chosen nor a secret, the flow seals its
    /// pending logins with the secrets of the sessions; see [`Builder::secret`](crate::Builder::secret).
    pub session: Option<SessionOptions>,
}

impl Default for FlowOptions {
    fn default() -> Self {
        Self {
            flow: None,
            browser_binding: BrowserBinding::default(),
            login_url: None,
            default_next: None,
            allowed_hosts: Vec::new(),
            identity_providers: vec![GOOGLE.to_owned()],
            callback_path: None,
            form_token_checked: false,
            languages: vec!["en".to_owned()],
            texts: BTreeMap::new(),
            session: None,
        }
    }
}

/// Checked options.
pub(super) struct CheckedOptions {
    pub(super) flow: Option<Flow>,
    pub(super) browser_binding: BrowserBinding,
    /// ASCII, in the form of the URL parser.
    pub(super) login_url: String,
    /// ASCII, in the form of the URL parser.
    pub(super) default_next: String,
    pub(super) allowed_hosts: Vec<String>,
    pub(super) callback_path: String,
    /// The part of the paths of browsers that a proxy strips; empty if it strips none.
    pub(super) stripped_prefix: String,
    pub(super) form_token_checked: bool,
    pub(super) form_targets: Vec<String>,
    pub(super) form_policy: String,
    pub(super) texts: Texts,
    pub(super) sessions: Option<SessionCookie>,
}

impl FlowOptions {
    pub(super) fn check(self, client: &Client) -> Result<CheckedOptions> {
        if self.flow == Some(Flow::Code) && client.keeps_nonces_only() {
            return Err(invalid(
                "the store keeps only nonces, and the code flow needs more",
            ));
        }
        if self.browser_binding != BrowserBinding::Off && client.keeps_nonces_only() {
            return Err(invalid(
                "the store keeps nonces only and cannot bind a login to a browser: set \
                 browser_binding to off",
            ));
        }
        let is_unbound = self.browser_binding == BrowserBinding::Off;
        if is_unbound && self.flow == Some(Flow::Implicit) && client.needs_browsers() {
            return Err(invalid(
                "sealed logins of the implicit flow complete once only if they are bound to a browser: set \
                 browser_binding to require, use the code flow, or give the client a store that all \
                 processes share",
            ));
        }
        let callback_path = match &self.callback_path {
            None => path_of(client.redirect_uri()),
            Some(path) => callback_path(path)?,
        };
        let stripped_prefix = stripped_prefix(&path_of(client.redirect_uri()), &callback_path);
        let page_or_home = |option: &str, given: Option<String>| match given {
            Some(given) => page(option, &given),
            None => Ok(format!("{stripped_prefix}/")),
        };
        let form_targets = form_targets(client.broker(), &self.identity_providers)?;
        Ok(CheckedOptions {
            flow: self.flow,
            browser_binding: self.browser_binding,
            login_url: page_or_home("login_url", self.login_url)?,
            default_next: page_or_home("default_next", self.default_next)?,
            allowed_hosts: self.allowed_hosts,
            stripped_prefix,
            callback_path,
            form_token_checked: self.form_token_checked,
            form_policy: format!(
                "default-src 'self'; form-action {}; base-uri 'none'; frame-ancestors 'none'; \
                 object-src 'none'",
                form_targets.join(" ")
            ),
            form_targets,
            texts: Texts::new(&self.languages, &self.texts)?,
            sessions: self
                .session
                .map(|session| SessionCookie::new(client.clone(), &session))
                .transpose()?,
        })
    }
}

/// The path of an absolute URL.
fn path_of(url: &str) -> String {
    Url::parse(url).map_or_else(|_| "/".to_owned(), |url| url.path().to_owned())
}

/// The part of the redirect URI's path that the site does not see. With a slash after it, it is a page of this site.
fn stripped_prefix(seen_by_browsers: &str, callback_path: &str) -> String {
    let prefix = seen_by_browsers.strip_suffix(callback_path);
    let prefix = prefix.filter(|prefix| !format!("{prefix}/").starts_with("//"));
    prefix.unwrap_or_default().to_owned()
}

/// The host does not matter.
const BASE: &str = "https://relying-party.invalid";

fn callback_path(path: &str) -> Result<String> {
    let url = path
        .starts_with('/')
        .then(|| parse_url(&format!("{BASE}{path}")))
        .flatten()
        .filter(|url| url.query().is_none());
    url.map(|url| url.path().to_owned()).ok_or_else(|| {
        invalid("callback_path is not a path that begins with a slash, such as /verify")
    })
}

/// A page that the site has chosen, on this site or elsewhere. It must fit into a header.
fn page(option: &str, page: &str) -> Result<String> {
    let plain = !page.chars().any(|c| c.is_control() || c == '\\');
    let base = Url::parse(BASE).ok();
    let url = base.as_ref().filter(|_| plain).and_then(|base| {
        let url = base.join(page).ok()?;
        let is_path = page.starts_with('/') && url.origin() == base.origin();
        if is_path && !url.path().starts_with("//") {
            return Some(url[Position::BeforePath..].to_owned());
        }
        let is_absolute = page.contains("://") && matches!(url.scheme(), "http" | "https");
        is_absolute.then(|| url.to_string())
    });
    url.ok_or_else(|| {
        invalid(&format!(
            "{option} is neither a path on this site, such as /members, nor an http or https URL"
        ))
    })
}

fn form_targets(broker: &str, identity_providers: &[String]) -> Result<Vec<String>> {
    let mut targets = vec!["'self'".to_owned(), broker.to_owned()];
    for provider in identity_providers {
        let origin = parse_url(provider).filter(|url| url.path() == "/" && url.query().is_none());
        let origin = origin.ok_or_else(|| {
            invalid(
                "identity_providers has an entry that is not an origin, such as https://accounts.google.com",
            )
        })?;
        targets.push(origin.origin().ascii_serialization());
    }
    Ok(targets)
}

fn invalid(message: &str) -> Error {
    Error::new(Code::InvalidOption, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_page_is_normalized_or_refused() {
        for (given, expected) in [
            ("/", Some("/")),
            ("/members?page=2#top", Some("/members?page=2#top")),
            ("/für", Some("/f%C3%BCr")),
            ("/ようこそ", Some("/%E3%82%88%E3%81%86%E3%81%93%E3%81%9D")),
            (
                "https://shop.example.com/",
                Some("https://shop.example.com/"),
            ),
            (
                "http://localhost:8000/a b",
                Some("http://localhost:8000/a%20b"),
            ),
            ("//evil.example", None),
            ("/..//evil.example", None),
            ("members", None),
            ("", None),
            ("javascript:alert(1)", None),
            ("/a\r\nSet-Cookie: b", None),
            ("/\\evil.example", None),
        ] {
            assert_eq!(
                page("default_next", given).ok().as_deref(),
                expected,
                "{given:?}"
            );
        }
    }

    #[test]
    fn the_prefix_is_what_precedes_the_callback() {
        for (seen_by_browsers, callback_path, expected) in [
            ("/verify", "/verify", ""),
            ("/app/verify", "/app/verify", ""),
            ("/app/verify", "/verify", "/app"),
            ("/a/b/c/verify", "/c/verify", "/a/b"),
            ("/verify", "/inside/verify", ""),
            ("/appverify", "/verify", ""),
            ("/app/", "/", "/app"),
            // A redirect to the address below such a prefix leads to another host.
            ("//verify", "/verify", ""),
            ("//evil.example/verify", "/verify", ""),
        ] {
            let prefix = stripped_prefix(seen_by_browsers, callback_path);
            assert_eq!(prefix, expected, "{seen_by_browsers}");
        }
    }

    #[test]
    fn the_path_of_the_callback_is_a_path() {
        assert_eq!(callback_path("/app/verify").unwrap(), "/app/verify");
        assert_eq!(callback_path("/für").unwrap(), "/f%C3%BCr");
        for wrong in [
            "",
            "verify",
            "https://example.com/verify",
            "/verify?a=1",
            "/a#b",
            "/a b",
        ] {
            assert!(callback_path(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn identity_providers_are_origins() {
        let targets =
            |provider: &str| form_targets("https://broker.example", &[provider.to_owned()]);
        assert_eq!(
            targets("https://IdP.example:8443/").unwrap(),
            [
                "'self'",
                "https://broker.example",
                "https://idp.example:8443"
            ]
        );
        for wrong in [
            "idp.example",
            "https://idp.example/path",
            "https://a.example; script-src *",
            "*",
        ] {
            assert!(targets(wrong).is_err(), "{wrong}");
        }
    }
}
