"""The steps of a browser in a login, as requests and replies, without sending them.

Each function is a generator: it yields a request and is sent the reply. So the same steps serve
blocking and asynchronous clients.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from ._browser import Browser, Reply, Request, Steps
from ._failure import LoginFailed
from ._proxy import Proxy

_MAX_REDIRECTS = 10
_MAX_POSTS = 3
_NO_PAGE = (404, 405)
# The problems of a login that is complete.
_REFUSALS = ("account_unknown", "account_refused")

_NAVIGATION = {
    "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
}
_FORM = "application/x-www-form-urlencoded"


class Journey:
    """A login of one person at one site."""

    def __init__(
        self,
        browser: Browser,
        email: str,
        proxy: Proxy,
        *,
        page: str | None = None,
        action: str | None = None,
        email_field: str = "email",
        fields: Mapping[str, str] | None = None,
        follow: bool = True,
    ) -> None:
        self._browser = browser
        self._email, self._email_field, self._fields = email, email_field, dict(fields or {})
        self._page = proxy.outside(urljoin(browser.origin, page or browser.default_page))
        self._action = None
        if action is not None:
            self._action = proxy.outside(urljoin(browser.origin, action))
        self._follow = follow
        self._form_page: str | None = None
        self._hosts = {urlsplit(browser.origin).netloc}

    def start(self, *, elsewhere: bool = False) -> Steps[str]:
        """Open the page with the form, and send it; return the URL of the broker."""
        action = self._action
        fields: dict[str, str] = {}
        if action is None:
            reply = yield from self._open(self._page, elsewhere)
            if reply.location is not None:
                # The broker asks for the address.
                return reply.location
            if reply.status in _NO_PAGE and reply.url == self._page:
                # The site takes the form, but has no page with it.
                action = self._page
            else:
                action, fields = self._form_on(reply)
        sent = {**fields, self._email_field: self._email, **self._fields}
        reply = yield from self._post(action, sent, elsewhere)
        reply = yield from self._follow_redirects(reply, elsewhere)
        if reply.status in _NO_PAGE and reply.url == self._page:
            raise LoginFailed(
                "the site has no login page here; name the page with the form (page=…)", reply
            )
        if reply.location is None:
            raise LoginFailed("the site did not start a login", reply)
        return reply.location

    def come_back(
        self, url: str, answer: Mapping[str, str], *, elsewhere: bool = False
    ) -> Steps[Reply]:
        """Bring the answer of the broker to the redirect URI, as its page does."""
        asked = dict(parse_qsl(urlsplit(url).query))
        self._hosts.add(urlsplit(asked["redirect_uri"]).netloc)
        target = self._here(asked["redirect_uri"])
        if asked.get("response_type") == "code":
            joined = f"{target}{'&' if urlsplit(target).query else '?'}{urlencode(answer)}"
            reply = yield self._get(joined, "cross-site", elsewhere)
            # The site finds out whether the browser keeps cookies.
            if reply.location is not None and _path(urljoin(reply.url, reply.location)) == _path(
                target
            ):
                reply = yield self._get(urljoin(reply.url, reply.location), "cross-site", elsewhere)
            return reply
        # A page that shows nothing but the form has an opaque origin.
        reply = yield from self._post(target, dict(answer), elsewhere, is_opaque=True)
        for _ in range(_MAX_POSTS):
            form = next((form for form in reply.page.forms if form.posts_itself), None)
            if form is None:
                break
            again = urljoin(reply.url, form.action)
            reply = yield from self._post(again, form.fields, elsewhere)
        return reply

    def consent(self, reply: Reply) -> Steps[Reply]:
        """Answer "yes" to the question whether to continue in this browser."""
        form = next((form for form in reply.page.forms if form.asks_for_consent), None)
        if form is None:
            raise LoginFailed("the site does not ask whether to continue in this browser", reply)
        action = urljoin(reply.url, form.action)
        return (yield from self._post(action, form.fields, elsewhere=False))

    def finish(self, reply: Reply, *, elsewhere: bool = False) -> Steps[Reply]:
        """Follow the redirects on the site."""
        return (yield from self._follow_redirects(reply, elsewhere)) if self._follow else reply

    def check(self, answered: Reply, shown: Reply) -> None:
        """Raise unless the site has signed the person in, and shows the page of the login."""
        self._check_browser(answered)
        if answered.status == 404:
            raise LoginFailed(
                "the site has no route for its redirect URI; if a proxy removes the beginning of "
                'the paths, name it (prefix="/app")',
                answered,
            )
        if _is_refused(answered):
            raise LoginFailed("the site refused the login", answered)
        if shown.status >= 400:
            raise LoginFailed(
                "the login is complete, but the page that it leads to is an error; open the login "
                "with another page, or do not follow the redirect (follow=False)",
                shown,
            )
        is_form = self._form_page == _path(shown.url) and shown.page.form_with(self._email_field)
        if shown is not answered and is_form:
            raise LoginFailed(
                "the login is complete, but the site asks for the address again: "
                "the client has not kept the cookie of the session",
                shown,
            )

    def check_refused(self, answered: Reply) -> None:
        """Raise unless the site has completed the login, and then refused the person."""
        self._check_browser(answered)
        if answered.page.problem not in (None, *_REFUSALS):
            raise LoginFailed("the login did not complete, so no account was refused", answered)
        if not _is_refused(answered):
            raise LoginFailed("the site did not refuse the login: it signed in", answered)

    def check_scheme(self, url: str) -> None:
        """Raise if the client would not send the cookies of the site back."""
        redirect_uri = dict(parse_qsl(urlsplit(url).query)).get("redirect_uri", "")
        is_secure = redirect_uri.startswith("https:")
        origin = self._browser.origin
        loses_cookies = not self._browser.has_secure_cookies_on_http
        if is_secure and origin.startswith("http:") and loses_cookies:
            raise LoginFailed(
                "the redirect URI is https, so the cookies of the site are Secure, and the client "
                "does not send them over http: make the client with the origin of the redirect URI "
                "(base_url), or use a redirect URI with http://localhost in tests "
                f"client={origin} redirect_uri={redirect_uri}"
            )

    def _check_browser(self, answered: Reply) -> None:
        is_asked = any(form.asks_for_consent for form in answered.page.forms)
        if is_asked or answered.page.problem in ("cookies_needed", "other_browser"):
            raise LoginFailed(
                "the site does not recognize the browser that started the login: "
                "the client has not kept the cookie of the site, or has not sent it",
                answered,
            )

    def _form_on(self, reply: Reply) -> tuple[str, dict[str, str]]:
        form = reply.page.form_with(self._email_field)
        if form is None or form.method != "post":
            raise LoginFailed(
                "the page has no form that posts an address; name the page with the form (page=…), "
                "or the path that takes it (action=…) and its field (email_field=…) "
                f"field={self._email_field}",
                reply,
            )
        self._form_page = _path(reply.url)
        return urljoin(reply.url, form.action), form.fields

    def _open(self, url: str, elsewhere: bool) -> Steps[Reply]:
        reply = yield self._get(url, "none", elsewhere)
        return (yield from self._follow_redirects(reply, elsewhere))

    def _follow_redirects(self, reply: Reply, elsewhere: bool) -> Steps[Reply]:
        for _ in range(_MAX_REDIRECTS):
            if reply.location is None:
                return reply
            url = urljoin(reply.url, reply.location)
            if urlsplit(url).netloc not in self._hosts:
                return reply
            reply = yield self._get(self._here(url), "same-origin", elsewhere)
        raise LoginFailed("the site redirects without an end", reply)

    def _get(self, url: str, site: str, elsewhere: bool) -> Request:
        return Request("GET", url, {**_NAVIGATION, "Sec-Fetch-Site": site}, is_elsewhere=elsewhere)

    def _post(
        self, url: str, fields: Mapping[str, str], elsewhere: bool, *, is_opaque: bool = False
    ) -> Steps[Reply]:
        headers = {
            **_NAVIGATION,
            "Content-Type": _FORM,
            "Origin": "null" if is_opaque else origin_of(url),
            "Sec-Fetch-Site": "cross-site" if is_opaque else "same-origin",
        }
        return (yield Request("POST", url, headers, urlencode(fields), elsewhere))

    def _here(self, url: str) -> str:
        """A URL of the site at the host of the client, which need not be that of the site."""
        here, parts = urlsplit(self._browser.origin), urlsplit(url)
        scheme = parts.scheme if self._browser.follows_scheme else here.scheme
        return parts._replace(scheme=scheme, netloc=here.netloc).geturl()


def _is_refused(answered: Reply) -> bool:
    return answered.status >= 400 or answered.page.kind == "problem"


def origin_of(url: str) -> str:
    """Return the origin of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _path(url: str) -> str:
    return urlsplit(url).path
