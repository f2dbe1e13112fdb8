"""A small site on Flask with a page for members, who log in with their e-mail address.

`make demo FRAMEWORK=flask` serves it together with a development broker, which sends no mail.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from flask import Flask, Response, render_template, request

from portier_client.blocking import Client
from portier_client.flask import Portier
from portier_client.web import Confirmation, Problem

sys.path.append(str(Path(__file__).parents[1] / "shared"))
from example import STATIC, TEMPLATES, serve_wsgi, settings


def make_app(client: Client, secret: str, **options: Any) -> Flask:
    """Makes the application; `client` knows the broker."""
    app = Flask(__name__, static_folder=STATIC, template_folder=TEMPLATES)
    app.config.update(
        SECRET_KEY=secret,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=client.redirect_uri.startswith("https:"),
    )

    def show_problem(problem: Problem) -> str:
        return render_template("problem.html", problem=problem)

    def show_confirmation(confirmation: Confirmation) -> str:
        return render_template("confirm.html", confirmation=confirmation)

    portier = Portier(
        app,
        client,
        login_url="/login",
        show_problem=show_problem,
        show_confirmation=show_confirmation,
        **options,
    )

    @app.context_processor
    def names() -> dict[str, object]:
        return {"framework": "Flask", "email": portier.email}

    @app.get("/")
    def index() -> str:
        return render_template("index.html")

    @app.get("/login")
    def login() -> str:
        return render_template("login.html", next_page=request.args.get("next", ""))

    @app.get("/members")
    @portier.login_required
    def members() -> str:
        return render_template("members.html")

    @app.after_request
    def add_headers(response: Response) -> Response:
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
    serve_wsgi(make_app(client, given.secret, **given.flow), given.port)
