"""The example site with a development broker, as a visitor sees them."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from portier_client import Client, Login
from portier_client.testing import DevBroker
from portier_client.tornado import LoginHandler, PortierMixin, VerifyHandler
from portier_client.web import LoginFlow

from .by_hand import REDIRECT_URI
from .visitor import Page, Visitor

EXAMPLE = Path(__file__).parents[2] / "examples" / "tornado"
sys.path.insert(0, str(EXAMPLE))

from app import make_app  # noqa: E402

SECRET = "a secret of some length"

Serve = Callable[[Callable[[str], Application]], str]


@contextmanager
def serving(make: Callable[[str], Application]) -> Iterator[str]:
    """Serves, in a thread of its own, the application made for an origin; yields the origin."""
    sockets = bind_sockets(0, "127.0.0.1")
    origin = f"http://localhost:{sockets[0].getsockname()[1]}"
    started: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
    ready = threading.Event()

    async def serve() -> None:
        stopped = asyncio.Event()
        server = HTTPServer(make(origin))
        server.add_sockets(sockets)
        started.append((asyncio.get_running_loop(), stopped))
        ready.set()
        await stopped.wait()
        server.stop()
        await server.close_all_connections()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    yield origin
    loop, stopped = started[0]
    loop.call_soon_threadsafe(stopped.set)
    thread.join()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves applications until the test is over."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        yield lambda make: stack.enter_context(serving(make))


@pytest.fixture
def flow(broker: DevBroker) -> LoginFlow:
    """A flow with the development broker, in the implicit flow."""
    return LoginFlow(Client(REDIRECT_URI, broker=broker.origin), flow="implicit")


@pytest.fixture
def implicit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes Tornado's handlers use the implicit flow, so that a test can make the tokens."""
    monkeypatch.setattr(PortierMixin, "flow", "implicit")


class Verify(VerifyHandler):
    """Signs people in."""

    def on_login(self, login: Login) -> None:
        self.set_cookie("email", login.email, **self.cookie_flags)


@pytest.fixture
def serve_handlers(serve: Serve, broker: DevBroker, implicit: None) -> Callable[..., str]:
    """Serves the two handlers of a login; returns the site's origin."""

    def start(
        verify: type[RequestHandler] = Verify,
        login: type[RequestHandler] = LoginHandler,
        response_mode: str = "form_post",
        **settings: Any,
    ) -> str:
        def make(origin: str) -> Application:
            client = Client(f"{origin}/verify", broker=broker.origin, response_mode=response_mode)
            handlers: list[Any] = [("/login", login), ("/verify", verify)]
            return Application(handlers, portier=client, **settings)

        return serve(make)

    return start


@pytest.fixture
def answer_to(visitor: Visitor, broker: DevBroker) -> Callable[..., dict[str, str]]:
    """Starts a login at a site; returns what the broker posts."""

    def start(site: str, email: str = "alice@example.com", next_page: str = "") -> dict[str, str]:
        form = {"email": email, "next": next_page}
        started = visitor.post(f"{site}/login", form, origin=site, follow=False)
        return {"id_token": broker.mint(started.headers["Location"]), "state": ""}

    return start


@pytest.fixture(scope="session")
def broker() -> Iterator[DevBroker]:
    """A development broker that shows its page."""
    with DevBroker() as broker:
        yield broker


@pytest.fixture(scope="session")
def site(broker: DevBroker) -> Iterator[str]:
    """The origin of the example site."""
    with serving(lambda origin: example(origin, broker.origin)) as origin:
        yield origin


def example(origin: str, broker: str) -> Application:
    """The example site, at an origin."""
    return make_app(Client(f"{origin}/verify", broker=broker), SECRET)


@pytest.fixture
def visitor() -> Visitor:
    """A visitor with a new browser."""
    return Visitor()


@pytest.fixture
def log_in(visitor: Visitor, site: str) -> Callable[..., Page]:
    """Logs in, from the login page to the page after the login."""

    def log_in(email: str = "alice@example.com", next_page: str = "") -> Page:
        login = visitor.get(f"{site}/login")
        asked = visitor.submit(login, "/login", email=email, next=next_page)
        return visitor.submit(asked, answer="continue")

    return log_in
