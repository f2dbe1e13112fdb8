"""Tests of the site, with the fixtures of portier-client."""

import secrets

import pytest
from fastapi.testclient import TestClient

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


def test_the_api_knows_who_is_signed_in(browser: TestClient, portier_login: LoginHelper) -> None:
    assert browser.get("/api/me", follow_redirects=False).status_code in {303, 401}
    portier_login(browser, ALICE)
    assert browser.get("/api/me").json() == {"email": ALICE}


def test_a_broker_that_is_down_leads_to_a_page_of_the_site(
    browser: TestClient, portier_login: LoginHelper
) -> None:
    page = portier_login.broker_down(browser)
    assert page.status == 503
    assert "Start again" in page.text


def test_an_answer_of_the_broker_works_once(
    browser: TestClient, portier_login: LoginHelper
) -> None:
    assert portier_login.replayed(browser, ALICE).status == 400
    assert ALICE not in browser.get("/").text
