"""Tests of the site, with the fixtures of portier-client."""

from __future__ import annotations

import secrets

import pytest
from starlette.testclient import TestClient

from app import make_app
from portier_client import Client
from portier_client.testing import DevBroker, LoginHelper

ALICE = "alice@example.com"


@pytest.fixture
def browser(portier_broker: DevBroker) -> TestClient:
    """A browser at the site."""
    client = Client("http://localhost:8888/verify", broker=portier_broker.origin)
    app = make_app(client, secret=secrets.token_urlsafe())
    return TestClient(app, base_url="http://localhost:8888")


def test_members_see_the_shelf(browser: TestClient, portier_login: LoginHelper) -> None:
    page = portier_login(browser, ALICE, page="/members")
    assert "The shelf" in page.text
    assert ALICE in browser.get("/members").text


def test_a_login_that_was_cancelled_leads_to_a_page_of_the_site(
    browser: TestClient, portier_login: LoginHelper
) -> None:
    page = portier_login.cancelled(browser)
    assert page.status == 403
    assert "Start again" in page.text


def test_a_login_that_has_expired_leads_to_a_page_of_the_site(
    browser: TestClient, portier_login: LoginHelper
) -> None:
    page = portier_login.expired(browser)
    assert page.status == 400
    assert "Start again" in page.text


def test_a_person_with_two_browsers_is_asked(
    browser: TestClient, portier_login: LoginHelper
) -> None:
    asked = portier_login.other_browser(browser, ALICE)
    assert "on this device?" in asked.text
    assert ALICE not in browser.get("/").text
    portier_login.other_browser(browser, ALICE, confirm=True)
    assert ALICE in browser.get("/").text


def test_people_are_signed_out_after_two_weeks_without_a_visit(
    browser: TestClient, portier_broker: DevBroker, portier_login: LoginHelper
) -> None:
    portier_login(browser, ALICE)
    portier_broker.advance_time(13 * 86400)
    assert ALICE in browser.get("/").text
    portier_broker.advance_time(15 * 86400)
    assert ALICE not in browser.get("/").text
