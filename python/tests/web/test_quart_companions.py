"""Logins to Quart beside Quart-Auth and quart-compress."""

from __future__ import annotations

import gzip
import secrets
from typing import TYPE_CHECKING

import pytest
import quart_auth
from quart import Quart
from quart_compress import Compress

from portier_client.quart import Portier

from . import test_quart as quart_site

if TYPE_CHECKING:
    from quart.wrappers import Response

    from portier_client import Login
    from portier_client.testing import DevBroker

pytestmark = pytest.mark.asyncio


def make(broker: DevBroker, **settings: object) -> Quart:
    app = Quart("site")
    app.config.update(
        SECRET_KEY=secrets.token_urlsafe(32),
        PORTIER_REDIRECT_URI=f"{quart_site.SITE}/verify",
        PORTIER_BROKER=broker.origin,
    )
    app.config.update(settings)
    return app


async def test_quart_auth_signs_in_and_out_beside_it(
    broker: DevBroker,
) -> None:
    async def on_login(login: Login) -> None:
        quart_auth.login_user(quart_auth.AuthUser(login.email))

    app = make(broker, QUART_AUTH_COOKIE_SECURE=False)
    quart_auth.QuartAuth(app)
    Portier(app, on_login=on_login)

    @app.get("/user")
    async def user() -> dict[str, object]:
        return {"id": quart_auth.current_user.auth_id}

    async def user_id() -> object:
        return (await (await browser.get("/user")).get_json())["id"]

    browser = app.test_client()
    await quart_site.log_in(browser, broker)
    assert await user_id() == quart_site.ALICE
    await browser.post("/logout")
    assert await user_id() is None


async def test_quart_auth_guards_views_with_the_answer_of_the_extension(
    broker: DevBroker,
) -> None:
    app = make(broker, QUART_AUTH_COOKIE_SECURE=False, PORTIER_LOGIN_URL="/login")
    quart_auth.QuartAuth(app)
    portier = Portier(app)

    @app.errorhandler(quart_auth.Unauthorized)
    async def refuse(_: Exception) -> Response:
        return await portier.refuse()

    @app.get("/members")
    @quart_auth.login_required
    async def members() -> str:
        return "for members"

    browser = app.test_client()
    assert (await browser.get("/members?a=1")).location == "/login?next=%2Fmembers%3Fa%3D1"
    asked = await browser.get("/members", headers={"Accept": "application/json"})
    assert (asked.status_code, asked.mimetype) == (401, "application/problem+json")


async def test_a_login_works_beside_compression(broker: DevBroker) -> None:
    app = make(broker, COMPRESS_MIN_SIZE=10)
    Compress(app)
    quart_site.add_pages(app, Portier(app))
    browser = app.test_client()
    done = await quart_site.log_in(browser, broker, next="/members")
    assert (done.status_code, done.location) == (303, "/members")
    assert await quart_site.who(browser) == quart_site.ALICE
    # The page that posts again.
    answer = {"id_token": "a.b.c", "state": ""}
    page = await app.test_client().post(
        "/verify", form=answer, headers={"Accept-Encoding": "gzip", "Origin": "null"}
    )
    body = await page.get_data(as_text=False)
    assert page.headers["Content-Encoding"] == "gzip"
    assert b"portier_again" in gzip.decompress(body)
    assert len(page.headers.getlist("Set-Cookie")) == 1
