"""Tests of the site, with the fixtures of portier-client."""

from __future__ import annotations

import secrets

import pytest
from werkzeug.test import Client as Browser

from app import make_app
from portier_client.blocking import Client
from portier_client.testing import DevBroker, LoginHelper

ALICE = "alice@example.com"


@pytest.fixture
def browser(portier_broker: DevBroker) -> Browser:
    """A browser at the site."""
    client = Client("http://localhost:8888/verify", broker=portier_broker.origin)
    return Browser(make_app(client, secret=secrets.token_urlsafe()))


def test_members_see_the_shelf(browser: Browser, portier_login: LoginHelper) -> None:
    page = portier_login(browser, ALICE, page="/members")
    assert "The shelf" in page.text
    assert ALICE in browser.get("/").text


def test_a_person_with_two_browsers_is_asked(browser: Browser, portier_login: LoginHelper) -> None:
    assert "on this device?" in portier_login.other_browser(browser, ALICE).text
    assert ALICE not in browser.get("/").text
