"""The example site with a development broker, as visitors meet them."""

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

from portier_client import Client, Login, PortierError
from portier_client.testing import DevBroker
from portier_client.tornado import LoginHandler

from .standin import StandIn, Verify
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
def serve_answer(serve: Serve) -> Any:
    """Serves handlers whose client has one answer; returns the site's origin."""

    def start(
        answer: PortierError | Login | StandIn,
        verify: type[RequestHandler] = Verify,
        **settings: Any,
    ) -> str:
        client = answer if isinstance(answer, StandIn) else StandIn(answer)
        handlers: list[Any] = [("/login", LoginHandler), ("/verify", verify)]
        return serve(lambda _: Application(handlers, portier=client, **settings))

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
    """Someone whose browser has been nowhere yet."""
    return Visitor()


@pytest.fixture
def walk(visitor: Visitor, site: str) -> Callable[..., Page]:
    """Walks from the login page to the form the broker has the browser post; nothing is posted."""

    def to_the_callback(email: str = "alice@example.com", next_page: str = "") -> Page:
        login = visitor.get(f"{site}/login")
        asked = visitor.submit(login, "/login", email=email, next=next_page)
        return visitor.submit(asked, answer="continue")

    return to_the_callback
