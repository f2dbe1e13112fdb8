"""The integration with aiohttp."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import aiohttp_security
import aiohttp_session
import pytest
from aiohttp import ClientResponse, CookieJar, web
from aiohttp.test_utils import TestClient, TestServer
from aiohttp_session.cookie_storage import EncryptedCookieStorage

import portier_client.aiohttp
from portier_client import Client, ConfigError
from portier_client.aiohttp import PORTIER, require_login, setup
from portier_client.testing import DevBroker

from ..examples import literal_blocks_in
from .flow_site import make_client
from .replay import NOWHERE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from aiohttp.typedefs import Handler

    from portier_client import Login

ALICE = "alice@example.com"
SITE = "http://localhost"
NOW = 1_750_000_000
SECRET = "WkT1vS7mQ9x4LhR2nYcB8dGpJ6fZaE3u"

pytestmark = [
    pytest.mark.asyncio,
    # It does not know the keys of aiohttp 3.14 yet.
    pytest.mark.filterwarnings("ignore:.*web.RequestKey:UserWarning:aiohttp_session"),
]

Browser = TestClient[web.Request, web.Application]


@pytest.fixture(scope="module")
def broker() -> Iterator[DevBroker]:
    with DevBroker() as broker:
        yield broker


@asynccontextmanager
async def visiting(app: web.Application) -> AsyncIterator[Browser]:
    """A browser at a site, which is served meanwhile."""
    async with TestClient(TestServer(app), cookie_jar=CookieJar(unsafe=True)) as browser:
        yield browser


async def get(browser: Browser, path: str, **headers: str) -> ClientResponse:
    return await browser.get(path, headers=headers, allow_redirects=False)


async def post(browser: Browser, path: str, **fields: str) -> ClientResponse:
    return await browser.post(path, data=fields, allow_redirects=False)


async def log_in(browser: Browser, broker: DevBroker, path: str = "", **fields: str) -> Any:
    started = await post(browser, f"{path}/login", email=ALICE, **fields)
    answer = broker.sign_in(started.headers["Location"])
    if "code" in answer:
        return await browser.get(f"{path}/verify", params=answer, allow_redirects=False)
    return await post(browser, f"{path}/verify", **answer)


async def who(browser: Browser, path: str = "/who") -> object:
    return (await (await get(browser, path)).json())["email"]


async def show(request: web.Request) -> web.Response:
    return web.json_response({"email": await request.config_dict[PORTIER].email(request)})


@require_login
async def members(request: web.Request) -> web.Response:
    return web.Response(text="for members")


def make(broker: DevBroker, *, redirect_uri: str = f"{SITE}/verify", **options: Any) -> Any:
    """An application whose sessions are set up later."""
    app = web.Application()
    app.add_routes([web.get("/who", show), web.get("/members", members)])
    setup(app, Client(redirect_uri, broker=broker.origin), **options)
    return app


async def test_the_site_of_the_docstring_logs_in(
    broker: DevBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: dict[str, Any] = {"__name__": "example"}

    def local(_: str) -> Client:
        return Client(f"{SITE}/verify", broker=broker.origin)

    monkeypatch.setattr(portier_client, "Client", local)
    for code in literal_blocks_in(portier_client.aiohttp.__doc__ or "", "aiohttp.py"):
        exec(code, names)
    async with visiting(names["app"]) as browser:
        assert 'action="/login"' in await (await get(browser, "/")).text()
        refused = await get(browser, "/members?page=2")
        assert refused.headers["Location"] == "/?next=%2Fmembers%3Fpage%3D2"
        done = await log_in(browser, broker, next="/members")
        assert (done.status, done.headers["Location"]) == (303, "/members")
        assert await (await get(browser, "/members")).text() == f"You are {ALICE}."
        await post(browser, "/logout")
        assert (await get(browser, "/members", Accept="application/json")).status == 401


async def test_the_application_closes_the_client_that_it_has_made(
    broker: DevBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portier_client.aiohttp, "Client", partial(Client, broker=broker.origin))
    app = web.Application()
    made = setup(app, f"{SITE}/verify", secret=SECRET).flow.client
    async with visiting(app) as browser:
        assert (await log_in(browser, broker)).status == 303
    with pytest.raises(RuntimeError, match="closed"):
        await made.warm()


async def test_the_documents_are_fetched_at_the_start_and_the_client_stays_open(
    broker: DevBroker,
) -> None:
    fetched = asyncio.Event()

    class Watched(Client):
        async def warm(self) -> None:
            await super().warm()
            fetched.set()

    client = Watched(f"{SITE}/verify", broker=broker.origin)
    app = web.Application()
    setup(app, client, secret=SECRET)
    async with visiting(app):
        await asyncio.wait_for(fetched.wait(), 30)
    await client.warm()


async def test_a_site_starts_while_the_broker_is_down() -> None:
    app = web.Application()
    setup(app, Client(f"{SITE}/verify", broker=NOWHERE), secret=SECRET)
    async with visiting(app) as browser:
        assert (await post(browser, "/login", email=ALICE)).status == 503


async def test_nobody_to_keep_people_signed_in_is_an_error_at_the_start(broker: DevBroker) -> None:
    app = make(broker)
    with pytest.raises(ConfigError, match="nothing keeps people signed in"):
        await TestServer(app).start_server()


class Storage(aiohttp_session.AbstractStorage):
    """Sessions on the server, as in a database."""

    def __init__(self) -> None:
        super().__init__(samesite="Lax")
        self.sessions: dict[str, Any] = {}

    async def load_session(self, request: web.Request) -> aiohttp_session.Session:
        key = self.load_cookie(request)
        data = self.sessions.get(key or "")
        return aiohttp_session.Session(key, data=data, new=data is None)

    async def save_session(
        self, request: web.Request, response: web.StreamResponse, session: aiohttp_session.Session
    ) -> None:
        key = session.identity or secrets.token_urlsafe()
        self.save_cookie(response, "" if session.empty else key)
        self.sessions[key] = self._get_session_data(session)


async def fill_cart(request: web.Request) -> web.Response:
    session = await aiohttp_session.get_session(request)
    session["cart"] = 1
    return web.Response()


async def session_of(request: web.Request) -> web.Response:
    session = await aiohttp_session.get_session(request)
    return web.json_response(dict(session))


def with_sessions(
    app: web.Application, storage: aiohttp_session.AbstractStorage
) -> web.Application:
    aiohttp_session.setup(app, storage)
    app.add_routes([web.get("/cart", fill_cart), web.get("/session", session_of)])
    return app


@pytest.mark.parametrize("is_on_server", [True, False])
async def test_a_login_begins_a_new_session(broker: DevBroker, *, is_on_server: bool) -> None:
    storage = Storage() if is_on_server else EncryptedCookieStorage(secrets.token_bytes(32))
    async with visiting(with_sessions(make(broker), storage)) as browser:
        await get(browser, "/cart")
        assert (await get(browser, "/members")).status == 303
        await log_in(browser, broker)
        assert await who(browser) == ALICE
        assert (await get(browser, "/members")).status == 200
        session = await (await get(browser, "/session")).json()
        assert session == {"portier_email": ALICE}
        await post(browser, "/logout")
        assert await who(browser) is None


async def test_the_ids_from_before_a_login_and_after_signing_out_are_dead(
    broker: DevBroker,
) -> None:
    storage = Storage()
    async with visiting(with_sessions(make(broker), storage)) as browser:
        await log_in(browser, broker)
        await log_in(browser, broker)
        assert await who(browser) == ALICE
        first, second = storage.sessions
        assert storage.sessions[first] == {}
        assert storage.sessions[second]["session"] == {"portier_email": ALICE}
        await post(browser, "/logout")
        assert storage.sessions[second] == {}


def crash(request: web.Request, login: Login) -> None:
    raise LookupError("the site has failed")


def refuse(request: web.Request, login: Login) -> web.Response:
    return web.Response(status=403)


async def forbid(request: web.Request, login: Login) -> None:
    await asyncio.sleep(0)
    raise web.HTTPForbidden


@pytest.mark.parametrize(("hook", "status"), [(crash, 500), (refuse, 403), (forbid, 403)])
@pytest.mark.parametrize("options", [{}, {"secret": SECRET}])
async def test_the_session_before_continues_if_the_hook_signs_nobody_in(
    broker: DevBroker, options: Any, hook: Callable[..., object], status: int
) -> None:
    seen: list[str | None] = []
    raised: list[type[Exception]] = []

    @web.middleware
    async def look(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Exception as error:
            raised.append(type(error))
            raise
        finally:
            seen.append(await request.app[PORTIER].email(request))

    app = with_sessions(make(broker, on_login=hook, **options), Storage())
    app.middlewares.append(look)
    async with visiting(app) as browser:
        await get(browser, "/cart")
        assert (await log_in(browser, broker)).status == status
        session = await (await get(browser, "/session")).json()
        assert ({*seen}, session) == ({None}, {"cart": 1})
    assert raised == {crash: [LookupError], forbid: [web.HTTPForbidden]}.get(hook, [])


@pytest.mark.parametrize("options", [{}, {"secret": SECRET}])
async def test_a_hook_may_raise_a_redirect(broker: DevBroker, options: dict[str, str]) -> None:
    async def on_login(request: web.Request, login: Login) -> None:
        if not options:
            session = await aiohttp_session.get_session(request)
            session["name"] = "Alice"
        assert await request.app[PORTIER].email(request) == ALICE
        raise web.HTTPSeeOther("/welcome")

    app = with_sessions(make(broker, on_login=on_login, **options), Storage())
    async with visiting(app) as browser:
        done = await log_in(browser, broker)
        assert (done.status, done.headers["Location"]) == (303, "/welcome")
        assert await who(browser) == ALICE
        names = {"portier_email": ALICE, "name": "Alice"}
        assert await (await get(browser, "/session")).json() == ({} if options else names)


class Policy(aiohttp_security.AbstractAuthorizationPolicy):
    """Everybody is a user, whose id is in capitals."""

    async def permits(self, identity: object, permission: object, context: object = None) -> bool:
        return False

    async def authorized_userid(self, identity: str) -> str:
        return identity.upper()


@pytest.mark.parametrize("has_sessions", [True, False])
async def test_aiohttp_security_remembers_and_forgets(
    broker: DevBroker, *, has_sessions: bool
) -> None:
    app = make(broker)
    policy: Any = aiohttp_security.CookiesIdentityPolicy()
    if has_sessions:
        with_sessions(app, Storage())
        policy = aiohttp_security.SessionIdentityPolicy()
    aiohttp_security.setup(app, policy, Policy())
    async with visiting(app) as browser:
        assert (await get(browser, "/members")).status == 303
        await log_in(browser, broker)
        assert await who(browser) == ALICE.upper()
        await post(browser, "/logout")
        assert await who(browser) is None


async def test_views_and_methods_may_need_a_login(broker: DevBroker) -> None:
    class View(web.View):
        @require_login
        async def get(self) -> web.Response:
            return web.Response(text=str(await self.request.app[PORTIER].email(self.request)))

    class Pages:
        @require_login
        async def page(self, request: web.Request) -> web.Response:
            return web.Response(text=str(await request.app[PORTIER].email(request)))

    app = make(broker, secret=SECRET)
    app.add_routes([web.view("/view", View), web.get("/page", Pages().page)])
    async with visiting(app) as browser:
        assert [(await get(browser, path)).status for path in ("/view", "/page")] == [303, 303]
        await log_in(browser, broker)
        for path in ("/view", "/page"):
            assert await (await get(browser, path)).text() == ALICE


async def test_an_application_may_be_added_to_another_one(broker: DevBroker) -> None:
    uri = f"{SITE}/app/verify"
    inner = make(broker, redirect_uri=uri, callback_path="/verify", secret=SECRET)
    app = web.Application()
    app.add_subapp("/app", inner)
    async with visiting(app) as browser:
        refused = await get(browser, "/app/members?page=2")
        assert refused.headers["Location"] == "/app/?next=%2Fapp%2Fmembers%3Fpage%3D2"
        assert (await log_in(browser, broker, "/app")).status == 303
        assert await who(browser, "/app/who") == ALICE


async def test_a_proxy_may_remove_a_prefix(broker: DevBroker) -> None:
    uri = f"{SITE}/app/verify"
    app = make(broker, redirect_uri=uri, callback_path="/verify", secret=SECRET)
    async with visiting(app) as browser:
        refused = await get(browser, "/members")
        assert refused.headers["Location"] == "/app/?next=%2Fapp%2Fmembers"
        assert (await log_in(browser, broker)).status == 303
        assert await who(browser) == ALICE


@pytest.mark.parametrize("read", ["read", "post"])
async def test_a_middleware_may_read_a_form_before(broker: DevBroker, read: str) -> None:
    @web.middleware
    async def look(request: web.Request, handler: Handler) -> web.StreamResponse:
        await getattr(request, read)()
        return await handler(request)

    app = make(broker, secret=SECRET, flow="implicit")
    app.middlewares.append(look)
    async with visiting(app) as browser:
        await log_in(browser, broker)
        assert await who(browser) == ALICE


async def test_a_session_is_renewed_once_and_not_while_it_ends() -> None:
    options = {"redirect_uri": f"{SITE}/verify", "secret": SECRET}
    made = make_client(options, has_switched_store=False, broker=NOWHERE, documents={}, now=NOW)

    @web.middleware
    async def look(request: web.Request, handler: Handler) -> web.StreamResponse:
        await request.app[PORTIER].session(request)
        return await handler(request)

    app = web.Application(middlewares=[look])
    app.router.add_get("/who", show)
    portier = setup(app, made.client, **made.flow_options)
    _, cookie = portier.flow.start_session(ALICE)
    sent = cookie.partition(";")[0]
    async with visiting(app) as browser:
        assert "Set-Cookie" not in (await get(browser, "/who", Cookie=sent)).headers
        made.clock.advance(8 * 24 * 3600)
        (renewal,) = (await get(browser, "/who", Cookie=sent)).headers.getall("Set-Cookie")
        assert renewal.startswith("portier-session=")
        browser.session.cookie_jar.clear()
        out = await browser.post("/logout", headers={"Cookie": sent}, allow_redirects=False)
        cookies = out.headers.getall("Set-Cookie")
        (ending,) = [cookie for cookie in cookies if cookie.startswith("portier-session=")]
        assert ending.startswith("portier-session=;")
