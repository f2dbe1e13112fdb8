"""Error trackers keep the local variables of frames: those of this package hold no secret."""

from __future__ import annotations

import asyncio
import inspect
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from portier_client import Client, asyncio_portier, blocking, testing
from portier_client.testing import ManualClock, MockTransport, mock_client

from .conftest import REDIRECT_URI

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from types import TracebackType

    from portier_client.testing import DevBroker

BROWSER = "hG5mTq-secret-of-this-browser-0123456789abc"
CONFIRMATION = "the-confirmation-of-another-browser"
EMAIL = "Wilhelmina.Vanishing@example.com"
PASSWORD = "correct-horse-battery"
STATE = "the-state-of-the-application"
SESSION = "/members?the-session-of-the-application"
KNOWN = (BROWSER, CONFIRMATION, EMAIL, PASSWORD, STATE, SESSION)


def frames_of(error: BaseException | None, seen: set[int]) -> Iterator[Any]:
    """The frames of an error, of its causes and of its context."""
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    traceback: TracebackType | None = error.__traceback__
    while traceback is not None:
        yield traceback.tb_frame
        traceback = traceback.tb_next
    for other in (error.__cause__, error.__context__, *getattr(error, "exceptions", ())):
        yield from frames_of(other, seen)


def shown(value: object, depth: int = 6) -> str:
    """The text that a tracker makes of a local: it looks into containers and coroutines."""
    texts = [repr(value)]
    if depth and isinstance(value, dict):
        texts += [shown(item, depth - 1) for pair in value.items() for item in pair]
    elif depth and isinstance(value, (list, tuple, set, frozenset)):
        texts += [shown(item, depth - 1) for item in value]
    elif depth and inspect.iscoroutine(value) and value.cr_frame is not None:
        texts += [shown(value.cr_frame.f_locals, depth - 1)]
    return "\n".join(texts)


def secrets_in(error: BaseException, secrets: set[str]) -> list[str]:
    """Returns the frames of the package that hold a secret."""
    frames = [
        frame
        for frame in frames_of(error, set())
        if frame.f_globals["__name__"].partition(".")[0] == "portier_client"
    ]
    return [
        f"{frame.f_code.co_qualname}: {name}"
        for frame in frames
        for name, value in frame.f_locals.items()
        for secret in secrets
        if secret in shown(value)
    ]


class Scene:
    """A pending login and its secrets."""

    def __init__(self, broker: DevBroker) -> None:
        self.broker = broker
        self.secrets = set(KNOWN)
        self.client = Client(REDIRECT_URI, broker=broker.origin)
        self.twin = blocking.Client(REDIRECT_URI, broker=broker.origin)

    def token(self, client: Client | None = None, **changes: Any) -> str:
        client = client or self.client
        url = asyncio.run(client.authenticate(EMAIL, browser=BROWSER))
        self.secrets |= set(parse_qs(urlsplit(url).query)["nonce"])
        token = self.broker.mint(url, **changes)
        self.secrets |= {token, *token.split(".")}
        return token


@pytest.fixture
def scene(broker: DevBroker) -> Scene:
    return Scene(broker)


class Failing:
    """A store that fails, at once or later."""

    def __init__(self, *, later: bool) -> None:
        self.later = later

    async def fail(self) -> None:
        if self.later:
            await asyncio.sleep(0)
        raise LookupError("the database said no")

    def put(self, *_: object) -> Awaitable[None]:
        return self.fail()

    take = put


def unreachable(make: Callable[..., Any] = Client) -> Any:
    return make(REDIRECT_URI, broker="http://127.0.0.1:9")


OPERATIONS: dict[str, Callable[[Scene], Any]] = {
    "a forged token": lambda scene: scene.client.verify(scene.token(key="stranger")),
    "a token for another site": lambda scene: scene.client.verify(
        scene.token(claims={"aud": "https://other.example"})
    ),
    "junk": lambda scene: scene.client.verify(BROWSER),
    "no text": lambda scene: scene.client.verify(scene.token().encode()),
    "no text for a browser": lambda scene: scene.client.complete(
        {"id_token": scene.token()}, BROWSER.encode()
    ),
    "another browser": lambda scene: scene.client.complete(
        {"id_token": scene.token()}, "x" * 43, confirmation=CONFIRMATION
    ),
    "a repeated field": lambda scene: scene.client.complete([("id_token", scene.token())] * 2),
    "an error of the broker": lambda scene: scene.client.complete(
        {"error": "access_denied", "error_description": SESSION, "state": STATE}, BROWSER
    ),
    "keys that cannot be fetched": lambda scene: unreachable().verify(scene.token()),
    "a start that cannot be": lambda scene: unreachable().authenticate(
        EMAIL, state=STATE, session=SESSION, browser=BROWSER
    ),
    "no address": lambda scene: scene.client.authenticate(f"{EMAIL}@two", browser=BROWSER),
    "a store that fails at once": lambda scene: Client(
        REDIRECT_URI, broker=scene.broker.origin, store=Failing(later=False)
    ).authenticate(EMAIL, state=STATE, session=SESSION, browser=BROWSER),
    "a store that fails later": lambda scene: Client(
        REDIRECT_URI, broker=scene.broker.origin, store=Failing(later=True)
    ).authenticate(EMAIL, state=STATE, session=SESSION, browser=BROWSER),
    "blocking: a forged token": lambda scene: scene.twin.verify(scene.token(key="stranger")),
    "blocking: a form": lambda scene: scene.twin.complete(
        {"id_token": scene.token(scene.client, key="stranger")}, BROWSER, confirmation=CONFIRMATION
    ),
    "blocking: no form": lambda scene: scene.twin.complete(scene.token()),
    "blocking: a start": lambda scene: unreachable(blocking.Client).authenticate(
        EMAIL, state=STATE, session=SESSION, browser=BROWSER
    ),
    "a closed client": lambda scene: closed(scene).complete({"id_token": scene.token()}, BROWSER),
    "a password in the store's URL": lambda _: Client(
        REDIRECT_URI, store=f"redis://user:{PASSWORD}@localhost:x"
    ),
    "a password in the broker's URL": lambda _: Client(
        REDIRECT_URI, broker=f"https://user:{PASSWORD}@broker.example"
    ),
    "a password beside a wrong type": lambda _: blocking.Client(
        REDIRECT_URI,
        store=f"redis://:{PASSWORD}@localhost",
        idp=1,  # type: ignore[arg-type]
    ),
    "a surrogate beside a password": lambda _: Client(
        REDIRECT_URI, store=f"redis://:{PASSWORD}\udc00@localhost"
    ),
    "a client for tests": lambda _: mock_client(
        REDIRECT_URI,
        clock=ManualClock(1),
        transport=MockTransport(),
        store=f"redis://user:{PASSWORD}@localhost:x",
    ),
    "a token that cannot be minted": lambda scene: scene.broker.mint(
        nonce=BROWSER,
        email=EMAIL,
        claims={"a": PASSWORD},
        algorithm="none",  # type: ignore[arg-type]
    ),
    "a store for tests": lambda _: testing.open_store(f"redis://user:{PASSWORD}@localhost:x"),
}


def closed(scene: Scene) -> Client:
    client = Client(REDIRECT_URI, broker=scene.broker.origin)
    asyncio.run(client.aclose())
    return client


def failure_of(operation: Any, scene: Scene) -> BaseException:
    """The error of an operation, as a tracker gets it."""

    async def settle(coroutine: Any) -> None:
        await coroutine

    try:
        result = operation(scene)
        if asyncio.iscoroutine(result):
            asyncio.run(settle(result))
    except Exception as error:
        return error
    raise AssertionError("nothing failed")


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_frame_of_a_traceback_holds_a_secret(scene: Scene, name: str) -> None:
    error = failure_of(OPERATIONS[name], scene)
    names = [frame.f_globals["__name__"] for frame in frames_of(error, set())]
    assert any(name.startswith("portier_client") for name in names)
    assert secrets_in(error, scene.secrets) == []


def test_a_cancelled_call_holds_no_secret(scene: Scene) -> None:
    scene.broker.hold("/keys.json")
    client = Client(REDIRECT_URI, broker=scene.broker.origin)
    token = scene.token(client)

    def wait_for_the_request() -> None:
        deadline = time.monotonic() + 30
        while scene.broker.requests().get("/keys.json", 0) == before:
            assert time.monotonic() < deadline
            time.sleep(0.005)

    async def cancel() -> asyncio.CancelledError:
        task = asyncio.create_task(client.complete({"id_token": token}, BROWSER))
        await asyncio.to_thread(wait_for_the_request)
        coroutine: Any = task.get_coro()
        held = shown(coroutine.cr_frame.f_locals)
        assert not [secret for secret in scene.secrets if secret in held]
        task.cancel()
        try:
            await task
        except asyncio.CancelledError as error:
            return error
        raise AssertionError("it was not cancelled")

    before = scene.broker.requests().get("/keys.json", 0)
    try:
        error = asyncio.run(cancel())
    finally:
        scene.broker.release("/keys.json")
    assert secrets_in(error, scene.secrets) == []


class Cache:
    """A cache that fails in one of its methods."""

    def __init__(self, page: str | None, failing: str) -> None:
        self.page = page
        self.failing = failing

    async def get(self, name: str) -> str | None:
        return self._answer("get")

    async def delete(self, name: str) -> int:
        self._answer("delete")
        return 1

    async def set(self, name: str, value: str, **_: object) -> None:
        self._answer("set")

    def _answer(self, method: str) -> str | None:
        if method == self.failing:
            raise LookupError("the cache said no")
        return self.page


@pytest.mark.parametrize(
    ("page", "failing", "changes"),
    [
        (SESSION, "get", {}),
        (SESSION, "delete", {}),
        (None, "", {}),
        (SESSION, "", {"key": "stranger"}),
        (SESSION, "", {"issuer": "https://other.example"}),
    ],
    ids=["get", "delete", "unknown", "forged", "issuer"],
)
def test_no_frame_of_asyncio_portier_holds_a_secret(
    scene: Scene, page: str | None, failing: str, changes: dict[str, str]
) -> None:
    issuer = changes.pop("issuer", scene.broker.origin)
    token = scene.token(**changes)
    arguments = (scene.broker.origin, token, "https://example.com", issuer, Cache(page, failing))
    error = failure_of(lambda _: asyncio_portier.get_verified_email(*arguments), scene)
    assert secrets_in(error, scene.secrets) == []


def test_the_search_for_secrets_finds_them() -> None:
    names = {"__name__": "portier_client.example"}
    exec("def hold(form):\n    raise LookupError", names)
    error = failure_of(lambda _: names["hold"]({"id_token": [BROWSER.encode()]}), None)  # type: ignore[operator,arg-type]
    assert secrets_in(error, {BROWSER}) == ["hold: form"]
