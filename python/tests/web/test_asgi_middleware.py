"""The middleware for ASGI applications."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute

from portier_client import Client, ConfigError
from portier_client.asgi import PortierMiddleware, Visit

from .asgi_sites import ALICE, PAGE, SECRET, AgingSession, client_of, log_in, sessions_set, visit

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from portier_client.testing import DevBroker


async def show(scope: Any, receive: Any, send: Any) -> None:
    """An application that shows who is signed in, and the path."""
    session = await scope["portier"].session()
    text = f"{scope['path']} {session and session.email}"
    await PlainTextResponse(text)(scope, receive, send)


async def guarded(scope: Any, receive: Any, send: Any) -> None:
    """An application for people who are signed in."""
    visit = Visit.of(scope)
    if await visit.session() is None:
        await visit.require_login()(scope, receive, send)
    else:
        await show(scope, receive, send)


def test_an_application_gets_the_session(broker: DevBroker) -> None:
    browser = visit(PortierMiddleware(show, client_of(broker), secret=SECRET))
    assert browser.get("/").text == "/ None"
    done = log_in(browser, broker, next="/members?a=b")
    assert (done.status_code, done.headers["location"]) == (303, "/members?a=b")
    assert browser.get("/").text == f"/ {ALICE}"
    out = browser.post("/logout", headers={"origin": "https://example.com"})
    assert (out.status_code, browser.get("/").text) == (303, "/ None")


def test_a_page_that_needs_a_login_comes_back(broker: DevBroker) -> None:
    app = PortierMiddleware(guarded, client_of(broker), secret=SECRET, login_url="/in")
    browser = visit(app)
    refused = browser.get("/files/a%2Fb?c=d", headers=PAGE)
    assert refused.headers["location"] == "/in?next=%2Ffiles%2Fa%252Fb%3Fc%3Dd"
    assert browser.get("/", headers={"accept": "application/json"}).status_code == 401


@pytest.mark.parametrize("is_stripped", [True, False])
def test_a_prefix_is_removed_from_paths(broker: DevBroker, *, is_stripped: bool) -> None:
    inner = PortierMiddleware(
        guarded, client_of(broker, "/app/verify"), secret=SECRET, login_url="/app/in"
    )

    async def app(scope: Any, receive: Any, send: Any) -> None:
        # Servers leave the prefix in the path. Proxies that strip it are named to frameworks.
        path = scope["path"].removeprefix("/app") if is_stripped else scope["path"]
        raw = scope["raw_path"].removeprefix(b"/app") if is_stripped else scope["raw_path"]
        await inner({**scope, "root_path": "/app", "path": path, "raw_path": raw}, receive, send)

    browser = visit(app)
    refused = browser.get("/app/members", headers=PAGE)
    assert refused.headers["location"] == "/app/in?next=%2Fapp%2Fmembers"
    assert log_in(browser, broker, "/app").status_code == 303
    assert browser.get("/app/members").text.endswith(ALICE)


def test_an_application_below_a_path_of_another_one(broker: DevBroker) -> None:
    inner = PortierMiddleware(show, client_of(broker, "/app/verify"), secret=SECRET)
    browser = visit(Starlette(routes=[Mount("/app", inner)]))
    assert log_in(browser, broker, "/app").status_code == 303
    assert browser.get("/app/").text == f"/app/ {ALICE}"


def test_a_websocket_gets_the_session(broker: DevBroker) -> None:
    async def talk(websocket: Any) -> None:
        session = await websocket.scope["portier"].session()
        await websocket.accept()
        await websocket.send_text(str(session and session.email))
        await websocket.close()

    routes = [WebSocketRoute("/login", talk), Route("/", show)]
    app = PortierMiddleware(Starlette(routes=routes), client_of(broker), secret=SECRET)
    browser = visit(app)
    log_in(browser, broker)
    with browser.websocket_connect("wss://example.com/login") as websocket:
        assert websocket.receive_text() == ALICE


def test_the_application_is_told_of_its_start_and_its_end(broker: DevBroker) -> None:
    told = []

    class Lifespan:
        def __init__(self, app: object) -> None:
            pass

        async def __aenter__(self) -> None:
            told.append("start")

        async def __aexit__(self, *_: object) -> None:
            told.append("end")

    def lifespan(app: object) -> AbstractAsyncContextManager[None]:
        return Lifespan(app)

    client = client_of(broker)
    with visit(PortierMiddleware(Starlette(lifespan=lifespan), client, secret=SECRET)) as browser:
        assert browser.get("/").status_code == 404
    assert told == ["start", "end"]
    # It still works.
    assert client.redirect_uri.endswith("/verify")
    assert log_in(visit(PortierMiddleware(show, client, secret=SECRET)), broker).status_code == 303


def test_a_session_is_renewed_once_if_it_was_read() -> None:
    aging = AgingSession()

    async def site(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/read":
            await scope["portier"].session()
            await scope["portier"].session()
        await PlainTextResponse("")(scope, receive, send)

    app = PortierMiddleware(site, aging.client, secret=SECRET)
    headers = aging.start(app.flow)
    browser = visit(app)
    assert sessions_set(browser.get("/read", headers=headers)) == 1
    assert sessions_set(browser.get("/", headers=headers)) == 0


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"secret": SECRET, "login_path": "login"},
        {"secret": SECRET, "login_path": "/verify"},
        {"secret": SECRET, "login_path": "/logout"},
        {"secret": b"short"},
    ],
)
def test_a_mistake_shows_when_the_site_starts(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        PortierMiddleware(show, Client("https://example.com/verify"), **options)
    assert caught.value.code == "invalid_option"


def test_a_hook_must_return_a_response(broker: DevBroker) -> None:
    app = PortierMiddleware(show, client_of(broker), on_login=lambda scope, login: {"ok": True})
    with pytest.raises(TypeError, match="not dict"):
        log_in(visit(app), broker)


def test_a_missing_middleware_is_explained() -> None:
    with pytest.raises(RuntimeError, match="the middleware is missing"):
        Visit.of({"type": "http"})


def test_a_lifespan_has_no_visit() -> None:
    with pytest.raises(RuntimeError, match=r"check scope\['type'\] first type=lifespan"):
        Visit.of({"type": "lifespan"})


def test_paths_may_be_left_to_the_site(broker: DevBroker) -> None:
    app = PortierMiddleware(
        show, client_of(broker), secret=SECRET, login_path=None, logout_path=None
    )
    browser = visit(app)
    for path in ("/login", "/logout"):
        assert browser.post(path, headers={"origin": "https://example.com"}).text.startswith(path)
