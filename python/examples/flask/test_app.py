"""Tests of the site, with the fixtures of portier-client."""

from __future__ import annotations

import secrets

import pytest
from flask.testing import FlaskClient

from app import make_app
from portier_client.blocking import Client
from portier_client.testing import DevBroker, LoginHelper

ALICE = "alice@example.com"


@pytest.fixture
def browser(portier_broker: DevBroker) -> FlaskClient:
    """A browser at the site."""
    client = Client("http://localhost:8888/verify", broker=portier_broker.origin)
    return make_app(client, secret=secrets.token_urlsafe()).test_client()


def test_members_see_the_shelf(browser: FlaskClient, portier_login: LoginHelper) -> None:
    page = portier_login(browser, ALICE, page="/members")
    assert "The shelf" in page.text
    assert ALICE in browser.get("/").text


def test_a_login_that_was_cancelled_signs_nobody_in(
    browser: FlaskClient, portier_login: LoginHelper
) -> None:
    page = portier_login.cancelled(browser)
    assert page.status == 403
    assert "Start again" in page.text
    assert ALICE not in browser.get("/").text


def test_new_keys_of_the_broker_are_accepted(
    browser: FlaskClient, portier_login: LoginHelper
) -> None:
    portier_login.rotated_keys(browser, ALICE)
    assert ALICE in browser.get("/").text
