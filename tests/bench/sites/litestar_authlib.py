"""The login of the Litestar example, written with Authlib's client and Litestar's sessions."""

import secrets
from typing import Annotated, Any

from authlib_login import AsyncLogin
from litestar import Litestar, MediaType, Request, get, post
from litestar.enums import RequestEncodingType
from litestar.middleware.session.client_side import CookieBackendConfig
from litestar.params import Body
from litestar.response import Redirect
from shared import FORM, PORT, serve_asgi

Visit = Request[Any, Any, Any]
Fields = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
portier = AsyncLogin()


@get("/", media_type=MediaType.TEXT)
async def index(request: Visit) -> str:
    email: str = request.session.get("email", "")
    return email


@get("/login", media_type=MediaType.HTML)
async def form() -> str:
    return FORM.format("")


@post("/login", status_code=303)
async def login(request: Visit, data: Fields) -> Redirect:
    url, kept = portier.start(data["email"])
    request.session["login"] = kept
    return Redirect(url, status_code=303)


@get("/verify", status_code=303)
async def verify(request: Visit) -> Redirect:
    kept = request.session.pop("login")
    request.session["email"] = await portier.email(request.query_params, kept)
    return Redirect("/", status_code=303)


sessions = CookieBackendConfig(secret=secrets.token_bytes(32))
app = Litestar([index, form, login, verify], middleware=[sessions.middleware])

if __name__ == "__main__":
    serve_asgi(app, PORT)
