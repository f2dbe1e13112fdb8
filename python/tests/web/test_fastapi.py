"""The integration with FastAPI: dependencies, OpenAPI, tests of a site."""

from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, HTTPException, Request, WebSocket
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.websockets import WebSocketDisconnect

from portier_client import Client, ConfigError, Login
from portier_client.fastapi import LoginRequired, Portier, Session
from portier_client.testing import DevBroker

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


def make_app(portier: Portier, **options: Any) -> FastAPI:
    """A site with pages of several kinds."""
    Visitor = Annotated[Session | None, Depends(portier.session)]  # noqa: N806
    Member = Annotated[Session, Depends(portier.require_login)]  # noqa: N806
    app = FastAPI(**options)
    portier.install(app)

    @app.get("/")
    async def index(visitor: Visitor) -> str:
        return visitor.email if visitor else "nobody"

    @app.get("/members")
    async def members(member: Member) -> dict[str, str]:
        return {"email": member.email}

    @app.get("/page", response_class=HTMLResponse)
    def page(member: Member) -> Response:
        return HTMLResponse(f"<h1>{member.email}</h1>")

    @app.get("/moved")
    async def moved(member: Member) -> Response:
        return RedirectResponse("/page")

    @app.websocket("/talk")
    async def talk(websocket: WebSocket, member: Member) -> None:
        await websocket.accept()
        await websocket.send_text(member.email)
        await websocket.close()

    return app


@pytest.fixture
def site(broker: DevBroker) -> tuple[Portier, FastAPI]:
    """The login and the site."""
    portier = Portier(client_of(broker), secret=SECRET, login_url="/in")
    return portier, make_app(portier)


def test_a_dependency_returns_the_session(site: tuple[Portier, FastAPI], broker: DevBroker) -> None:
    browser = visit(site[1])
    assert browser.get("/").json() == "nobody"
    log_in(browser, broker)
    assert browser.get("/").json() == ALICE
    assert browser.get("/members").json() == {"email": ALICE}
    assert browser.post("/logout", headers={"origin": SITE}).status_code == 303
    assert browser.get("/").json() == "nobody"


def test_browsers_are_sent_to_the_login_page_and_scripts_get_a_problem(
    site: tuple[Portier, FastAPI],
) -> None:
    browser = visit(site[1])
    redirected = browser.get("/members?a=b", headers=PAGE)
    assert redirected.status_code == 303
    assert redirected.headers["location"] == "/in?next=%2Fmembers%3Fa%3Db"
    refused = browser.get("/members", headers={"accept": "application/json"})
    assert refused.status_code == 401
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["type"] == "urn:portier-client:problem:not_signed_in"


def test_a_router_alone_still_refuses(broker: DevBroker) -> None:
    portier = Portier(client_of(broker), secret=SECRET)
    app = FastAPI(middleware=[portier.middleware])
    app.include_router(portier.router)

    @app.get("/members")
    async def members(member: Annotated[Session, Depends(portier.require_login)]) -> str:
        return member.email

    browser = visit(app)
    assert browser.get("/members", headers=PAGE).headers["location"] == "/?next=%2Fmembers"
    assert browser.get("/members", headers={"accept": "application/json"}).status_code == 401
    log_in(browser, broker)
    assert browser.get("/members").json() == ALICE


def test_a_site_may_answer_in_its_own_way(site: tuple[Portier, FastAPI]) -> None:
    _, app = site

    async def answer(request: Request, error: LoginRequired) -> Response:
        return HTMLResponse("please sign in", 401)

    app.add_exception_handler(LoginRequired, answer)  # type: ignore[arg-type]
    assert visit(app).get("/members", headers=PAGE).text == "please sign in"


def test_a_websocket_needs_a_login(site: tuple[Portier, FastAPI], broker: DevBroker) -> None:
    browser = visit(site[1])
    url = "wss://example.com/talk"
    with pytest.raises(WebSocketDisconnect) as caught, browser.websocket_connect(url):
        pass
    assert caught.value.code == 1008
    log_in(browser, broker)
    with browser.websocket_connect(url) as websocket:
        assert websocket.receive_text() == ALICE


def test_openapi_shows_which_routes_need_a_login(site: tuple[Portier, FastAPI]) -> None:
    schema = site[1].openapi()
    scheme = {"type": "apiKey", "in": "cookie", "name": "__Host-portier-session"}
    shown = schema["components"]["securitySchemes"]["Portier"]
    assert scheme.items() <= shown.items()
    assert schema["paths"]["/members"]["get"]["security"] == [{"Portier": []}]
    assert "security" not in schema["paths"]["/"]["get"]
    assert sorted(schema["paths"]) == ["/", "/members", "/moved", "/page"]
    parameters = [path["get"].get("parameters") for path in schema["paths"].values()]
    assert parameters == [None] * 4


def test_tests_of_a_site_replace_the_dependencies(site: tuple[Portier, FastAPI]) -> None:
    portier, app = site
    session, _ = portier.flow.start_session(ALICE)
    app.dependency_overrides[portier.require_login] = lambda: session
    app.dependency_overrides[portier.session] = lambda: session
    browser = visit(app)
    assert browser.get("/members").json() == {"email": ALICE}
    assert browser.get("/").json() == ALICE


@pytest.mark.parametrize("path", ["/", "/members", "/page", "/moved"])
def test_a_session_is_renewed_whatever_a_route_returns(path: str) -> None:
    aging = AgingSession()
    portier = Portier(aging.client, secret=SECRET)
    headers = aging.start(portier.flow)
    assert sessions_set(visit(make_app(portier)).get(path, headers=headers)) == 1


def test_a_site_behind_a_proxy_that_strips_its_prefix(broker: DevBroker) -> None:
    portier = Portier(
        client_of(broker, "/api/verify"),
        secret=SECRET,
        login_url="/api/in",
    )
    browser = visit(make_app(portier), root_path="/api")
    refused = browser.get("/members", headers=PAGE)
    assert refused.headers["location"] == "/api/in?next=%2Fapi%2Fmembers"
    assert log_in(browser, broker).status_code == 303
    assert browser.get("/members").status_code == 200


def test_a_hook_may_raise_an_exception_that_the_site_handles(broker: DevBroker) -> None:
    def on_login(request: Request, login: Login) -> None:
        raise HTTPException(403, "not on the list")

    app = make_app(Portier(client_of(broker), on_login=on_login, secret=SECRET))
    refused = log_in(visit(app), broker)
    assert (refused.status_code, refused.json()) == (403, {"detail": "not on the list"})


def test_mistakes_of_a_site_are_explained() -> None:
    client = Client("https://example.com/verify")
    with pytest.raises(ConfigError, match="require_login needs sessions"):
        _ = Portier(client, on_login=print).require_login
    from starlette.applications import Starlette

    with pytest.raises(TypeError, match="app must be a FastAPI"):
        Portier(client, secret=SECRET).install(Starlette())
