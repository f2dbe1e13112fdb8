"""A small site on Starlette with a page for members, who log in with their e-mail address.

`make demo FRAMEWORK=starlette` serves it together with a development broker, which sends no mail.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from portier_client import Client
from portier_client.starlette import Portier
from portier_client.web import Confirmation, Problem

sys.path.append(str(Path(__file__).parents[1] / "shared"))
from example import STATIC, TEMPLATES, serve_asgi, settings

templates = Jinja2Templates(TEMPLATES)


def make_app(client: Client, secret: str, **options: Any) -> Starlette:
    """Makes the application; `client` knows the broker."""

    async def page(request: Request, name: str, status: int = 200, **names: object) -> Response:
        session = await portier.session(request)
        names |= {"framework": "Starlette", "email": session and session.email}
        headers = {
            "cache-control": "no-store",
            "content-security-policy": portier.flow.form_policy,
            "referrer-policy": "same-origin",
            "x-content-type-options": "nosniff",
        }
        return templates.TemplateResponse(request, name, names, status, headers)

    async def show_problem(request: Request, problem: Problem) -> Response:
        return await page(request, "problem.html", problem.status, problem=problem)

    async def show_confirmation(request: Request, confirmation: Confirmation) -> Response:
        return await page(request, "confirm.html", confirmation=confirmation)

    portier = Portier(
        client,
        secret=secret,
        login_url="/login",
        show_problem=show_problem,
        show_confirmation=show_confirmation,
        **options,
    )

    async def index(request: Request) -> Response:
        return await page(request, "index.html")

    async def login(request: Request) -> Response:
        return await page(request, "login.html", next_page=request.query_params.get("next", ""))

    @portier.require_login
    async def members(request: Request) -> Response:
        return await page(request, "members.html")

    app = Starlette(
        routes=[
            Route("/", index),
            Route("/login", login),
            Route("/members", members),
            Mount("/static", StaticFiles(directory=STATIC)),
        ]
    )
    portier.install(app)
    return app


if __name__ == "__main__":
    given = settings()
    client = Client(given.redirect_uri, **given.client)
    serve_asgi(make_app(client, given.secret, **given.flow), given.port)
