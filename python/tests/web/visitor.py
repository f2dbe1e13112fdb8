"""A browser without scripts: it keeps cookies, follows redirects and sends forms.

It has no scripts; on the page that posts its form again, it presses the button.
"""

from __future__ import annotations

import http.client
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import Morsel, SimpleCookie
from urllib.parse import urlencode, urljoin, urlsplit


class Visitor:
    """A visitor with their own browser.

    Cookies belong to a host name, whatever its port. `Lax` and `Strict` cookies are not sent when
    another site posts. A page that its own policy sandboxes, like the broker's, has an opaque
    origin.

    With `goes_on=False`, it stays on the page that posts its form again.
    """

    def __init__(self) -> None:
        self.cookies: dict[str, dict[str, Morsel[str]]] = {}
        self.headers: dict[str, str] = {}
        """Further headers of every request."""

    def get(self, url: str, *, follow: bool = True) -> Page:
        """Opens an address, like one that was typed."""
        return self._send("GET", url, None, follow=follow)

    def request(self, method: str, url: str) -> Page:
        """Sends a request that no page could send."""
        return self._send(method, url, None, follow=False, origin=origin_of(url))

    def submit(
        self,
        page: Page,
        action: str = "",
        *,
        follow: bool = True,
        goes_on: bool = True,
        **fields: str,
    ) -> Page:
        """Fills in the form of a page whose action ends with `action`, and sends it."""
        form = page.form(action)
        url = urljoin(page.url, form.action)
        values = {**form.fields, **fields}
        origin = None if page.is_sandboxed else origin_of(page.url)
        return self.post(url, values, follow=follow, goes_on=goes_on, origin=origin)

    def post(
        self,
        url: str,
        fields: dict[str, str],
        *,
        follow: bool = True,
        goes_on: bool = True,
        origin: str | None = None,
    ) -> Page:
        """Sends a form from a page at `origin`; by default, from another site."""
        body = urlencode(fields).encode()
        page = self._send("POST", url, body, follow=follow, origin=origin)
        if goes_on and page.posts_again:
            again = urlencode(page.form().fields).encode()
            origin = origin_of(page.url)
            page = self._send("POST", page.url, again, follow=follow, origin=origin)
            assert not page.posts_again, "once is enough"
        return page

    def send_form(self, url: str, body: bytes, *, cross_site: bool = True) -> Page:
        """Sends a form as it is, and does nothing else."""
        origin = None if cross_site else origin_of(url)
        return self._send("POST", url, body, follow=False, origin=origin)

    def _send(
        self, method: str, url: str, body: bytes | None, *, follow: bool, origin: str | None = None
    ) -> Page:
        for _ in range(10):
            page = self._exchange(method, url, body, origin)
            if not (follow and 300 <= page.status < 400):
                return page
            assert page.status == 303 or method == "GET", "what answers a form is 303"
            method, url, body = "GET", urljoin(url, page.headers["Location"]), None
        raise AssertionError("too many redirects")

    def _exchange(self, method: str, url: str, body: bytes | None, origin: str | None) -> Page:
        parts = urlsplit(url)
        assert parts.hostname is not None
        cross_site = origin is None or urlsplit(origin).hostname != parts.hostname
        headers = {"Cookie": self._cookies_for(parts.hostname, cross_site and method == "POST")}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["Origin"] = origin or "null"
        headers |= self.headers
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, body, headers)
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        for value in response.headers.get_all("Set-Cookie", []):
            self._keep(parts.hostname, value)
        return Page(url, response.status, response.headers, text)

    def _cookies_for(self, host: str, from_elsewhere: bool) -> str:
        cookies = self.cookies.get(host, {}).values()
        return "; ".join(
            f"{cookie.key}={cookie.coded_value}"
            for cookie in cookies
            if not (from_elsewhere and cookie["samesite"].lower() in ("lax", "strict"))
        )

    def _keep(self, host: str, value: str) -> None:
        for name, cookie in SimpleCookie(value).items():
            self.cookies.setdefault(host, {})[name] = cookie
            if not cookie.value:
                del self.cookies[host][name]


def origin_of(url: str) -> str:
    """The headers about the site of a page."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


@dataclass
class Page:
    """The page that a visitor sees."""

    url: str
    status: int
    headers: http.client.HTTPMessage
    text: str

    @property
    def is_sandboxed(self) -> bool:
        """Whether the page has an opaque origin."""
        policy = self.headers.get("Content-Security-Policy", "")
        directives = [directive.split() for directive in policy.split(";")]
        sandbox = next((words for words in directives if words[:1] == ["sandbox"]), None)
        return sandbox is not None and "allow-same-origin" not in sandbox

    @property
    def posts_again(self) -> bool:
        """Whether the page posts its only form again, with cookies, by a script."""
        return [form.asks_nobody for form in self.forms] == [True]

    @property
    def forms(self) -> list[Form]:
        """The forms on the page."""
        reader = _FormReader()
        reader.feed(self.text)
        return reader.forms

    def form(self, action: str = "") -> Form:
        """The only form whose action ends with `action`."""
        forms = [form for form in self.forms if form.action.endswith(action)]
        assert len(forms) == 1, f"forms={[form.action for form in self.forms]}"
        return forms[0]


@dataclass
class Form:
    """A form with its initial values."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def asks_nobody(self) -> bool:
        """Whether the form is the broker's answer to post again, not a question to the person."""
        return "portier_again" in self.fields and "portier_confirmation" not in self.fields


class _FormReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(attributes.get("action", "")))
        elif tag == "input" and self.forms and "name" in attributes:
            self.forms[-1].fields[attributes["name"]] = attributes.get("value", "")
