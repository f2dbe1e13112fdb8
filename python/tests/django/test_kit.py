"""The test kit at a site on Django."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from django.conf import settings
from django.test import AsyncClient, Client

if TYPE_CHECKING:
    from portier_client.testing import DevBroker, LoginHelper

ALICE = "alice@example.com"


def test_during_a_test_the_setting_has_the_broker(portier_broker: DevBroker) -> None:
    assert settings.PORTIER["broker"] == portier_broker.origin


def test_a_client_logs_in(portier_login: LoginHelper) -> None:
    browser = Client(enforce_csrf_checks=True)
    page = portier_login(browser, ALICE, next_page="/whoami/")
    assert page.url == "https://testserver/whoami/"
    assert page.text.startswith("alice")
    assert {"__Host-portier-signed-in", "sessionid"} <= {cookie["name"] for cookie in page.cookies}


def test_an_asynchronous_client_logs_in(portier_login: LoginHelper) -> None:
    async def visit() -> str:
        browser = AsyncClient()
        await portier_login(browser, ALICE, next_page="/whoami/")
        refused = await portier_login.replayed(browser, "bob@example.com", next_page="/whoami/")
        assert refused.problem == "used"
        response = await browser.get("/whoami/", secure=True)
        return str(response.content.decode())

    assert asyncio.run(visit()).startswith("alice")
