"""The integration with Quart."""

from __future__ import annotations

import asyncio
import inspect
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
import quart
from quart import Quart

import portier_client.quart
from portier_client import ConfigError
from portier_client.quart import Portier, portier_logged_in, portier_logged_out
from portier_client.testing import DevBroker

from ..examples import literal_blocks_in
from .flow_site import make_client
from .replay import NOWHERE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from quart.testing import QuartClient
    from quart.wrappers import Response

    from portier_client import Login

ALICE = "alice@example.com"
SITE = "http://localhost"
NOW = 1_750_000_000
SECRET = secrets.token_urlsafe(32)

pytestmark = pytest.mark.asyncio


@pytest.fixture(scope="module")
def broker() -> Iterator[DevBroker]:
    with DevBroker() as broker:
        yield broker


@pytest.fixture
def make(broker: DevBroker) -> Callable[..., Quart]:
    """Makes an application with settings, which has no extension yet."""

    def make(**settings: object) -> Quart:
        app = Quart("site")
        app.config.update(
            SECRET_KEY=secrets.token_urlsafe(32),
            PORTIER_REDIRECT_URI=f"{SITE}/verify",
            PORTIER_BROKER=broker.origin,
        )
        app.config.update(settings)
        return app

    return make


def add_pages(app: Quart, portier: Portier) -> None:
    @app.get("/members")
    @portier.login_required
    async def members() -> str:
        return f"for {await portier.email}"

    @app.get("/who")
    async def who() -> dict[str, object]:
        return {"email": await portier.email}


async def who(browser: QuartClient) -> object:
    return (await (await browser.get("/who")).get_json())["email"]


async def log_in(browser: QuartClient, broker: DevBroker, **fields: str) -> Response:
    started = await browser.post("/login", form={"email": ALICE, **fields})
    return await come_back(browser, broker, started)


async def come_back(browser: QuartClient, broker: DevBroker, started: Response) -> Response:
    assert started.location is not None
    assert started.location.startswith(broker.origin)
    answer = broker.sign_in(started.location)
    if "code" in answer:
        return await browser.get(f"/verify?{urlencode(answer)}")
    return await browser.post("/verify", form=answer)


async def test_settings_alone_make_a_login(make: Callable[..., Quart], broker: DevBroker) -> None:
    app = make()
    add_pages(app, Portier(app))
    browser = app.test_client()
    refused = await browser.get("/members?page=2&q=%C3%BC")
    assert refused.location == "/?next=%2Fmembers%3Fpage%3D2%26q%3D%25C3%25BC"
    done = await log_in(browser, broker, next="/members")
    assert (done.status_code, done.location) == (303, "/members")
    assert await (await browser.get("/members")).get_data(as_text=True) == f"for {ALICE}"
    out = await browser.post("/logout")
    assert (out.status_code, out.location, await who(browser)) == (303, "/", None)


async def test_the_site_of_the_docstring_logs_in(
    broker: DevBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"REDIRECT_URI": f"{SITE}/verify", "BROKER": broker.origin}
    for name, value in settings.items():
        monkeypatch.setenv(f"QUART_PORTIER_{name}", value)
    monkeypatch.setenv("QUART_SECRET_KEY", secrets.token_urlsafe(32))
    names: dict[str, Any] = {"__name__": "example"}
    for code in literal_blocks_in(portier_client.quart.__doc__ or "", "quart.py"):
        exec(code, names)
    browser = names["app"].test_client()
    assert 'action="/login"' in await (await browser.get("/")).get_data(as_text=True)
    assert (await log_in(browser, broker, next="/members")).location == "/members"
    members = await browser.get("/members")
    assert await members.get_data(as_text=True) == f"You are {ALICE}."


@pytest.mark.parametrize(
    "settings",
    [{"PORTIER_BROKR": "x"}, {"PORTIER_REDIRECT_URI": None}, {"SECRET_KEY": None}],
)
async def test_wrong_settings_show_when_the_site_starts(
    make: Callable[..., Quart], settings: dict[str, object]
) -> None:
    app = make(**settings)
    with pytest.raises(ConfigError):
        Portier(app)


async def test_a_login_begins_a_new_session(make: Callable[..., Quart], broker: DevBroker) -> None:
    app = make()
    add_pages(app, Portier(app))
    browser = app.test_client()
    async with browser.session_transaction() as session:
        session["planted"] = 1
        session.permanent = True
    await log_in(browser, broker)
    async with browser.session_transaction() as session:
        assert dict(session) == {"_permanent": True, "portier_email": ALICE}


class OnServer(quart.sessions.SecureCookieSessionInterface):
    """Gives sessions another id, as those on a server do."""

    async def regenerate(self, session: Any) -> None:
        await asyncio.sleep(0)
        session["id"] = "another"


async def test_a_session_on_the_server_gets_another_id(
    make: Callable[..., Quart], broker: DevBroker
) -> None:
    app = make()
    app.session_interface = OnServer()
    Portier(app)
    browser = app.test_client()
    await log_in(browser, broker)
    async with browser.session_transaction() as session:
        assert dict(session) == {"id": "another", "portier_email": ALICE}


def fail(login: Login) -> None:
    raise LookupError("the site has failed")


async def refuse(login: Login) -> tuple[str, int]:
    await asyncio.sleep(0)
    return "not for you", 403


@pytest.mark.parametrize(("hook", "status"), [(fail, 500), (refuse, 403)])
@pytest.mark.parametrize("settings", [{}, {"PORTIER_SECRET": SECRET}])
async def test_the_session_before_continues_if_the_hook_signs_nobody_in(
    make: Callable[..., Quart], broker: DevBroker, settings: Any, hook: Any, status: int
) -> None:
    app = make(**settings)
    portier = Portier(app, on_login=hook)
    seen: list[str | None] = []

    @app.after_request
    async def look(response: quart.Response) -> quart.Response:
        seen.append(await portier.email)
        return response

    browser = app.test_client()
    async with browser.session_transaction() as session:
        session["cart"] = 1
    assert (await log_in(browser, broker)).status_code == status
    async with browser.session_transaction() as session:
        assert ({*seen}, dict(session)) == ({None}, {"cart": 1})


@pytest.mark.parametrize("is_async", [True, False])
async def test_hooks_return_what_views_return(
    make: Callable[..., Quart], broker: DevBroker, *, is_async: bool
) -> None:
    def on_login(login: Login) -> object:
        quart.session["name"] = "Alice"
        return quart.redirect("/welcome")

    def show_problem(problem: object) -> str:
        return "in own words"

    def on_login_error(error: object) -> object:
        return ("gone", 410) if "gone" in quart.request.args else None

    def given(hook: Callable[[Any], object]) -> Callable[[Any], object]:
        async def later(subject: object) -> object:
            await asyncio.sleep(0)
            return hook(subject)

        return later if is_async else hook

    app = make()
    portier = Portier(
        app,
        on_login=given(on_login),
        show_problem=given(show_problem),
        on_login_error=given(on_login_error),
    )
    add_pages(app, portier)
    browser = app.test_client()
    assert (await log_in(browser, broker)).location == "/welcome"
    assert await who(browser) == ALICE
    async with browser.session_transaction() as session:
        assert session["name"] == "Alice"
    assert await (await browser.get("/verify")).get_data(as_text=True) == "in own words"
    assert (await browser.get("/verify?gone")).status_code == 410


async def test_signals_tell_of_logins_and_of_signing_out(
    make: Callable[..., Quart], broker: DevBroker
) -> None:
    app = make()
    portier = Portier(app)
    told: list[object] = []

    async def logged_in(app: Quart, login: Login) -> None:
        told.append((login.email, await portier.email))

    async def logged_out(app: Quart) -> None:
        told.append(await portier.email)

    portier_logged_in.connect(logged_in, app)
    portier_logged_out.connect(logged_out, app)
    browser = app.test_client()
    await log_in(browser, broker)
    await browser.post("/logout", headers={"Origin": "https://elsewhere.example"})
    await browser.post("/logout")
    assert told == [(ALICE, ALICE), ALICE]


async def test_a_sealed_cookie_keeps_people_signed_in(
    make: Callable[..., Quart], broker: DevBroker
) -> None:
    ended: set[str] = set()

    async def accept(session: Any) -> bool:
        await asyncio.sleep(0)
        return session.id not in ended

    app = make(SECRET_KEY=None, PORTIER_SECRET=SECRET)
    portier = Portier(app, accept=accept)
    add_pages(app, portier)

    @app.get("/end")
    async def end() -> str:
        session = await portier.session
        assert session is not None
        ended.add(session.id)
        return "ended"

    browser = app.test_client()
    done = await log_in(browser, broker)
    names = [cookie.partition("=")[0] for cookie in done.headers.getlist("Set-Cookie")]
    assert names == ["portier-signed-in", "portier-session"]
    assert await who(browser) == ALICE
    await browser.get("/end")
    assert await who(browser) is None


async def test_a_session_is_renewed_once_and_not_while_it_ends() -> None:
    options = {"redirect_uri": f"{SITE}/verify", "secret": secrets.token_urlsafe(32)}
    made = make_client(options, has_switched_store=False, broker=NOWHERE, documents={}, now=NOW)
    app = Quart("site")
    portier = Portier(app, made.client, **made.flow_options)
    add_pages(app, portier)

    @app.before_request
    async def look() -> None:
        await portier.email

    _, cookie = app.extensions["portier"].flow.start_session(ALICE)
    sent = {"Cookie": cookie.partition(";")[0]}
    browser = app.test_client(use_cookies=False)
    assert (await browser.get("/who", headers=sent)).headers.getlist("Set-Cookie") == []
    made.clock.advance(8 * 24 * 3600)
    (renewal,) = (await browser.get("/who", headers=sent)).headers.getlist("Set-Cookie")
    assert renewal.startswith("portier-session=")
    cookies = (await browser.post("/logout", headers=sent)).headers.getlist("Set-Cookie")
    (ending,) = [cookie for cookie in cookies if cookie.startswith("portier-session=")]
    assert ending.startswith("portier-session=;")


@pytest.mark.parametrize("read", ["get_data", "form"])
async def test_the_site_may_read_a_form_before(
    make: Callable[..., Quart], broker: DevBroker, read: str
) -> None:
    app = make(PORTIER_FLOW="implicit")

    @app.before_request
    async def look() -> None:
        member = getattr(quart.request, read)
        await (member() if inspect.ismethod(member) else member)

    add_pages(app, Portier(app))
    browser = app.test_client()
    await log_in(browser, broker)
    assert await who(browser) == ALICE


async def test_a_form_that_does_not_arrive_is_given_up(make: Callable[..., Quart]) -> None:
    app = make(BODY_TIMEOUT=0.01)
    Portier(app)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": "9"}
    async with app.test_client().request("/login", method="POST", headers=headers) as connection:
        await connection.send(b"email=")
        await asyncio.wait_for(connection.receive(), 30)
    response = await connection.as_response()
    assert response.status_code == 408


async def test_websockets_know_who_is_signed_in(
    make: Callable[..., Quart], broker: DevBroker
) -> None:
    for settings in ({}, {"PORTIER_SECRET": SECRET}):
        app = make(**settings)
        portier = Portier(app)

        @app.websocket("/news")
        @portier.login_required
        async def news(portier: Portier = portier) -> None:
            await quart.websocket.send(f"for {await portier.email}")

        browser = app.test_client()
        with pytest.raises(quart.testing.connections.WebsocketResponseError) as raised:
            async with browser.websocket("/news") as socket:
                await socket.receive()
        assert raised.value.response.status_code == 401
        await log_in(browser, broker)
        async with browser.websocket("/news") as socket:
            assert await socket.receive() == f"for {ALICE}"


async def test_the_extension_is_known_to_templates(
    make: Callable[..., Quart], broker: DevBroker
) -> None:
    app = make()
    Portier(app, url_prefix="/account")
    template = "{{ url_for('portier.login') }} {{ portier.email }}"

    @app.get("/")
    async def index() -> str:
        return await quart.render_template_string(template)

    browser = app.test_client()
    assert await (await browser.get("/")).get_data(as_text=True) == "/account/login None"
    started = await browser.post("/account/login", form={"email": ALICE})
    await come_back(browser, broker, started)
    assert await (await browser.get("/")).get_data(as_text=True) == f"/account/login {ALICE}"
