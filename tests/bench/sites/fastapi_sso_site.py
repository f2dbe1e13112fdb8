"""The login of the FastAPI example, written with fastapi-sso as its manual says.

The package takes the address from `userinfo`, which Portier has not: here, the broker answers it.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from fastapi_sso.sso.base import OpenID
from fastapi_sso.sso.generic import create_provider
from shared import BROKER, DISCOVERY, FORM, ORIGIN, PORT, REDIRECT_URI, SECRET, get_text, serve_asgi
from starlette.middleware.sessions import SessionMiddleware


def openid_of(claims: dict[str, Any], _: object) -> OpenID:
    return OpenID(id=claims["sub"], email=claims["email"], provider="portier")


Provider = create_provider(
    name="portier",
    default_scope=["openid", "email"],
    discovery_document={
        **json.loads(get_text(DISCOVERY)),
        "userinfo_endpoint": f"{BROKER}/userinfo",
    },
    response_convertor=openid_of,
)
sso = Provider(ORIGIN, "unused", redirect_uri=REDIRECT_URI, allow_insecure_http=True)

app = FastAPI()
app.add_middleware(SessionMiddleware, secret_key=SECRET)


@app.get("/")
async def index(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.session.get("email", ""))


@app.get("/login")
async def form() -> HTMLResponse:
    return HTMLResponse(FORM.format(""))


@app.post("/login")
async def login(email: Annotated[str, Form()]) -> Response:
    async with sso:
        return await sso.get_login_redirect(params={"login_hint": email})


@app.get("/verify")
async def verify(request: Request) -> Response:
    async with sso:
        person = await sso.verify_and_process(request)
    assert person is not None
    request.session["email"] = person.email
    return RedirectResponse("/", 303)


if __name__ == "__main__":
    serve_asgi(app, PORT)
