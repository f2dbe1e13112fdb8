"""A site on Starlette, for the cases of all integrations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from control import asgi
from responses import SetCookie, respond
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from portier_client.starlette import Portier

if TYPE_CHECKING:
    from control import Control
    from starlette.requests import Request


def make_app(control: Control) -> Starlette:
    """The application with the options of the case."""
    options = control.made.flow_options
    portier = Portier(
        control.made.client, health_path="/healthz", **control.hooks(respond), **options
    )

    async def start(request: Request) -> Response:
        return await portier.start_login(request, *control.start)

    async def session(request: Request) -> Response:
        session = await portier.session(request)
        return JSONResponse({"email": session and session.email})

    async def members(request: Request) -> Response:
        return PlainTextResponse("for members")

    routes = [
        Route("/start", start, methods=["POST"]),
        Route("/session", session),
    ]
    if options.get("secret"):
        guarded = portier.require_login(members)
        routes.append(Route("/members", guarded, methods=["GET", "POST"]))
    app = Starlette(routes=routes)
    portier.install(app)
    if control.sets_cookies:
        app.add_middleware(SetCookie)
    return app


app = asgi(make_app)
