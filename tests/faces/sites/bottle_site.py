"""A site on Bottle with the WSGI middleware, for the cases of all integrations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bottle import Bottle, HTTPResponse, request
from control import wsgi

from portier_client.wsgi import FinishedResponse, PortierMiddleware

if TYPE_CHECKING:
    from control import Control


def make_app(control: Control) -> Any:
    """The application with the options of the case."""
    site = Bottle()

    @site.post("/start")
    def start() -> object:
        return as_bottle(request.environ["portier"].start_login(*control.start))

    @site.get("/session")
    def session() -> dict[str, str | None]:
        session = request.environ["portier"].session
        return {"email": session and session.email}

    @site.route("/members", ["GET", "POST"])
    def members() -> object:
        visit = request.environ["portier"]
        return "for members" if visit.session else as_bottle(visit.require_login())

    def answer(status: int, text: str, headers: list[tuple[str, str]]) -> FinishedResponse:
        return FinishedResponse(status, headers, text)

    app = PortierMiddleware(
        site,
        control.made.client,
        health_path="/healthz",
        **control.hooks(answer),
        **control.made.flow_options,
    )
    return seen_by(app) if control.sets_cookies else app


def seen_by(app: Any) -> Any:
    """Sets the cookie of the site on the responses of the middleware as well."""

    def outermost(environ: Any, start_response: Any) -> Any:
        def starting(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            return start_response(status, [("Set-Cookie", "seen=1; Path=/"), *headers], *error)

        return app(environ, starting)

    return outermost


def as_bottle(app: Any) -> HTTPResponse:
    """A response of Bottle, made of a WSGI application."""
    started: list[Any] = []
    body = b"".join(app(request.environ, lambda *given: started.extend(given)))
    status, headers = started
    return HTTPResponse(body, status, headers)


app = wsgi(make_app)
