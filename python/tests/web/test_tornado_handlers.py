"""The handlers on their own: pages, headers and hooks, whatever the client says."""

from __future__ import annotations

import base64
import hashlib
import logging
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from tornado.web import Application, RequestHandler

from portier_client import (
    BrokerError,
    BrokerUnavailable,
    BrowserMismatch,
    Client,
    ConfigError,
    InternalError,
    InvalidEmail,
    InvalidSession,
    InvalidToken,
    Login,
    PortierError,
    SessionUsed,
    StoreError,
    _fragment,
)
from portier_client.tornado import (
    Confirmation,
    FragmentVerifyHandler,
    LoginHandler,
    Problem,
    VerifyHandler,
    login_policy,
)

if TYPE_CHECKING:
    from .conftest import Serve
    from .visitor import Page, Visitor


@dataclass
class StandIn:
    """A client whose answers are known beforehand."""

    answer: PortierError | Login
    redirect_uri: str = "https://example.com/verify"
    client_id: str = "https://example.com"
    completed: list[tuple[dict[str, list[bytes]], str | None, str | None]] = field(
        default_factory=list
    )

    async def authenticate(self, email: str, *, session: str | None, browser: str | None) -> str:
        return self._answered()

    async def complete(
        self,
        form: dict[str, list[bytes]],
        browser: str | None = None,
        *,
        confirmation: str | None = None,
    ) -> Login:
        self.completed.append((form, browser, confirmation))
        return self._answered()

    def _answered(self) -> Any:
        if isinstance(self.answer, PortierError):
            raise self.answer
        return self.answer


def login(session: str | None = None) -> Login:
    return Login(
        email="alice@example.com",
        email_original="Alice@example.com",
        session=session,
        state=None,
        issued_at=datetime.now(UTC),
        auth_time=None,
        same_browser=False,
    )


class Verify(VerifyHandler):
    def on_login(self, login: Login) -> None:
        self.set_cookie("email", login.email, **self.cookie_flags)


@pytest.fixture
def serve_answer(serve: Serve) -> Any:
    """Serves handlers whose client has one answer; returns the site's origin."""

    def start(
        answer: PortierError | Login | StandIn,
        verify: type[RequestHandler] = Verify,
        **settings: Any,
    ) -> str:
        client = answer if isinstance(answer, StandIn) else StandIn(answer)
        handlers: list[Any] = [("/login", LoginHandler), ("/verify", verify)]
        return serve(lambda _: Application(handlers, portier=client, **settings))

    return start


MESSAGE = "for developers only"
REFUSED = BrokerError(MESSAGE, code="broker_error", error="access_denied")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidEmail(MESSAGE, code="invalid_email"), 400),
        (REFUSED, 403),
        (BrokerError(MESSAGE, code="broker_error", error="invalid_request"), 400),
        (BrokerError(MESSAGE, code="missing_token"), 400),
        (InvalidToken(MESSAGE, code="token_signature"), 400),
        (InvalidSession(MESSAGE, code="session_unknown"), 400),
        (BrowserMismatch(MESSAGE, code="session_browser"), 400),
        (BrokerUnavailable(MESSAGE, code="broker_timeout"), 503),
        (StoreError(MESSAGE, code="store_full"), 503),
        (ConfigError(MESSAGE, code="invalid_option"), 500),
        (InternalError(MESSAGE, code="internal"), 500),
    ],
    ids=lambda value: getattr(value, "code", ""),
)
@pytest.mark.parametrize("path", ["/login", "/verify"])
def test_each_error_has_a_page_with_its_status(
    serve_answer: Any, visitor: Visitor, path: str, error: PortierError, status: int
) -> None:
    form = {"email": "x", "id_token": "x"}
    page = visitor.post(serve_answer(error) + path, form, origin=StandIn.client_id)
    assert page.status == status
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Frame-Options"] == "DENY"
    assert (page.headers["Retry-After"] is not None) == (status == 503)
    assert '<a href="/">Start again</a>' in page.text
    assert MESSAGE not in page.text


def test_the_default_page_allows_its_own_style_only(serve_answer: Any, visitor: Visitor) -> None:
    page = visitor.post(f"{serve_answer(REFUSED)}/verify", {"id_token": "x"})
    style = re.search("<style>(.*?)</style>", page.text, re.DOTALL)
    assert style is not None
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{sha256(style[1])}'; ")


def sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_the_link_of_the_default_page_is_escaped(serve_answer: Any, visitor: Visitor) -> None:
    site = serve_answer(REFUSED, login_url='/in?"><script>')
    page = visitor.post(f"{site}/verify", {"id_token": "x"})
    assert '<a href="/in?&quot;&gt;&lt;script&gt;">' in page.text


FORM = {"id_token": "a.b.c", "state": "\"><script>'&", "error_description": "x", "other": "y"}


def test_the_answer_is_posted_again_before_anybody_looks_at_it(
    serve_answer: Any, visitor: Visitor
) -> None:
    client = StandIn(login())
    site = serve_answer(client)
    forged = {**FORM, "portier_confirmation": "z"}
    page = visitor.post(f"{site}/verify", forged, goes_on=False)
    assert (page.status, client.completed, visitor.cookies) == (200, [], {})
    again = {name: FORM[name] for name in ("id_token", "state", "error_description")}
    assert page.form().fields == {**again, "portier_again": "1"}
    assert FORM["state"] not in page.text
    assert_allows_its_own(page, "form-action 'self' https:;")

    assert visitor.submit(page, follow=False).status == 303
    ((form, browser, confirmation),) = client.completed
    assert form["id_token"] == [b"a.b.c"]
    assert (browser, confirmation) == (visitor.cookies["localhost"]["__Host-portier"].value, None)


def test_web_20_another_site_replaces_no_cookie(serve_answer: Any, visitor: Visitor) -> None:
    site = serve_answer(StandIn(login()))
    body = urlencode({**FORM, "portier_again": "1"}).encode()
    for said, again in [("cross-site", True), ("same-site", True), ("same-origin", False)]:
        visitor.headers["Sec-Fetch-Site"] = said
        page = visitor.send_form(f"{site}/verify", body)
        assert page.posts_again is again
        assert ("Set-Cookie" in page.headers) is not again


def test_fields_that_come_twice_are_posted_twice(serve_answer: Any, visitor: Visitor) -> None:
    site = serve_answer(StandIn(login()))
    body = urlencode([("id_token", "a"), ("id_token", "b"), ("state", b"\xff")]).encode()
    page = visitor.send_form(f"{site}/verify", body)
    assert page.text.count('name="id_token"') == 2
    assert page.form().fields["state"] == "\ufffd"


ELSEWHERE = BrowserMismatch(
    MESSAGE, code="session_browser", email='"<b>&"@example.com', confirmation="a-b_c"
)


def test_the_question_names_the_person_and_allows_its_own_script_only(
    serve_answer: Any, visitor: Visitor
) -> None:
    class Shop(Verify):
        allowed_hosts = ("shop.example.com",)

    site = serve_answer(ELSEWHERE, Shop, login_url='/in?"><script>')
    page = visitor.post(f"{site}/verify", FORM)
    assert page.status == 200
    words = "<h1>Sign in as &quot;&lt;b&gt;&amp;&quot;@example.com on this device?</h1>"
    assert words in page.text
    assert '<a class="quiet" href="/in?&quot;&gt;&lt;script&gt;">No, cancel</a>' in page.text
    assert page.form().fields == {
        "id_token": FORM["id_token"],
        "state": FORM["state"],
        "portier_again": "1",
        "portier_confirmation": "a-b_c",
    }
    assert_allows_its_own(page, "form-action 'self' https:;")


def assert_allows_its_own(page: Page, form_action: str) -> None:
    style = re.search("<style>(.*?)</style>", page.text, re.DOTALL)
    script = re.search("<script>(.*?)</script>", page.text, re.DOTALL)
    assert style is not None
    assert script is not None
    policy = page.headers["Content-Security-Policy"]
    hashes = f"style-src 'sha256-{sha256(style[1])}'; script-src 'sha256-{sha256(script[1])}'; "
    assert policy.startswith(f"default-src 'none'; {hashes}base-uri 'none'; ")
    assert form_action in policy


def test_what_a_person_confirmed_reaches_the_client(serve_answer: Any, visitor: Visitor) -> None:
    client = StandIn(ELSEWHERE)
    site = serve_answer(client)
    question = visitor.post(f"{site}/verify", FORM)
    secret = visitor.cookies["localhost"]["__Host-portier"].value
    visitor.submit(question)
    assert client.completed[-1][1:] == (secret, "a-b_c")
    twice = urlencode([("id_token", "a"), *[("portier_confirmation", "b")] * 2]).encode()
    visitor.send_form(f"{site}/verify", twice, cross_site=False)
    assert client.completed[-1][1:] == (secret, None)


def test_web_19_the_cookie_of_an_https_site_is_of_this_host_only(
    serve_answer: Any, visitor: Visitor
) -> None:
    client = StandIn(login())
    site = serve_answer(client)
    # Any host of the domain can set a cookie of this name, and none can of the other.
    visitor.cookies["localhost"] = dict(SimpleCookie(f"portier={'A' * 43}"))
    assert visitor.post(f"{site}/verify", FORM, origin=site, goes_on=False).posts_again
    visitor.post(f"{site}/verify", FORM, follow=False)
    cookie = visitor.cookies["localhost"]["__Host-portier"]
    assert client.completed[-1][1] == cookie.value != "A" * 43
    assert cookie["secure"]
    assert (cookie["path"], cookie["domain"]) == ("/", "")


@pytest.mark.parametrize("space", ["\x85", "\xa0", "\x85\xa0"])
def test_web_19_a_name_that_only_looks_like_ours_is_another_cookie(
    serve_answer: Any, visitor: Visitor, space: str
) -> None:
    """Any host of the domain can set it, and Tornado takes it for the one without a space."""
    client = StandIn(login())
    site = serve_answer(client)
    own, tossed = "A" * 43, "B" * 43
    lookalike = f"{space}__Host-portier={tossed}"
    visitor.headers["Cookie"] = lookalike
    assert visitor.post(f"{site}/verify", FORM, origin=site, goes_on=False).posts_again
    for cookies in [f"__Host-portier={own}; {lookalike}", f"{lookalike};\t__Host-portier={own} "]:
        visitor.headers["Cookie"] = cookies
        visitor.post(f"{site}/verify", FORM, origin=site, follow=False)
        assert client.completed.pop()[1] == own
    visitor.headers["Cookie"] = f"__Host-portier={own}; __Host-portier={tossed}"
    assert visitor.post(f"{site}/verify", FORM, origin=site, goes_on=False).posts_again


@pytest.mark.parametrize(
    ("redirect_uri", "secure"),
    [("HTTPS://example.com/verify", True), ("http://localhost:8888/https:", False)],
)
def test_web_19_the_flags_of_cookies_go_with_the_site(
    serve_answer: Any, visitor: Visitor, redirect_uri: str, secure: bool
) -> None:
    site = serve_answer(StandIn(login(), redirect_uri))
    visitor.post(f"{site}/verify", FORM, origin=site, follow=False)
    cookies = visitor.cookies["localhost"]
    assert cookies.keys() == {"email", "__Host-portier" if secure else "portier"}
    assert [bool(cookie["secure"]) for cookie in cookies.values()] == [secure] * 2


def test_a_site_may_ask_in_its_own_words(serve_answer: Any, visitor: Visitor) -> None:
    class Terse(Verify):
        def show_confirmation(self, confirmation: Confirmation) -> None:
            assert "example.com" not in repr(confirmation)
            self.finish(confirmation.email)

    page = visitor.post(f"{serve_answer(ELSEWHERE, Terse)}/verify", FORM)
    assert page.text == ELSEWHERE.email
    assert (page.headers["X-Frame-Options"], page.headers["Cache-Control"]) == ("DENY", "no-store")


def test_web_22_a_login_that_this_browser_has_completed_leads_home(
    serve_answer: Any, visitor: Visitor
) -> None:
    class Shop(Verify):
        default_next = "/home"

    for same_browser, status in [(True, 303), (False, 400)]:
        used = SessionUsed(MESSAGE, code="session_used", same_browser=same_browser)
        answer = visitor.post(f"{serve_answer(used, Shop)}/verify", FORM, follow=False)
        assert answer.status == status
        assert answer.headers["Location"] == ("/home" if same_browser else None)


def test_the_hooks_may_be_async(serve_answer: Any, visitor: Visitor) -> None:
    class Async(VerifyHandler):
        async def on_login(self, login: Login) -> None:
            self.set_cookie("email", login.email)

        async def on_login_error(self, error: PortierError) -> None:
            self.set_status(418)

    answer = visitor.post(f"{serve_answer(login(), Async)}/verify", {}, follow=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert visitor.cookies["localhost"]["email"].value == "alice@example.com"
    assert visitor.post(f"{serve_answer(REFUSED, Async)}/verify", {}).status == 418


def test_a_hook_may_answer_by_itself(serve_answer: Any, visitor: Visitor) -> None:
    class Terse(VerifyHandler):
        def on_login(self, login: Login) -> None:
            self.finish("you are in")

        def show_problem(self, problem: Problem) -> None:
            self.finish(problem.title)

    assert visitor.post(f"{serve_answer(login(), Terse)}/verify", {}).text == "you are in"
    refused = visitor.post(f"{serve_answer(REFUSED, Terse)}/verify", {})
    assert (refused.status, refused.text) == (403, "Sign-in cancelled")


def test_a_stored_page_is_checked_again(serve_answer: Any, visitor: Visitor) -> None:
    class Shop(Verify):
        default_next = "/home"
        allowed_hosts = ("shop.example.com",)

    for stored, landed in [
        ("//evil.example", "/home"),
        ("/members", "/members"),
        ("https://shop.example.com/", "https://shop.example.com/"),
        (None, "/home"),
    ]:
        site = serve_answer(login(stored), Shop)
        answer = visitor.post(f"{site}/verify", {}, follow=False)
        assert answer.headers["Location"] == landed


def test_cookies_are_secure_where_the_site_is(serve_answer: Any, visitor: Visitor) -> None:
    visitor.post(f"{serve_answer(login())}/verify", {}, follow=False)
    cookie = visitor.cookies["localhost"]["email"]
    assert cookie["secure"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_a_site_must_say_what_a_login_does(serve_answer: Any, visitor: Visitor) -> None:
    assert visitor.post(f"{serve_answer(login(), VerifyHandler)}/verify", {}).status == 500


def test_web_10_the_log_names_the_code_and_no_secret(
    serve_answer: Any, visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    site = serve_answer(REFUSED)
    visitor.post(f"{site}/verify", {"id_token": "e30.e30.c2ln", "state": "s3cret"})
    assert "code=broker_error" in caplog.text
    assert "e30" not in caplog.text
    assert "s3cret" not in caplog.text


def test_web_26_a_policy_names_the_broker_and_the_identity_providers() -> None:
    client = Client("https://example.com/verify", broker="https://broker.example.com/")
    policy = login_policy(client, identity_providers=["https://idp.example.com"])
    assert "form-action 'self' https://broker.example.com https://idp.example.com; " in policy


def test_a_fragment_is_posted_by_a_page_that_runs_nothing_else(
    serve_answer: Any, visitor: Visitor
) -> None:
    class Fragment(FragmentVerifyHandler, Verify):
        pass

    site = serve_answer(login(), Fragment)
    page = visitor.get(f"{site}/verify")
    script = re.search("<script>(.*?)</script>", page.text, re.DOTALL)
    assert script is not None
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith(f"default-src 'none'; script-src 'sha256-{sha256(script[1])}'; ")
    assert "form-action 'self' https:;" in policy
    assert page.headers["Cache-Control"] == "no-store"
    assert page.form().action == ""
    assert visitor.submit(page, follow=False, id_token="x").status == 303


def test_only_the_fragment_leaves_the_address_bar() -> None:
    # The form posts to the address that is left, so a query of the redirect URI has to stay.
    (kept,) = re.findall(r'history\.replaceState\(null, "", (.*)\);', _fragment.PAGE)
    assert kept == "location.pathname + location.search"
