"""Logins with the kit while the broker cannot be reached."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from portier_client.testing import DevBroker, LoginFailed, login

from .sites import ALICE, SITE, browser_at, starlette_site


@pytest.mark.parametrize("flow", ["code", "implicit"])
def test_a_broker_may_be_down_from_the_beginning(portier_broker: DevBroker, flow: str) -> None:
    browser = browser_at(starlette_site(portier_broker, flow=flow))
    page = login.broker_down(browser, ALICE)
    assert (page.status, page.problem) == (503, "broker_unavailable")
    assert page.url == f"{SITE}/login", "the site has not fetched the documents"
    assert browser.get("/").text == "nobody"
    # It is reachable again.
    assert login(browser, ALICE).text == ALICE


def test_a_broker_may_be_down_when_the_person_comes_back(portier_broker: DevBroker) -> None:
    browser = browser_at(starlette_site(portier_broker, flow="code"))
    login(browser, "bob@example.com")
    page = login.broker_down(browser, ALICE)
    assert (page.status, page.problem) == (503, "broker_unavailable")
    assert page.url.startswith(f"{SITE}/verify?")
    assert browser.get("/").text == "bob@example.com"
    assert login(browser, ALICE).text == ALICE


def test_the_implicit_flow_needs_no_broker_once_its_keys_are_known(
    portier_broker: DevBroker,
) -> None:
    browser = browser_at(starlette_site(portier_broker, flow="implicit"))
    login(browser, "bob@example.com")
    page = login.broker_down(browser, ALICE)
    assert (page.status, page.problem) == (200, None)
    assert browser.get("/").text == ALICE


def test_a_broker_that_is_down_does_not_hide_a_site_without_a_login() -> None:
    site = browser_at(Starlette(routes=[Route("/login", lambda _: PlainTextResponse("hello"))]))
    with pytest.raises(LoginFailed, match="the page has no form"):
        login.broker_down(site, ALICE)
