"""Tests of the site, with the fixtures of portier-client and pytest-asyncio."""

from __future__ import annotations

import secrets

from aiohttp.test_utils import TestClient, TestServer

from app import make_app
from portier_client import Client
from portier_client.testing import DevBroker, LoginHelper

ALICE = "alice@example.com"


def browser_at_the_site(broker: DevBroker) -> TestClient:
    client = Client("http://localhost:8888/verify", broker=broker.origin)
    app = make_app(client, secret=secrets.token_urlsafe())
    return TestClient(TestServer(app, host="localhost"))


async def test_members_see_the_shelf(portier_broker: DevBroker, portier_login: LoginHelper) -> None:
    async with browser_at_the_site(portier_broker) as browser:
        page = await portier_login(browser, ALICE, page="/members")
        assert "The shelf" in page.text
        index = await browser.get("/")
        assert ALICE in await index.text()


async def test_a_person_with_two_browsers_is_asked(
    portier_broker: DevBroker, portier_login: LoginHelper
) -> None:
    async with browser_at_the_site(portier_broker) as browser:
        asked = await portier_login.other_browser(browser, ALICE)
        assert "on this device?" in asked.text
        index = await browser.get("/")
        assert ALICE not in await index.text()
