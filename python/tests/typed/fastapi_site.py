"""Code of a site for FastAPI, for type checkers; nothing runs it."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Request, WebSocket
from fastapi.responses import HTMLResponse, Response

from portier_client import Client, Login, PortierError
from portier_client.fastapi import Portier, Session
from portier_client.web import Confirmation, Problem


async def on_login(request: Request, login: Login) -> Response | None:
    request.session.clear()
    return None


def on_login_error(request: Request, error: PortierError) -> None:
    assert error.code


def show_problem(request: Request, problem: Problem) -> str:
    return problem.title


async def show_confirmation(request: Request, confirmation: Confirmation) -> Response:
    return HTMLResponse(confirmation.email)


portier = Portier(
    Client("https://example.com/verify"),
    secret=[os.urandom(32)],
    on_login=on_login,
    on_login_error=on_login_error,
    show_problem=show_problem,
    show_confirmation=show_confirmation,
    languages=["de", "en"],
    browser_binding="require",
    session_max_age=3600,
)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    async with portier.lifespan(app):
        yield


app = FastAPI(lifespan=lifespan)
other = FastAPI(lifespan=portier.lifespan, middleware=[portier.middleware])
other.include_router(portier.router)
portier.install(app)
Member = Annotated[Session, Depends(portier.require_login)]


@app.get("/me")
async def me(
    member: Member, visitor: Annotated[Session | None, Depends(portier.session)]
) -> dict[str, str]:
    return {"email": member.email, "id": visitor.id if visitor else ""}


@app.post("/in")
async def start(request: Request) -> Response:
    return await portier.start_login(request, "alice@example.com", "/next")


@app.websocket("/talk")
async def talk(websocket: WebSocket, member: Member) -> None:
    await websocket.accept()
