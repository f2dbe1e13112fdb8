"""The login of the aiohttp example, written with asyncio-portier and aiohttp-session."""

from __future__ import annotations

import secrets

from aiohttp import web
from aiohttp_session import get_session, new_session, setup
from aiohttp_session.cookie_storage import EncryptedCookieStorage
from asyncio_portier_login import email_of, url_of
from shared import FORM, PORT, listen


async def index(request: web.Request) -> web.Response:
    session = await get_session(request)
    return web.Response(text=session.get("email", ""))


async def form(_: web.Request) -> web.Response:
    return web.Response(text=FORM.format(""), content_type="text/html")


async def login(request: web.Request) -> web.Response:
    fields = await request.post()
    raise web.HTTPSeeOther(url_of(str(fields["email"])))


async def verify(request: web.Request) -> web.Response:
    fields = await request.post()
    email, place = await email_of(str(fields["id_token"]))
    session = await new_session(request)
    session["email"] = email
    return web.Response(status=303, headers={"Location": place})


def make_app() -> web.Application:
    app = web.Application()
    setup(app, EncryptedCookieStorage(secrets.token_bytes(32)))
    app.add_routes(
        [
            web.get("/", index),
            web.get("/login", form),
            web.post("/login", login),
            web.post("/verify", verify),
        ]
    )
    return app


if __name__ == "__main__":
    web.run_app(make_app(), sock=listen(PORT), print=None)
