"""A site on Litestar that keeps people signed in by Litestar's own sessions."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest
from litestar import Litestar, MediaType, Request, get
from litestar.connection import ASGIConnection
from litestar.handlers import asgi
from litestar.middleware.session.client_side import CookieBackendConfig
from litestar.middleware.session.server_side import ServerSideSessionConfig
from litestar.stores.memory import MemoryStore

from portier_client import LoginRefused
from portier_client.asgi import PortierMiddleware

from .asgi_sites import ALICE, SITE, client_of, log_in, visit

if TYPE_CHECKING:
    from collections.abc import Callable

    from litestar.types import Receive, Scope, Send
    from starlette.testclient import TestClient

    from portier_client import Login
    from portier_client.testing import DevBroker

FLAGS: dict[str, Any] = {"secure": True, "samesite": "lax"}


async def nowhere(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})  # type: ignore[typeddict-item]
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def sign_in(scope: Scope, login: Login) -> None:
    """Begins a new session, as the manual says."""
    connection: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope)
    old = connection.cookies.pop("session", None)
    if old is not None:
        await connection.app.stores.get("sessions").delete(old)
    connection.clear_session()
    connection.set_session({"email": login.email})


@get("/who", media_type=MediaType.TEXT)
async def who(request: Request[Any, Any, Any]) -> str:
    return str(request.session.get("email"))


@get("/visit")
async def come(request: Request[Any, Any, Any]) -> None:
    request.session["seen"] = True


@pytest.fixture
def make(broker: DevBroker) -> Callable[..., TestClient]:
    """Makes a site, and opens a browser there."""

    def make(config: Any, on_login: Callable[..., Any] = sign_in) -> TestClient:
        secret = secrets.token_bytes(32)
        login = PortierMiddleware(nowhere, client_of(broker, secret=secret), on_login=on_login)
        handlers = [asgi(path, copy_scope=False)(login) for path in ("/login", "/verify")]
        app = Litestar(
            [who, come, *handlers],
            middleware=[config.middleware],
            stores={"sessions": MemoryStore()},
        )
        return visit(app)

    return make


def test_a_login_begins_a_new_session_on_the_server(
    make: Callable[..., TestClient], broker: DevBroker
) -> None:
    browser = make(ServerSideSessionConfig(**FLAGS))
    browser.get("/visit")
    before = browser.cookies["session"]
    assert log_in(browser, broker).status_code == 303
    assert browser.get("/who").text == ALICE
    after = browser.cookies["session"]
    assert after != before
    # The earlier id is invalid: somebody else may know it.
    browser.cookies.clear()
    assert browser.get("/who", headers={"cookie": f"session={before}"}).text == "None"
    assert browser.get("/who", headers={"cookie": f"session={after}"}).text == ALICE


def test_a_login_begins_a_session_in_a_cookie(
    make: Callable[..., TestClient], broker: DevBroker
) -> None:
    browser = make(CookieBackendConfig(secret=secrets.token_bytes(32), **FLAGS))
    browser.get("/visit")
    assert log_in(browser, broker).status_code == 303
    assert browser.get("/who").text == ALICE


def test_a_refused_person_gets_no_session(
    make: Callable[..., TestClient], broker: DevBroker
) -> None:
    async def refuse(scope: Scope, login: Login) -> None:
        raise LoginRefused(code="account_unknown")

    browser = make(ServerSideSessionConfig(**FLAGS), refuse)
    refused = log_in(browser, broker)
    assert refused.status_code == 403
    assert 'data-id="account_unknown"' in refused.text
    assert browser.get("/who").text == "None"
    assert refused.request.url.host == SITE.removeprefix("https://")
