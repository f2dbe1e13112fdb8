"""Whom the site takes a visitor for, and what a site decides about that by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import pytest
from tornado.routing import HostMatches, Rule, RuleRouter
from tornado.web import Application, HTTPError, RequestHandler

from portier_client import Client, Login
from portier_client.tornado import LoginHandler, Problem, VerifyHandler

if TYPE_CHECKING:
    from portier_client.testing import DevBroker

    from .conftest import Serve
    from .visitor import Page, Visitor

Start = Callable[..., str]


@pytest.fixture
def start(visitor: Visitor, site: str) -> Start:
    """Starts a login; returns the URL at the broker."""

    def start(email: str) -> str:
        login = visitor.get(f"{site}/login")
        started = visitor.submit(login, "/login", email=email, follow=False)
        assert started.status == 303
        return started.headers["Location"]

    return start


@pytest.fixture
def finish(visitor: Visitor, site: str, broker: DevBroker) -> Callable[..., Page]:
    """Ends a login as the broker does that says certain things."""

    def finish(url: str, **claims: object) -> Page:
        token = broker.mint(url=url, claims=claims)
        return visitor.post(f"{site}/verify", {"id_token": token, "state": ""})

    return finish


@pytest.mark.parametrize(
    "email",
    [
        "alice@example.com\r\nBcc: mallory@example.com",
        "alice\r\nBcc:mallory@example.com",
        "alice\n@example.com",
        "alice\0@example.com",
        "alice\x85@example.com",
        "alice@example.com\t",
    ],
    ids=["two lines", "local part", "line feed", "nul", "c1", "tab"],
)
def test_web_11_an_address_that_would_begin_a_header_signs_nobody_in(
    visitor: Visitor, start: Start, finish: Callable[..., Page], email: str
) -> None:
    refused = finish(start("alice@example.com"), email=email)
    assert refused.status == 400
    assert "email" not in visitor.cookies["localhost"]


def test_web_13_an_account_is_an_address_in_normalized_form(
    visitor: Visitor, start: Start, finish: Callable[..., Page]
) -> None:
    welcome = finish(start(" BJÖRN@GÖTEBORG.test "))
    assert "björn@xn--gteborg-90a.test" in welcome.text
    visitor.cookies.clear()
    # Its first letter is Cyrillic.
    look_alike = "\u0430lice@example.com"
    welcome = finish(start(look_alike))
    assert look_alike in welcome.text
    assert "alice@example.com" not in welcome.text


def test_web_14_what_was_typed_is_nobodys_name(start: Start, finish: Callable[..., Page]) -> None:
    typed = "a.lice@example.com"
    welcome = finish(start(typed), email="alice@example.com", email_original=typed)
    assert welcome.status == 200
    assert "alice@example.com" in welcome.text
    assert typed not in welcome.text


def test_web_07_a_start_tells_nothing_of_who_has_an_account(
    visitor: Visitor, site: str, start: Start, finish: Callable[..., Page]
) -> None:
    assert finish(start("member@example.com")).status == 200
    visitor.cookies.clear()
    answers = []
    for email in ("member@example.com", "nobody@example.com"):
        page = visitor.submit(visitor.get(f"{site}/login"), "/login", email=email, follow=False)
        url = urlsplit(page.headers["Location"])
        query = dict(parse_qsl(url.query))
        assert query.pop("login_hint") == email
        assert len(query.pop("nonce")) > 0
        assert page.text == ""
        # The date, the nonce and the browser's secret differ from request to request.
        headers = {name for name in page.headers if name != "Set-Cookie"}
        answers.append((page.status, url.netloc, url.path, query, headers))
    assert answers[0] == answers[1]


@pytest.fixture
def serve_plain(serve: Serve, broker: DevBroker) -> Callable[..., str]:
    """Serves a site of a few lines."""

    def start(
        login: type[RequestHandler] = LoginHandler, verify: type[RequestHandler] = VerifyHandler
    ) -> str:
        def make(origin: str) -> Application:
            client = Client(f"{origin}/verify", broker=broker.origin)
            return Application([("/login", login), ("/verify", verify)], portier=client)

        return serve(make)

    return start


def test_web_06_a_site_may_limit_how_many_logins_start(
    serve_plain: Callable[..., str], visitor: Visitor
) -> None:
    class Limited(LoginHandler):
        started: Iterator[int] = iter(range(2))

        def prepare(self) -> None:
            if next(self.started, None) is None:
                self.answer_problem(Problem(429, "Too many sign-ins", "Please wait.", 60))

    site = serve_plain(Limited)
    forms = [{"email": f"{name}@example.com"} for name in "abc"]
    pages = [visitor.post(f"{site}/login", form, origin=site, follow=False) for form in forms]
    assert [page.status for page in pages] == [303, 303, 429]
    assert pages[2].headers["Retry-After"] == "60"
    assert "Location" not in pages[2].headers


def test_web_17_a_site_may_take_addresses_of_its_own_choice(
    serve_plain: Callable[..., str], visitor: Visitor, broker: DevBroker
) -> None:
    class Staff(VerifyHandler):
        def on_login(self, login: Login) -> None:
            if not login.email.endswith("@example.com"):
                self.answer_problem(Problem(403, "For staff only", "This is no address of ours."))
            else:
                self.set_cookie("email", "1")

    site = serve_plain(verify=Staff)
    for email, status in [("alice@example.com", 303), ("alice@example.com.evil.example", 403)]:
        form = {"email": email}
        started = visitor.post(f"{site}/login", form, origin=site, follow=False)
        token = broker.mint(url=started.headers["Location"])
        answer = visitor.post(f"{site}/verify", {"id_token": token}, follow=False)
        assert answer.status == status
        assert ("email=1" in str(answer.headers["Set-Cookie"])) == (status == 303)


def test_web_25_each_host_has_a_client_of_its_own(
    serve: Serve, visitor: Visitor, broker: DevBroker
) -> None:
    hosts = ["one.example", "two.example"]

    class Verify(VerifyHandler):
        def on_login(self, login: Login) -> None:
            self.finish(f"{login.email} at {self.portier.client_id}")

    class Nowhere(RequestHandler):
        def prepare(self) -> None:
            raise HTTPError(404)

    def tenant(host: str) -> Application:
        client = Client(f"https://{host}/verify", broker=broker.origin)
        return Application([("/login", LoginHandler), ("/verify", Verify)], portier=client)

    def make(origin: str) -> Application:
        rules = [Rule(HostMatches(host), tenant(host)) for host in hosts]
        rest = Application([("/.*", Nowhere)])
        router = RuleRouter([*rules, Rule(HostMatches(".*"), rest)])
        # What serves it only asks for a delegate.
        return router  # type: ignore[return-value]

    site = serve(make)

    def post(host: str, path: str, form: dict[str, str]) -> Page:
        visitor.headers |= {"Host": host, "Origin": f"https://{host}"}
        return visitor.post(f"{site}{path}", form, origin=site, follow=False)

    for host, other in (hosts, hosts[::-1]):
        started = post(host, "/login", {"email": "alice@example.com"})
        query = dict(parse_qsl(urlsplit(started.headers["Location"]).query))
        assert query["client_id"] == f"https://{host}"
        answer = {"id_token": broker.mint(url=started.headers["Location"])}
        assert post(other, "/verify", answer).status == 400
        assert post("three.example", "/verify", answer).status == 404
        assert post(host, "/verify", answer).text == f"alice@example.com at https://{host}"
