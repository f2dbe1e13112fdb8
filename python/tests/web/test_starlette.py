"""The integration with Starlette, beside other middleware."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from portier_client import Client, ConfigError, Login
from portier_client.starlette import Portier

from .asgi_sites import (
    ALICE,
    PAGE,
    SECRET,
    SITE,
    AgingSession,
    client_of,
    log_in,
    sessions_set,
    visit,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from portier_client.testing import DevBroker


def make_app(portier: Portier, *middleware: Middleware) -> Starlette:
    """A site with a page for members, and with the login."""

    @portier.require_login
    async def members(request: Request) -> Response:
        session = await portier.session(request)
        assert session is not None
        return PlainTextResponse(f"Hello, {session.email}. " * 100)

    app = Starlette(routes=[Route("/members", members)], middleware=middleware)
    portier.install(app)
    return app


def test_a_person_signs_in_and_out(broker: DevBroker) -> None:
    browser = visit(make_app(Portier(client_of(broker), secret=SECRET, login_url="/in")))
    assert browser.get("/members", headers=PAGE).headers["location"] == "/in?next=%2Fmembers"
    assert log_in(browser, broker, next="/members").headers["location"] == "/members"
    assert ALICE in browser.get("/members").text
    assert browser.post("/logout", headers={"origin": SITE}).headers["location"] == "/in"
    assert browser.get("/members", headers=PAGE).status_code == 303


def test_the_login_page_may_be_at_the_path_of_the_form(broker: DevBroker) -> None:
    portier = Portier(client_of(broker), secret=SECRET)
    page = Route("/login", lambda request: PlainTextResponse("the form"))
    routes = [[page, *portier.routes], [*portier.routes, page]]
    for given in routes:
        browser = visit(Starlette(routes=given, middleware=[portier.middleware]))
        assert browser.get("/login").text == "the form"
        assert log_in(browser, broker).status_code == 303


def test_an_application_for_all_other_paths_does_not_hide_the_login(broker: DevBroker) -> None:
    portier = Portier(client_of(broker), secret=SECRET)
    app = Starlette(routes=[Mount("/", PlainTextResponse("elsewhere"))])
    portier.install(app)
    browser = visit(app)
    assert log_in(browser, broker).status_code == 303
    assert browser.get("/login").text == "elsewhere"


@pytest.mark.parametrize("is_outside", [True, False])
def test_a_login_begins_a_new_session_of_the_site(broker: DevBroker, *, is_outside: bool) -> None:
    def on_login(request: Request, login: Login) -> None:
        request.session.clear()
        request.session["email"] = login.email

    async def show(request: Request) -> Response:
        request.session.setdefault("basket", "full")
        return PlainTextResponse(f"{request.session}")

    portier = Portier(client_of(broker), on_login=on_login)
    app = Starlette(routes=[Route("/", show)])
    sessions = Middleware(SessionMiddleware, secret_key="a secret of some length", https_only=True)
    if is_outside:
        portier.install(app)
    app.user_middleware.insert(0, sessions)
    if not is_outside:
        portier.install(app)
    browser = visit(app)
    assert browser.get("/").text == "{'basket': 'full'}"
    assert log_in(browser, broker).status_code == 303
    assert browser.get("/").text == f"{{'email': '{ALICE}', 'basket': 'full'}}"
    assert browser.post("/logout", headers={"origin": SITE}).status_code == 404


def test_other_middleware_in_its_usual_order(broker: DevBroker) -> None:
    async def tag(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        await request.body()
        response = await call_next(request)
        response.headers["x-tag"] = "1"
        return response

    usual = [
        Middleware(ProxyHeadersMiddleware, trusted_hosts="*"),
        Middleware(TrustedHostMiddleware, allowed_hosts=["example.com"]),
        Middleware(CORSMiddleware, allow_origins=["https://app.example.com"]),
        Middleware(GZipMiddleware, minimum_size=10),
        Middleware(SessionMiddleware, secret_key="a secret of some length"),
        Middleware(BaseHTTPMiddleware, dispatch=tag),
    ]
    browser = visit(make_app(Portier(client_of(broker), secret=SECRET), *usual))
    done = log_in(browser, broker, next="/members")
    assert (done.status_code, done.headers["x-tag"]) == (303, "1")
    page = browser.get("/members")
    assert page.text.startswith(f"Hello, {ALICE}")
    assert page.headers["content-encoding"] == "gzip"
    from_elsewhere = {"origin": "https://app.example.com", "sec-fetch-site": "same-site"}
    assert browser.post("/login", data={"email": ALICE}, headers=from_elsewhere).status_code == 403
    assert browser.get("/members", headers={"host": "evil.example"}).status_code == 400


def test_a_session_is_renewed_once_behind_other_middleware() -> None:
    async def pass_on(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        return await call_next(request)

    aging = AgingSession()
    portier = Portier(aging.client, secret=SECRET)
    app = make_app(portier, Middleware(BaseHTTPMiddleware, dispatch=pass_on))
    headers = aging.start(portier.flow)
    assert sessions_set(visit(app).get("/members", headers=headers)) == 1


def test_a_sign_out_is_not_undone_by_a_renewal() -> None:
    aging = AgingSession()
    portier = Portier(aging.client, secret=SECRET, logout_path=None)

    async def leave(request: Request) -> Response:
        assert await portier.session(request) is not None
        return await portier.logout(request)

    app = Starlette(routes=[Route("/leave", leave, methods=["POST"])])
    portier.install(app)
    headers = aging.start(portier.flow)
    response = visit(app).post("/leave", headers={**headers, "origin": SITE})
    assert (response.status_code, sessions_set(response)) == (303, 1)
    assert "Max-Age=0" in response.headers["set-cookie"]


def test_a_site_below_a_path_of_another_one(broker: DevBroker) -> None:
    portier = Portier(
        client_of(broker, "/app/verify"), secret=SECRET, login_url="/app/in", default_next="/app/"
    )
    browser = visit(Starlette(routes=[Mount("/app", make_app(portier))]))
    refused = browser.get("/app/members", headers=PAGE)
    assert refused.headers["location"] == "/app/in?next=%2Fapp%2Fmembers"
    assert log_in(browser, broker, "/app").headers["location"] == "/app/"
    assert browser.get("/app/members").status_code == 200


def test_endpoints_of_all_kinds_may_need_a_login(broker: DevBroker) -> None:
    portier = Portier(client_of(broker), secret=SECRET)

    @portier.require_login
    def plain(request: Request) -> Response:
        return PlainTextResponse("plain")

    class Page(HTTPEndpoint):
        @portier.require_login
        async def get(self, request: Request) -> Response:
            return PlainTextResponse("method")

    app = Starlette(routes=[Route("/plain", plain), Route("/method", Page)])
    portier.install(app)
    browser = visit(app)
    for path in ("plain", "method"):
        assert browser.get(path, headers=PAGE).status_code == 303
    log_in(browser, broker)
    for path in ("plain", "method"):
        assert browser.get(path).text == path


def test_a_hook_may_raise_an_exception_that_the_site_handles(broker: DevBroker) -> None:
    async def on_login(request: Request, login: Login) -> None:
        raise HTTPException(403, "not on the list")

    browser = visit(make_app(Portier(client_of(broker), on_login=on_login, secret=SECRET)))
    refused = log_in(browser, broker)
    assert (refused.status_code, refused.text) == (403, "not on the list")
    assert sessions_set(refused) == 0


def test_a_form_of_another_shape_starts_a_login(broker: DevBroker) -> None:
    portier = Portier(client_of(broker), secret=SECRET)

    async def invite(request: Request) -> Response:
        return await portier.start_login(request, request.path_params["name"], "/welcome")

    app = Starlette(routes=[Route("/invite/{name}", invite)])
    portier.install(app)
    browser = visit(app)
    url = browser.get(f"/invite/{ALICE}").headers["location"]
    assert browser.get("/verify", params=broker.sign_in(url)).headers["location"] == "/welcome"


def test_a_client_of_httpx_logs_in(broker: DevBroker) -> None:
    app = make_app(Portier(client_of(broker), secret=SECRET))

    async def walk() -> str:
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url=SITE) as browser:
            form = {"data": {"email": ALICE}, "headers": {"sec-fetch-site": "same-origin"}}
            started = await browser.post("/login", **form)  # type: ignore[arg-type]
            answer = broker.sign_in(started.headers["location"])
            assert (await browser.get("/verify", params=answer)).status_code == 303
            return (await browser.get("/members")).text

    assert asyncio.run(walk()).startswith(f"Hello, {ALICE}")


def test_a_start_fetches_the_documents_of_the_broker(broker: DevBroker) -> None:
    before = broker.requests().get("/keys.json", 0)
    client = client_of(broker)
    portier = Portier(client, secret=SECRET)
    for _ in range(2):
        with visit(Starlette(lifespan=portier.lifespan)):
            pass
    assert broker.requests()["/keys.json"] == before + 1


def test_a_site_starts_without_its_broker() -> None:
    client = Client("https://example.com/verify", broker="http://127.0.0.1:9")
    portier = Portier(client, secret=SECRET)
    with visit(Starlette(lifespan=portier.lifespan)) as browser:
        assert browser.get("/").status_code == 404


def test_mistakes_of_a_site_are_explained() -> None:
    client = Client("https://example.com/verify")
    with pytest.raises(ConfigError, match="on_login is missing"):
        Portier(client)

    def on_login(request: Request, login: Login) -> Response:
        return RedirectResponse("/")

    with pytest.raises(ConfigError, match="require_login needs sessions"):
        Portier(client, on_login=on_login).require_login(lambda request: Response())
    portier = Portier(client, secret=SECRET)

    async def show(request: Request) -> Any:
        return await portier.session(request)

    app = Starlette(routes=[Route("/", show)])
    with pytest.raises(RuntimeError, match="the middleware is missing"):
        visit(app).get("/")
