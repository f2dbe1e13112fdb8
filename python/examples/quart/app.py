"""A small site on Quart with a page for members, who log in with their e-mail address.

`make demo FRAMEWORK=quart` serves it together with a development broker, which sends no mail.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from quart import Quart, Response, render_template, request

from portier_client import Client
from portier_client.quart import Portier
from portier_client.web import Confirmation, Problem

sys.path.append(str(Path(__file__).parents[1] / "shared"))
from example import STATIC, TEMPLATES, serve_asgi, settings


def make_app(client: Client, secret: str, **options: Any) -> Quart:
    """Makes the application; `client` knows the broker."""
    app = Quart(__name__, static_folder=str(STATIC), template_folder=str(TEMPLATES))
    app.config.update(
        SECRET_KEY=secret,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=client.redirect_uri.startswith("https:"),
    )

    async def show_problem(problem: Problem) -> str:
        return await render_template("problem.html", problem=problem)

    async def show_confirmation(confirmation: Confirmation) -> str:
        return await render_template("confirm.html", confirmation=confirmation)

    portier = Portier(
        app,
        client,
        login_url="/login",
        show_problem=show_problem,
        show_confirmation=show_confirmation,
        **options,
    )

    @app.context_processor
    async def names() -> dict[str, object]:
        return {"framework": "Quart", "email": await portier.email}

    @app.get("/")
    async def index() -> str:
        return await render_template("index.html")

    @app.get("/login")
    async def login() -> str:
        return await render_template("login.html", next_page=request.args.get("next", ""))

    @app.get("/members")
    @portier.login_required
    async def members() -> str:
        return await render_template("members.html")

    @app.after_request
    async def add_headers(response: Response) -> Response:
        if request.endpoint != "static":
            response.headers.setdefault("Cache-Control", "no-store")
            response.headers.setdefault("Content-Security-Policy", portier.flow.form_policy)
            response.headers.setdefault("Referrer-Policy", "same-origin")
            response.headers.setdefault("X-Content-Type-Options", "nosniff")
        return response

    return app


if __name__ == "__main__":
    given = settings()
    client = Client(given.redirect_uri, **given.client)
    serve_asgi(make_app(client, given.secret, **given.flow), given.port)
