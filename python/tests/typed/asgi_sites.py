"""Code of sites for Litestar and other ASGI applications, for type checkers; nothing runs it."""

import os
from typing import Any

from litestar import Litestar, Request, get
from litestar.di import NamedDependency, Provide
from starlette.applications import Starlette

from portier_client import Client
from portier_client.asgi import PortierMiddleware, Visit
from portier_client.web import Session


async def session(request: Request[Any, Any, Any]) -> Session | None:
    return await Visit.of(request.scope).session()


@get("/", dependencies={"session": Provide(session)})
async def index(session: NamedDependency[Session | None]) -> str:
    return session.email if session else ""


app = PortierMiddleware(
    Litestar([index]), Client("https://example.com/verify"), secret=os.urandom(32)
)
other = PortierMiddleware(
    Starlette(), Client("https://example.com/verify"), secret=os.urandom(32), login_path=None
)
Starlette().add_middleware(
    PortierMiddleware, client=Client("https://example.com/verify"), secret=b""
)
