"""A small site on aiohttp with a page for members, who log in with their e-mail address.

`make demo FRAMEWORK=aiohttp` serves it together with a development broker, which sends no mail.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader

from portier_client import Client
from portier_client.aiohttp import PORTIER, require_login, setup
from portier_client.web import Confirmation, Problem

sys.path.append(str(Path(__file__).parents[1] / "shared"))
from example import STATIC, TEMPLATES, listen, settings

templates = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)


async def page(request: web.Request, name: str, **names: object) -> web.Response:
    return web.Response(
        text=await render(request, name, **names),
        content_type="text/html",
        headers={
            "Cache-Control": "no-store",
            "Content-Security-Policy": request.app[PORTIER].flow.form_policy,
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
        },
    )


async def render(request: web.Request, name: str, **names: object) -> str:
    names |= {"framework": "aiohttp", "email": await request.app[PORTIER].email(request)}
    return templates.get_template(name).render(names)


async def index(request: web.Request) -> web.Response:
    return await page(request, "index.html")


async def login(request: web.Request) -> web.Response:
    return await page(request, "login.html", next_page=request.query.get("next", ""))


@require_login
async def members(request: web.Request) -> web.Response:
    return await page(request, "members.html")


async def show_problem(request: web.Request, problem: Problem) -> str:
    return await render(request, "problem.html", problem=problem)


async def show_confirmation(request: web.Request, confirmation: Confirmation) -> str:
    return await render(request, "confirm.html", confirmation=confirmation)


def make_app(client: Client, secret: str, **options: Any) -> web.Application:
    """Makes the application; `client` knows the broker."""
    app = web.Application()
    app.add_routes(
        [
            web.get("/", index),
            web.get("/login", login),
            web.get("/members", members),
            web.static("/static", STATIC),
        ]
    )
    setup(
        app,
        client,
        secret=secret,
        login_url="/login",
        show_problem=show_problem,
        show_confirmation=show_confirmation,
        **options,
    )
    return app


if __name__ == "__main__":
    given = settings()
    client = Client(given.redirect_uri, **given.client)
    app = make_app(client, given.secret, **given.flow)
    web.run_app(app, sock=listen(given.port), print=None)
