"""Tests of the site, with the fixtures of portier-client."""

import secrets
from collections.abc import Iterator

import pytest
from litestar.testing import AsyncTestClient, TestClient

from app import make_app
from portier_client import Client
from portier_client.asgi import PortierMiddleware
from portier_client.testing import DevBroker, LoginHelper

ALICE = "alice@example.com"


@pytest.fixture
def browser(portier_broker: DevBroker) -> Iterator[TestClient[PortierMiddleware]]:
    """A browser at the site."""
    client = Client("https://example.com/verify", broker=portier_broker.origin)
    app = make_app(client, secret=secrets.token_urlsafe())
    with TestClient(app, base_url="https://example.com") as browser:
        yield browser


def test_members_see_the_shelf(
    browser: TestClient[PortierMiddleware], portier_login: LoginHelper
) -> None:
    page = portier_login(browser, ALICE, page="/members")
    assert "The shelf" in page.text
    assert ALICE in browser.get("/").text


def test_a_login_that_was_cancelled_signs_nobody_in(
    browser: TestClient[PortierMiddleware], portier_login: LoginHelper
) -> None:
    assert portier_login.cancelled(browser).problem == "cancelled"
    assert ALICE not in browser.get("/").text


async def test_an_asynchronous_client_logs_in(
    portier_broker: DevBroker, portier_login: LoginHelper
) -> None:
    client = Client("https://example.com/verify", broker=portier_broker.origin)
    app = make_app(client, secret=secrets.token_urlsafe())
    async with AsyncTestClient(app, base_url="https://example.com") as browser:
        page = await portier_login(browser, ALICE, page="/members")
        assert "The shelf" in page.text
