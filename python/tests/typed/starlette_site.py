"""Code of a site for Starlette, for type checkers; nothing runs it."""

import os

from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from portier_client import Client, Login
from portier_client.starlette import Portier


def on_login(request: Request, login: Login) -> None:
    request.session["email"] = login.email


portier = Portier(Client("https://example.com/verify"), secret=os.urandom(32), on_login=on_login)


@portier.require_login
async def members(request: Request) -> PlainTextResponse:
    session = await portier.session(request)
    return PlainTextResponse(session.email if session else "")


@portier.require_login
def plain(request: Request) -> Response:
    return Response()


class Page(HTTPEndpoint):
    @portier.require_login
    async def get(self, request: Request) -> Response:
        return Response()


app = Starlette(
    routes=[*portier.routes, Route("/m", members), Route("/p", plain), Route("/x", Page)],
    middleware=[portier.middleware],
    lifespan=portier.lifespan,
)
portier.install(app)
