"""A small site on Bottle with a page for members, who log in with their e-mail address.

`make demo FRAMEWORK=bottle` serves it together with a development broker, which sends no mail.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from bottle import Bottle, HTTPResponse, request, response, static_file
from jinja2 import Environment, FileSystemLoader

from portier_client.blocking import Client
from portier_client.web import Confirmation, Problem
from portier_client.wsgi import PortierMiddleware, Visit

sys.path.append(str(Path(__file__).parents[1] / "shared"))
from example import STATIC, TEMPLATES, serve_wsgi, settings

templates = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)


def make_app(client: Client, secret: str, **options: Any) -> PortierMiddleware:
    """Makes the application; `client` knows the broker."""
    site = Bottle()

    @site.get("/")
    def index() -> str:
        return page("index.html")

    @site.get("/login")
    def login() -> str:
        return page("login.html", next_page=request.query.getunicode("next") or "")

    @site.get("/members")
    def members() -> object:
        visit = Visit.of(request.environ)
        if visit.session is None:
            refusal = visit.require_login()
            return HTTPResponse(refusal.body, refusal.status, refusal.headers)
        return page("members.html")

    @site.get("/static/<name>")
    def static(name: str) -> HTTPResponse:
        return static_file(name, root=STATIC)

    def page(name: str, **names: object) -> str:
        response.headers["Cache-Control"] = "no-store"
        response.headers["Content-Security-Policy"] = app.flow.form_policy
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return render(request.environ, name, **names)

    app = PortierMiddleware(
        site,
        client,
        secret=secret,
        login_url="/login",
        show_problem=show_problem,
        show_confirmation=show_confirmation,
        **options,
    )
    return app


def show_problem(environ: dict[str, Any], problem: Problem) -> str:
    return render(environ, "problem.html", problem=problem)


def show_confirmation(environ: dict[str, Any], confirmation: Confirmation) -> str:
    return render(environ, "confirm.html", confirmation=confirmation)


def render(environ: dict[str, Any], name: str, **names: object) -> str:
    session = Visit.of(environ).session
    names |= {"framework": "Bottle", "email": session and session.email}
    return templates.get_template(name).render(names)


if __name__ == "__main__":
    given = settings()
    client = Client(given.redirect_uri, **given.client)
    serve_wsgi(make_app(client, given.secret, **given.flow), given.port)
