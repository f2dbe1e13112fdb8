"""Tests of sites with the kit, for type checkers; nothing runs it."""

from typing import Any

import django.test
import httpx2
from aiohttp.test_utils import TestClient as AiohttpClient
from aiohttp.web import Application, Request
from flask.testing import FlaskClient
from quart.typing import TestClientProtocol
from starlette.testclient import TestClient
from tornado.testing import AsyncHTTPTestCase
from tornado.web import Application as TornadoApplication

from portier_client.testing import (
    DevBroker,
    LoginFailed,
    LoginHelper,
    LoginOptions,
    LoginResult,
    PortierTestMixin,
    login,
)


def test_blocking_clients(
    portier_login: LoginHelper,
    starlette: TestClient,
    flask: FlaskClient,
    client: django.test.Client,
) -> None:
    results: list[LoginResult] = [
        portier_login(starlette, "alice@example.com", page="/members"),
        portier_login(flask),
        portier_login(client, follow=False, fields={"remember": "on"}),
        portier_login("http://localhost:8000"),
        portier_login.cancelled(starlette, prefix="/app"),
        portier_login.other_browser(flask, confirm=True),
        portier_login.wrong_address(client, proves="mallory@example.com"),
    ]
    for result in results:
        text: str = result.text
        problem: str | None = result.problem
        print(text, problem, result.cookies[0]["name"])


async def test_asynchronous_clients(
    portier_broker: DevBroker,
    httpx: httpx2.AsyncClient,
    quart: TestClientProtocol,
    aiohttp: AiohttpClient[Request, Application],
    async_client: django.test.AsyncClient,
) -> int:
    portier_broker.advance_time(60)
    result: LoginResult = await login(httpx, "alice@example.com")
    await login(quart)
    await login.expired(aiohttp)
    await login.replayed(async_client, page="/login")
    return result.status


class LoginTest(PortierTestMixin, AsyncHTTPTestCase):
    portier_login = LoginHelper(page="/members")

    def get_app(self) -> TornadoApplication:
        return TornadoApplication([], broker=self.portier_broker.origin)

    def test_login(self) -> None:
        options: LoginOptions = {"next_page": "/"}
        try:
            self.portier_login(self, **options)
        except LoginFailed as error:
            response: Any = error.response
            print(response, error.status)


class DjangoTest(PortierTestMixin, django.test.TestCase):
    async def test_login(self) -> None:
        self.portier_login(self.client)
        await self.portier_login(self.async_client)
