"""Logins to Quart and aiohttp beside packages for compression and CORS."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import aiohttp_cors
import pytest
import quart_cors
from aiohttp import web
from quart import Quart

from portier_client.quart import Portier

from . import test_aiohttp as aiohttp_site
from . import test_quart as quart_site

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

    from portier_client.testing import DevBroker

pytestmark = pytest.mark.asyncio

ELSEWHERE = "https://app.example.com"


async def test_a_login_to_quart_works_beside_cors(broker: DevBroker) -> None:
    app = Quart("site")
    app.config.update(
        SECRET_KEY=secrets.token_urlsafe(32),
        PORTIER_REDIRECT_URI=f"{quart_site.SITE}/verify",
        PORTIER_BROKER=broker.origin,
    )
    app = quart_cors.cors(app, allow_origin=ELSEWHERE, allow_credentials=True)
    quart_site.add_pages(app, Portier(app))
    browser = app.test_client()
    done = await quart_site.log_in(browser, broker, next="/members")
    assert (done.status_code, done.location) == (303, "/members")
    headers = {"Origin": ELSEWHERE, "Sec-Fetch-Site": "cross-site"}
    read = await browser.get("/who", headers=headers)
    assert read.headers["Access-Control-Allow-Origin"] == ELSEWHERE
    refused = await browser.post("/login", form={"email": quart_site.ALICE}, headers=headers)
    assert refused.status_code == 403
    assert await quart_site.who(browser) == quart_site.ALICE


async def test_a_login_to_aiohttp_works_beside_compression_and_cors(broker: DevBroker) -> None:
    app = aiohttp_site.make(broker, secret=aiohttp_site.SECRET)

    @web.middleware
    async def compress(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        response.enable_compression()
        return response

    app.middlewares.append(compress)
    allowed = aiohttp_cors.ResourceOptions(allow_credentials=True, allow_headers="*")
    cors = aiohttp_cors.setup(app, defaults={ELSEWHERE: allowed})
    # Those of the integration answer every method, so that they can have no preflight of their own.
    for route in [route for route in app.router.routes() if route.method != "*"]:
        cors.add(route)
    async with aiohttp_site.visiting(app) as browser:
        done = await aiohttp_site.log_in(browser, broker, next="/members")
        assert (done.status, done.headers["Location"]) == (303, "/members")
        problem = await aiohttp_site.post(browser, "/login", email="nobody")
        assert (problem.status, problem.headers["Content-Encoding"]) == (400, "deflate")
        assert 'data-id="invalid_email"' in await problem.text()
        headers = {"Origin": ELSEWHERE, "Sec-Fetch-Site": "cross-site"}
        read = await browser.get("/who", headers=headers)
        assert read.headers["Access-Control-Allow-Origin"] == ELSEWHERE
        refused = await browser.post("/login", data={"email": aiohttp_site.ALICE}, headers=headers)
        assert refused.status == 403
        assert await aiohttp_site.who(browser) == aiohttp_site.ALICE
