"""Logins at sites behind a proxy that removes the beginning of the paths."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Route

from portier_client import ConfigError, blocking
from portier_client.flask import Portier
from portier_client.testing import DevBroker, LoginFailed, LoginHelper, LoginOptions, login

from .sites import ALICE, SECRET, SITE, TestApp, async_browser_at, browser_at, served
from .sites import starlette_site as site_of

if TYPE_CHECKING:
    from starlette.requests import Request

FORM = '<form method="post"><input name="email"></form>'
BEHIND_PROXY: dict[str, Any] = {
    "callback_path": "/verify",
    "login_url": "/app/login",
    "default_next": "/app/",
}


def starlette_site(broker: DevBroker, **options: Any) -> Starlette:
    """A site that browsers know below ``/app``, and that does not know it itself."""
    return site_of(broker, f"{SITE}/app", **{**BEHIND_PROXY, **options})


def flask_site(broker: DevBroker, origin: str) -> Flask:
    app = Flask(__name__)
    app.secret_key = SECRET
    client = blocking.Client(f"{origin}/app/verify", broker=broker.origin)
    portier = Portier(app, client, **BEHIND_PROXY)
    app.add_url_rule("/login", "form", lambda: FORM)
    app.add_url_rule("/", "index", lambda: portier.email or "nobody")
    return app


@pytest.mark.parametrize("flow", ["code", "implicit"])
def test_a_site_that_does_not_know_its_prefix(portier_broker: DevBroker, flow: str) -> None:
    browser = browser_at(starlette_site(portier_broker, flow=flow))
    ways: list[LoginOptions] = [
        {"page": "/login"},
        {"page": "/app/login"},
        {"action": "/login"},
    ]
    for paths in ways:
        page = login(browser, ALICE, prefix="/app", next_page="/app/members", **paths)
        assert (page.status, page.url) == (200, f"{SITE}/app/members")
        assert page.text == "for members"
    assert browser.get("/").text == ALICE


@pytest.mark.parametrize("flow", ["code", "implicit"])
def test_what_can_go_wrong_behind_a_proxy(portier_broker: DevBroker, flow: str) -> None:
    behind = LoginHelper(prefix="/app")
    browser = browser_at(starlette_site(portier_broker, flow=flow))
    assert behind.expired(browser, ALICE).problem == "over"
    assert behind.cancelled(browser, ALICE).problem == "cancelled"
    assert behind.replayed(browser, ALICE).problem == "used"
    assert ALICE in behind.other_browser(browser, ALICE).text
    assert browser.get("/").text == "nobody"
    behind.other_browser(browser, ALICE, confirm=True, next_page="/app/members")
    assert browser.get("/").text == ALICE


def test_an_asynchronous_client_logs_in_behind_a_proxy(portier_broker: DevBroker) -> None:
    async def visit() -> None:
        async with async_browser_at(starlette_site(portier_broker)) as browser:
            page = await login(browser, ALICE, prefix="/app", next_page="/app/members")
            assert (page.url, page.text) == (f"{SITE}/app/members", "for members")

    asyncio.run(visit())


def test_other_clients_log_in_behind_a_proxy(portier_broker: DevBroker) -> None:
    app = flask_site(portier_broker, "http://localhost")
    for browser in (app.test_client(), TestApp(app)):
        page = login(browser, ALICE, prefix="/app", next_page="/app/")
        assert (page.url, page.text) == ("http://localhost/app/", ALICE)
    with served(lambda origin: flask_site(portier_broker, origin)) as origin:
        # By its URL alone, it could be the site in Django's settings, which other tests load.
        page = login(origin, ALICE, prefix="/app", page="/app/login", next_page="/app/")
        assert (page.url, page.text) == (f"{origin}/app/", ALICE)


def test_the_site_is_told_its_prefix_and_gets_the_paths_without_it() -> None:
    seen = []

    def form(request: Request) -> HTMLResponse:
        seen.append((request.url.path, request.headers.get("x-forwarded-prefix")))
        return HTMLResponse("no form")

    browser = browser_at(Starlette(routes=[Route("/{path:path}", form)]))
    for page in ("/app", "/app/login", "/login", "/application"):
        with pytest.raises(LoginFailed) as raised:
            login(browser, ALICE, prefix="/app", page=page)
        assert "no form" in str(raised.value)
    assert seen == [(path, "/app") for path in ("/", "/login", "/login", "/application")]


def test_a_redirect_out_of_the_prefix_is_a_failure() -> None:
    app = Starlette(routes=[Route("/login", lambda request: RedirectResponse("/sign-in"))])
    message = r"not below the prefix of the site.*prefix=/app path=/sign-in"
    with pytest.raises(LoginFailed, match=message):
        login(browser_at(app), ALICE, prefix="/app")


def test_a_login_that_leads_out_of_the_prefix_is_a_failure(portier_broker: DevBroker) -> None:
    browser = browser_at(starlette_site(portier_broker, default_next="/"))
    with pytest.raises(LoginFailed, match=r"not below the prefix of the site.*path=/$"):
        login(browser, ALICE, prefix="/app")
    assert login(browser, ALICE, prefix="/app", follow=False).status == 303


def test_a_login_without_the_prefix_says_what_to_do(portier_broker: DevBroker) -> None:
    browser = browser_at(starlette_site(portier_broker))
    with pytest.raises(LoginFailed, match=r"name it \(prefix="):
        login(browser, ALICE)


@pytest.mark.parametrize("prefix", ["app", "/app/", "/", "/app?a=1"])
def test_a_prefix_is_the_beginning_of_a_path(prefix: str) -> None:
    with pytest.raises(ConfigError) as raised:
        login("http://localhost", ALICE, prefix=prefix)
    assert raised.value.code == "invalid_option"
