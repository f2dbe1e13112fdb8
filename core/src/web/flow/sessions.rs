//! Sessions: the session of a request, pages that need one, and its end.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use url::{Url, form_urlencoded};

use super::super::problem::ProblemId;
use super::super::reply::{Reply, Step};
use super::super::request::{Head, Header, WebRequest};
use super::super::session::{Session, Visit};
use super::super::{same_site, script};
use super::{LoginFlow, problem};
use crate::error::{Code, Error, Result};
use crate::next::{path_on, safe_next};

impl LoginFlow {
    /// The session of the person who sends a request, and the cookie that renews it, if that is due.
    /// `None` for everybody without [`FlowOptions::session`](super::super::FlowOptions::session).
    pub fn session(&self, request: &WebRequest) -> Option<Visit> {
        let sessions = self.options.sessions.as_ref()?;
        let session = sessions.read(request.head.get(Header::Cookie))?;
        // A session that cannot be renewed now is still valid, and a later visit renews it.
        let renewal = sessions.renew(&session).ok().flatten();
        Some(Visit { session, renewal })
    }

    /// Begins a session outside of a login, for example after a change of address, and returns it with the
    /// value of its `Set-Cookie` header.
    ///
    /// # Errors
    /// [`Code::InvalidOption`] without [`FlowOptions::session`](super::super::FlowOptions::session),
    /// [`Code::InvalidEmail`], and [`Code::Internal`] if there is no randomness.
    pub fn start_session(&self, email: &str) -> Result<(Session, String)> {
        let sessions = self.options.sessions.as_ref().ok_or_else(|| {
            Error::new(
                Code::InvalidOption,
                "the login flow has no sessions: give it the option session",
            )
        })?;
        sessions.start(email)
    }

    /// Answers a request for a page that needs a login, from somebody who is not signed in.
    ///
    /// A browser is redirected to the login page, with `page` as the parameter `next` of its URL. `page` is
    /// the path and the query of the request; a prefix that a proxy has stripped is added. It is left out if
    /// it would lead off this site, and for methods other than `GET` and `HEAD`, because a redirect cannot
    /// repeat a form.
    ///
    /// A script gets the problem `not_signed_in` (401), with the URL of the login page as its member `url`.
    /// The URL has a `next` only for htmx, which says in `HX-Current-URL` which page it runs on. Other scripts
    /// add their page themselves.
    ///
    /// If `page` is the login page, browsers would be redirected to it without end. The answer is then the
    /// problem `internal` (500), and its error is [`Code::InvalidOption`].
    pub fn require_login(&self, request: &WebRequest, page: &str) -> Step {
        let head = &request.head;
        if !head.is_from_script() {
            let next = self.page_of_request(head, page);
            if next.as_deref().is_some_and(|page| self.leads_back(page)) {
                return self.refuse_request("require_login", head, self.login_page_is_guarded());
            }
            return Reply::see_other(self.login_page(next)).into();
        }
        // What htmx asks for is mostly a part of the page that it runs on.
        let next = if head.is_boosted_link() {
            self.page_of_request(head, page)
        } else {
            head.page_of_htmx().and_then(|url| self.page_of_site(url))
        };
        let problem = problem(ProblemId::NotSignedIn, self.language(head));
        script::not_signed_in(head, &problem, self.login_page(next)).into()
    }

    /// Ends the session in this browser, and redirects it to the login page. A script gets the URL of that
    /// page as JSON.
    ///
    /// Only a `POST` ends the session, and only one of this site's own pages, by the rule for login forms.
    /// The proof of the last login ends as well: it says that its person is signed in here. The secret that
    /// logins are bound to stays, because a login may be under way in another tab.
    pub fn logout(&self, request: WebRequest) -> Step {
        let WebRequest { mut head, body: _ } = request;
        if head.method != "POST" {
            return self.not_allowed(&head, "POST", "signing out takes a POST");
        }
        head.form_token_checked |= self.options.form_token_checked;
        if let Err(error) = same_site::check(&head, self.client.client_id()) {
            return self.refuse_request("logout", &head, error);
        }
        let mut step = Step::from(script::redirect(&head, self.options.login_url.clone()));
        for cookie in [self.cookies.session, self.cookies.signed_in] {
            step.reply.cookies.push(self.cookies.clear(cookie));
        }
        step
    }

    /// The page with the prefix that a proxy has stripped.
    fn as_browsers_see<'a>(&self, page: &'a str) -> Cow<'a, str> {
        let prefix = self.options.stripped_prefix.as_str();
        let below = page.strip_prefix(prefix);
        let has_prefix = below.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
        if prefix.is_empty() || has_prefix || !page.starts_with('/') {
            Cow::Borrowed(page)
        } else {
            Cow::Owned(format!("{prefix}{page}"))
        }
    }

    /// The page that a request is for, if a redirect can lead to it later.
    fn page_of_request(&self, head: &Head, page: &str) -> Option<String> {
        let page = self.as_browsers_see(page);
        self.safe_next(&page).filter(|_| head.is_repeatable())
    }

    /// The page of a URL of this site, without the fragment: the URL of the login page becomes part of logs.
    fn page_of_site(&self, url: &str) -> Option<String> {
        let (url, _) = url.split_once('#').unwrap_or((url, ""));
        safe_next(&path_on(self.client.client_id(), url)?, &[])
    }

    /// Whether the redirect from this page to the login page certainly leads back to this page: it is the login
    /// page itself, whatever its `next`.
    ///
    /// A path of the login page is on the host of this page. An absolute URL may be on another host, which may
    /// have other pages. A server may send the browser on to a path with another slash at its end, or write it in
    /// another way. In these cases, the page's own `next` proves that this browser was here before.
    fn leads_back(&self, page: &str) -> bool {
        let login_url = &self.options.login_url;
        let Ok(site) = Url::parse(self.client.client_id()) else {
            return false;
        };
        let (Ok(login_page), Ok(page)) = (site.join(login_url), site.join(page)) else {
            return false;
        };
        if login_page.origin() != page.origin() || !has_same_query(&login_page, &page) {
            return false;
        }
        if login_url.starts_with('/') && login_page.path() == page.path() {
            return true;
        }
        let mut pairs = page.query_pairs();
        let next = pairs.find_map(|(name, value)| (name == "next").then_some(value));
        let next = next.and_then(|next| site.join(&next).ok());
        let was_here = next.is_some_and(|next| next.path() == page.path());
        was_here && plain_path(&login_page) == plain_path(&page)
    }

    fn login_page_is_guarded(&self) -> Error {
        let login_url = &self.options.login_url;
        let problem = "the page of login_url needs a login itself, so browsers would be redirected to it without \
                       end: let everybody see that page, or set login_url to the page with the login form";
        Error::new(
            Code::InvalidOption,
            format_args!("{problem} login_url={login_url}"),
        )
    }

    fn login_page(&self, next: Option<String>) -> String {
        let login_url = &self.options.login_url;
        match next {
            Some(next) => with_next(login_url, &next, self.client.client_id()),
            None => login_url.clone(),
        }
    }
}

/// Whether the queries of two pages are the same, apart from `next`.
fn has_same_query(one: &Url, other: &Url) -> bool {
    let pairs = |url: &Url| {
        let pairs = url.query_pairs().into_owned();
        pairs.filter(|(name, _)| name != "next").collect::<Vec<_>>()
    };
    pairs(one) == pairs(other)
}

/// The decoded path without the slash at its end.
fn plain_path(url: &Url) -> Vec<u8> {
    percent_decode_str(url.path().trim_end_matches('/')).collect()
}

/// The login page with `next` in its query, in place of one that is there already. On another host than the
/// site, a path would lead to a page of that host.
fn with_next(login_url: &str, next: &str, site: &str) -> String {
    let is_elsewhere =
        Url::parse(login_url).is_ok_and(|url| url.origin().ascii_serialization() != site);
    let host = if is_elsewhere && next.starts_with('/') {
        site
    } else {
        ""
    };
    let (url, fragment) = match login_url.split_once('#') {
        Some((url, fragment)) => (url, Some(fragment)),
        None => (login_url, None),
    };
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let is_other = |pair: &&str| {
        let name = form_urlencoded::parse(pair.as_bytes()).next();
        name.is_some_and(|(name, _)| name != "next")
    };
    let mut pairs: Vec<_> = query.split('&').filter(is_other).collect();
    let next = form_urlencoded::Serializer::new(String::new())
        .append_pair("next", &format!("{host}{next}"))
        .finish();
    pairs.push(&next);
    let mut url = format!("{path}?{}", pairs.join("&"));
    if let Some(fragment) = fragment {
        url.push('#');
        url.push_str(fragment);
    }
    url
}

#[cfg(all(test, feature = "testing"))]
mod tests;
