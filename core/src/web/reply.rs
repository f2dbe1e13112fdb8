//! The results of the flow.

use std::borrow::Cow;
use std::fmt;

use http::{HeaderName, HeaderValue, Response, StatusCode, header};

use super::problem::Problem;
use super::session::Session;
use crate::error::{Code, Error};
use crate::session::Login;

/// The result of a request: the finished answer, and data for the site's own functions.
///
/// The site runs its functions in this order: for `error`, then for `page`, then for `login`.
#[non_exhaustive]
pub struct Step {
    /// The answer to send.
    pub reply: Reply,
    /// A completed login: sign this person in, then send the reply.
    pub login: Option<Login>,
    /// The session that begins with `login`; `None` without [`FlowOptions::session`].
    ///
    /// [`FlowOptions::session`]: super::FlowOptions::session
    pub session: Option<Session>,
    /// `Set-Cookie` values of a completed login. Add them to the answer only after its person was signed
    /// in. One cookie proves to this site that the person was signed in. With it, a reload leads to
    /// the page of the login; without it, to a page that says that the login was used already. It
    /// is absent if logins are not bound to browsers. The other cookie is that of `session`.
    pub login_cookies: Vec<String>,
    /// The content of the page in the reply, for a site with its own pages. `None` for redirects,
    /// JSON, and the pages that post by script.
    pub page: Option<Page>,
    /// The reason why there is no login. The reply tells the person.
    pub error: Option<Error>,
    /// Makes the step of a login that the site refuses.
    pub(super) refusal: Option<Refusal>,
}

pub(super) type Refusal = Box<dyn FnOnce(Code) -> Step + Send + Sync>;

impl Step {
    /// Returns the step of a login that the site refuses: a page (403), or a problem for scripts, in the
    /// language of the person. It has no cookies, and its login is `None`.
    ///
    /// [`Code::AccountUnknown`] says that the site has no account with the address, and
    /// [`Code::AccountRefused`] that the account must not sign in. A step without a login stays as it is.
    #[must_use]
    pub fn refuse(mut self, code: Code) -> Self {
        match self.refusal.take() {
            Some(refuse) => refuse(code),
            None => self,
        }
    }
}

/// A page that a site may replace with its own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Page {
    /// A login that failed.
    Problem(Problem),
    /// The question whether to continue in a browser that did not start the login.
    Confirmation(Confirmation),
}

/// The question whether to sign in in a browser that did not start the login.
///
/// The site's own page needs a form that posts `fields` to the URL of the page, once and only when
/// the person agrees, and a `Content-Security-Policy` that forbids frames.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Confirmation {
    /// The address of the login. The person at this browser may be somebody else: an attacker can
    /// redirect any browser here.
    pub email: String,
    /// Names and values of the hidden fields of the form that confirms.
    pub fields: Vec<(String, String)>,
    /// The language chosen for this browser, such as `en`.
    pub language: String,
}

/// A finished HTTP answer.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Header names in lower case, and values. Cookies and policy are separate. No name occurs
    /// twice.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// Values of `Set-Cookie` headers, to be added to those of the site.
    pub cookies: Vec<String>,
    /// The `Content-Security-Policy` of `body`. Omit it if the site's own page replaces the body.
    pub policy: Option<String>,
    /// HTML or JSON, according to the header `content-type`; empty for a redirect.
    pub body: String,
}

impl Reply {
    /// The headers of every reply: no cache keeps it, no proxy changes it, and links on it send no referrer.
    ///
    /// Some proxies replace e-mail addresses in pages by a script, which the policy of the page forbids (RFC
    /// 9111, section 5.2.2.6).
    pub const COMMON_HEADERS: [(&'static str, &'static str); 3] = [
        ("cache-control", "no-store, no-transform"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
    ];

    /// Makes a response of the `http` crate, with the policy and the cookies.
    pub fn into_response(self) -> Response<String> {
        let mut response = Response::new(self.body);
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let named = self
            .headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), &**value));
        let policy = self
            .policy
            .iter()
            .map(|value| (header::CONTENT_SECURITY_POLICY, value.as_str()));
        let cookies = self.cookies.iter();
        let cookies = cookies.map(|value| (header::SET_COOKIE, value.as_str()));
        for (name, value) in named.chain(policy).chain(cookies) {
            // All of it is ASCII without controls: see the tests.
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }

    /// A redirect with 303, so that the browser does not post the form again.
    pub(super) fn see_other(url: String) -> Self {
        Self::new(303, [("location", url.into())], String::new())
    }

    /// The answer to a browser that prefetches a page. The browser discards it, and sends the
    /// request again if the person wants the page.
    pub(super) fn not_in_advance() -> Self {
        Self::new(503, [], String::new())
    }

    /// The answer to a request that no person sends.
    pub(super) fn method_not_allowed(allowed: &str) -> Self {
        let allow = ("allow", allowed.to_owned().into());
        Self::new(405, [allow], String::new())
    }

    /// A page of this library, which no other site may frame.
    pub(super) fn page(status: u16, html: String, policy: &str) -> Self {
        let headers = [
            ("content-type", "text/html; charset=utf-8".into()),
            ("x-frame-options", "DENY".into()),
        ];
        let mut reply = Self::new(status, headers, html);
        reply.policy = Some(policy.to_owned());
        reply
    }

    pub(super) fn json(status: u16, media_type: &'static str, value: &serde_json::Value) -> Self {
        let kind = ("content-type", media_type.into());
        Self::new(status, [kind], value.to_string())
    }

    fn new<const N: usize>(
        status: u16,
        headers: [(&'static str, Cow<'static, str>); N],
        body: String,
    ) -> Self {
        let common = Self::COMMON_HEADERS.map(|(name, value)| (name, value.into()));
        Self {
            status,
            headers: headers.into_iter().chain(common).collect(),
            cookies: Vec::new(),
            policy: None,
            body,
        }
    }
}

impl From<Reply> for Step {
    fn from(reply: Reply) -> Self {
        Self {
            reply,
            login: None,
            session: None,
            login_cookies: Vec::new(),
            page: None,
            error: None,
            refusal: None,
        }
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Step")
            .field("reply", &self.reply)
            .field("login", &self.login)
            .field("session", &self.session)
            .field("page", &self.page)
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Reply {
    /// Shows only the status: bodies contain tokens, and cookies contain secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Reply")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Confirmation {
    /// Shows only the type: all values are personal or secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Confirmation")
            .finish_non_exhaustive()
    }
}
