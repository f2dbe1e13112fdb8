"""A small site on each framework, and a test client of each kind."""

from __future__ import annotations

import html
import secrets
import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx2
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from portier_client import Client
from portier_client.starlette import Portier

with warnings.catch_warnings():
    # It imports `cgi`, which is deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    from webtest import TestApp

__all__ = ["TestApp"]

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from portier_client.testing import DevBroker

ALICE = "alice@example.com"
SITE = "https://example.com"
SECRET = secrets.token_urlsafe()

FORM = """<!doctype html><title>Sign in</title>
<form method="get" action="/search"><input name="q"></form>
<form method="post"><input type="hidden" name="next" value="{}"><input name="email">
<button name="how" value="mail">Sign in</button></form>"""


def starlette_site(broker: DevBroker, site: str = SITE, **options: Any) -> Starlette:
    """A site with a login page and a page for members, on Starlette."""
    client = Client(f"{site}/verify", broker=broker.origin, store="memory:")
    portier = Portier(client, **{"secret": SECRET, "login_url": "/login", **options})

    async def login(request: Request) -> Response:
        return HTMLResponse(FORM.format(html.escape(request.query_params.get("next", ""))))

    async def index(request: Request) -> Response:
        session = await portier.session(request)
        return PlainTextResponse(session.email if session else "nobody")

    @portier.require_login
    async def members(request: Request) -> Response:
        return PlainTextResponse("for members")

    app = Starlette(
        routes=[Route("/", index), Route("/login", login), Route("/members", members)],
    )
    portier.install(app)
    return app


def browser_at(app: Any, site: str = SITE) -> TestClient:
    """The test client of Starlette."""
    return TestClient(app, base_url=site)


def async_browser_at(app: Any, site: str = SITE) -> httpx2.AsyncClient:
    """The asynchronous client of httpx."""
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=site)


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@contextmanager
def served(make: Any) -> Iterator[str]:
    """Serves, in a thread, the WSGI application made for an origin; yields the origin."""
    with make_server("127.0.0.1", 0, None, handler_class=_Quiet) as server:
        origin = f"http://localhost:{server.server_port}"
        server.set_app(make(origin))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield origin
        finally:
            server.shutdown()
            thread.join()
