"""The login of the Starlette example, written with Authlib as its manual says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authlib.integrations.starlette_client import OAuth
from shared import DISCOVERY, FORM, ORIGIN, PORT, REDIRECT_URI, SECRET, TLS, serve_asgi
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

oauth = OAuth()
oauth.register(
    "portier",
    client_id=ORIGIN,
    server_metadata_url=DISCOVERY,
    client_kwargs={
        "scope": "openid email",
        "token_endpoint_auth_method": "none",
        "verify": TLS,
    },
)


async def index(request: Request) -> Response:
    return PlainTextResponse(request.session.get("email", ""))


async def form(_: Request) -> Response:
    return HTMLResponse(FORM.format(""))


async def login(request: Request) -> Response:
    fields = await request.form()
    redirect: Response = await oauth.portier.authorize_redirect(
        request, REDIRECT_URI, login_hint=fields["email"]
    )
    return redirect


async def verify(request: Request) -> Response:
    token = await oauth.portier.authorize_access_token(request)
    request.session["email"] = token["userinfo"]["email"]
    return RedirectResponse("/", 303)


app = Starlette(
    routes=[
        Route("/", index),
        Route("/login", form),
        Route("/login", login, methods=["POST"]),
        Route("/verify", verify),
    ],
    middleware=[Middleware(SessionMiddleware, secret_key=SECRET)],
)

if __name__ == "__main__":
    serve_asgi(app, PORT)
