"""Which account a visitor has, and what the site decides about it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import pytest
from tornado.routing import HostMatches, Rule, RuleRouter
from tornado.web import Application, HTTPError, RequestHandler

from portier_client import Client, Login
from portier_client.tornado import LoginHandler, VerifyHandler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from portier_client.testing import DevBroker

    from .conftest import Serve
    from .visitor import Page, Visitor


def test_a_site_may_limit_how_many_logins_start(
    serve_handlers: Callable[..., str], visitor: Visitor
) -> None:
    class Limited(LoginHandler):
        started: Iterator[int] = iter(range(2))

        def prepare(self) -> None:
            if next(self.started, None) is None:
                self.set_status(429)
                self.set_header("Retry-After", "60")
                self.finish("Please wait.")

    site = serve_handlers(login=Limited)
    forms = [{"email": f"{name}@example.com"} for name in "abc"]
    pages = [visitor.post(f"{site}/login", form, origin=site, follow=False) for form in forms]
    assert [page.status for page in pages] == [303, 303, 429]
    assert pages[2].headers["Retry-After"] == "60"
    assert "Location" not in pages[2].headers


def test_a_site_may_choose_which_addresses_it_accepts(
    serve_handlers: Callable[..., str],
    visitor: Visitor,
    answer_to: Callable[..., dict[str, str]],
) -> None:
    class Staff(VerifyHandler):
        def on_login(self, login: Login) -> None:
            if not login.email.endswith("@example.com"):
                self.set_status(403)
                self.write("For staff only")
            else:
                self.set_cookie("email", "1")

    site = serve_handlers(Staff)
    for email, status in [("alice@example.com", 303), ("alice@example.com.evil.example", 403)]:
        visitor.cookies.clear()
        answer = visitor.post(f"{site}/verify", answer_to(site, email), origin=site, follow=False)
        assert answer.status == status
        signed_in = {"email", "portier-signed-in"} & visitor.cookies["localhost"].keys()
        assert len(signed_in) == (2 if status == 303 else 0)


@pytest.mark.usefixtures("implicit")
def test_each_host_may_have_its_own_client(
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
        # The server needs only a router delegate.
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
