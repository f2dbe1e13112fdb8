"""Logging in to the example site, as a person does."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from portier_client import Client

from .conftest import EXAMPLE, SECRET, Serve, make_app
from .visitor import Page, Visitor

if TYPE_CHECKING:
    from portier_client.testing import DevBroker

LogIn = Callable[..., Page]


def test_a_visitor_logs_in_and_out(visitor: Visitor, site: str, broker: DevBroker) -> None:
    index = visitor.get(f"{site}/")
    assert "alice@example.com" not in index.text

    asked = visitor.submit(index, "/login", email="Alice@Example.com")
    assert asked.url.startswith(f"{broker.origin}/auth?")
    assert site in asked.text
    assert "Alice@Example.com" in asked.text

    answer = visitor.submit(asked, answer="continue", follow=False)
    assert re.match(f"{site}/verify\\?code=[^&]+&state=", answer.headers["Location"])

    greeting = visitor.get(answer.headers["Location"])
    assert greeting.url == f"{site}/"
    assert "alice@example.com" in greeting.text

    goodbye = visitor.submit(greeting, "/logout")
    assert goodbye.url == f"{site}/"
    assert "alice@example.com" not in goodbye.text


def test_a_login_returns_to_the_page_that_needed_it(visitor: Visitor, site: str) -> None:
    refused = visitor.request("GET", f"{site}/members")
    assert refused.status == 302
    login = visitor.get(f"{site}{refused.headers['Location']}")
    asked = visitor.submit(login, "/login", email="bob@example.com")
    members = visitor.submit(asked, answer="continue")
    assert members.url == f"{site}/members"
    assert members.status == 200
    assert "bob@example.com" in members.text


def test_the_session_cookie_survives_the_way_back_from_the_broker(
    visitor: Visitor, log_in: LogIn
) -> None:
    log_in()
    cookie = visitor.cookies["localhost"]["email"]
    assert cookie["samesite"] == "Lax"
    assert cookie["httponly"]
    assert not cookie["secure"], "plain http on this machine"


def test_the_login_page_may_redirect_its_form_to_the_broker(
    visitor: Visitor, site: str, broker: DevBroker
) -> None:
    policy = visitor.get(f"{site}/login").headers["Content-Security-Policy"]
    assert f"form-action 'self' {broker.origin} https://accounts.google.com;" in policy
    assert "frame-ancestors 'none'" in policy


def test_a_login_replaces_the_earlier_session(visitor: Visitor, site: str) -> None:
    attacker = Visitor()
    asked = attacker.submit(attacker.get(f"{site}/login"), "/login", email="mallory@example.com")
    attacker.submit(asked, answer="continue")
    planted = attacker.cookies["localhost"]["email"]
    visitor.cookies["localhost"] = {"email": planted}
    assert "mallory@example.com" in visitor.get(f"{site}/").text
    form = visitor.get(f"{site}/members").form("/logout")
    again = {"_xsrf": form.fields["_xsrf"], "email": "alice@example.com"}
    asked = visitor.post(f"{site}/login", again, origin=site)
    greeting = visitor.submit(asked, answer="continue")
    assert "alice@example.com" in greeting.text
    assert "mallory@example.com" not in greeting.text
    assert visitor.cookies["localhost"]["email"].value != planted.value
    assert "mallory@example.com" in attacker.get(f"{site}/").text, "it is what it was"


def test_with_https_the_form_cookie_has_the_host_prefix(visitor: Visitor, serve: Serve) -> None:
    site = serve(lambda _: make_app(Client("https://example.com/verify"), SECRET))
    visitor.get(f"{site}/login")
    cookies = visitor.cookies["localhost"]
    assert cookies.keys() == {"__Host-xsrf"}
    cookie = cookies["__Host-xsrf"]
    assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")


def test_the_question_of_the_example_ignores_early_clicks_like_that_of_the_library() -> None:
    library = EXAMPLE.parents[2] / "core" / "templates" / "web" / "confirmation.js"
    ours = (EXAMPLE.parents[2] / "node/examples/shared/static/once.js").read_text(encoding="utf-8")
    code = re.sub("(?m)^//.*\n", "", ours).replace('querySelector("form.confirm")', "forms[0]")
    assert code == re.sub("(?m)^//.*\n", "", library.read_text(encoding="utf-8"))
