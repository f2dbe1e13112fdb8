"""Tests of the site, with the fixtures of portier-client and pytest-asyncio."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from app import make_app
from portier_client import Client
from portier_client.testing import DevBroker, LoginHelper

if TYPE_CHECKING:
    from quart.typing import TestClientProtocol

ALICE = "alice@example.com"


@pytest.fixture
def browser(portier_broker: DevBroker) -> TestClientProtocol:
    """A browser at the site."""
    client = Client("http://localhost:8888/verify", broker=portier_broker.origin)
    return make_app(client, secret=secrets.token_urlsafe()).test_client()


async def test_members_see_the_shelf(
    browser: TestClientProtocol, portier_login: LoginHelper
) -> None:
    page = await portier_login(browser, ALICE, page="/members")
    assert "The shelf" in page.text
    index = await browser.get("/")
    assert ALICE in await index.get_data(as_text=True)


async def test_a_login_that_was_cancelled_signs_nobody_in(
    browser: TestClientProtocol, portier_login: LoginHelper
) -> None:
    page = await portier_login.cancelled(browser)
    assert page.status == 403
    assert "Start again" in page.text
    index = await browser.get("/")
    assert ALICE not in await index.get_data(as_text=True)
