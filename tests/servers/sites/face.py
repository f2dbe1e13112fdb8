"""An example site with one secret and no store, for servers with several workers.

FACE=flask SECRET=… BROKER=… FLOW=… PORT=… gunicorn face:application

Each response names its worker. `POST /` returns the worker only.
"""

from __future__ import annotations

import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portier_client import Client, blocking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

EXAMPLES = Path(__file__).parents[3] / "python" / "examples"
FACE = os.environ["FACE"]


def make_site() -> Any:
    """The application of the example, as its own program makes it."""
    if FACE == "django":
        from django.core.asgi import get_asgi_application
        from django.core.wsgi import get_wsgi_application

        sys.path.append(str(EXAMPLES / FACE))
        os.environ["DJANGO_SETTINGS_MODULE"] = "reading_room.settings"
        return get_asgi_application() if INTERFACE == "asgi" else get_wsgi_application()
    spec = spec_from_file_location("example_site", EXAMPLES / FACE / "app.py")
    assert spec is not None
    assert spec.loader is not None
    example = module_from_spec(spec)
    sys.modules["example_site"] = example
    spec.loader.exec_module(example)
    given = example.settings()
    make_client = blocking.Client if INTERFACE == "wsgi" else Client
    # The extension derives a secret from SECRET_KEY only for a client that it makes itself.
    of_client = {"secret": given.secret} if FACE in {"flask", "quart"} else {}
    client = make_client(given.redirect_uri, **given.client, **of_client)
    return example.make_app(client, given.secret, **given.flow)


def asgi(site: Any) -> Callable[..., Any]:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        worker = str(os.getpid()).encode()

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"x-worker", worker)]}
            await send(message)

        if scope["type"] == "http" and (scope["method"], scope["path"]) == ("POST", "/"):
            await sending({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": worker + b" "})
        else:
            await site(scope, receive, sending)

    return application


def wsgi(site: Any) -> Callable[..., Any]:
    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        worker = str(os.getpid())

        def starting(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            return start_response(status, [*headers, ("X-Worker", worker)], *error)

        if (environ["REQUEST_METHOD"], environ["PATH_INFO"]) == ("POST", "/"):
            starting("200 OK", [("Content-Length", str(len(worker) + 1))])
            return [f"{worker} ".encode()]
        answer: Iterable[bytes] = site(environ, starting)
        return answer

    return application


def aiohttp(site: Any) -> Any:
    from aiohttp import web

    async def name_worker(_: web.Request, response: web.StreamResponse) -> None:
        response.headers["X-Worker"] = str(os.getpid())

    async def worker(_: web.Request) -> web.Response:
        return web.Response(text=f"{os.getpid()} ")

    site.on_response_prepare.append(name_worker)
    site.router.add_post("/", worker)
    return site


INTERFACE = os.environ["INTERFACE"]
application = {"asgi": asgi, "wsgi": wsgi, "aiohttp": aiohttp}[INTERFACE](make_site())
