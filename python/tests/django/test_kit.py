"""The test kit at a site on Django."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.test import AsyncClient, Client

from ..testing.sites import TestApp

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


class DjangoTestApp(TestApp):
    """As django-webtest makes it, whose plugin of pytest does not bear warnings as errors."""

    __module__ = "django_webtest"

    def __init__(self) -> None:
        super().__init__(WSGIHandler(), extra_environ={"HTTP_HOST": "testserver"})


def test_webtest_logs_in(portier_login: LoginHelper) -> None:
    browser = DjangoTestApp()
    page = portier_login(browser, ALICE, next_page="/whoami/")
    assert page.url == "https://testserver/whoami/"
    assert page.response.text.startswith("alice")
    refused = portier_login.cancelled(browser, "bob@example.com", next_page="/whoami/")
    assert refused.problem == "cancelled"
    assert browser.get("https://testserver/whoami/").text.startswith("alice")
