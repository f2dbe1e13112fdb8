"""Logins with a custom store in Python."""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from portier_client import Client, ConfigError, InvalidSession, Store, blocking

from .written import DISCOVERY, REDIRECT_URI, Plain, Waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from portier_client.testing import DevBroker

KINDS = [Plain, Waiting]


async def log_in(client: Client, broker: DevBroker) -> None:
    url = await client.authenticate("alice@example.com", session="/members")
    token = broker.mint(url)
    login = await client.complete({"id_token": token})
    assert (login.email, login.session) == ("alice@example.com", "/members")
    with pytest.raises(InvalidSession) as caught:
        await client.verify(token)
    assert caught.value.code == "session_unknown"


@pytest.mark.parametrize("kind", KINDS)
def test_a_login_completes_with_a_custom_store(kind: type[Any], broker: DevBroker) -> None:
    store = kind()
    assert isinstance(store, Store)
    client = Client(REDIRECT_URI, broker=broker.origin, store=store, session_ttl=90.5)
    for _ in range(3):
        asyncio.run(log_in(client, broker))
    plain = getattr(store, "plain", store)
    assert plain.records == {}
    assert plain.ttls == [90.5] * 3
    # Also if a document had to be fetched first.
    assert store.threads == {threading.get_ident()}
    assert client.stats()["pending"] is None


@pytest.mark.parametrize("kind", KINDS)
def test_many_logins_complete_concurrently_with_a_custom_store(
    kind: type[Any], broker: DevBroker
) -> None:
    client = Client(REDIRECT_URI, broker=broker.origin, store=kind())

    async def many() -> None:
        await asyncio.gather(*(log_in(client, broker) for _ in range(50)))

    asyncio.run(many())


def test_a_synchronous_store_needs_no_event_loop(broker: DevBroker) -> None:
    client = Client(REDIRECT_URI, broker=broker.origin, store=Plain())
    asyncio.run(client.warm())
    coroutine = client.authenticate("alice@example.com")
    with pytest.raises(StopIteration) as caught:
        coroutine.send(None)
    token = broker.mint(caught.value.value)
    with pytest.raises(StopIteration) as caught:
        client.verify(token).send(None)
    assert caught.value.value == "alice@example.com"


def test_a_blocking_client_calls_its_store_in_its_own_thread(broker: DevBroker) -> None:
    for client_is_cold in (True, False):
        store = Plain()
        client = blocking.Client(REDIRECT_URI, broker=broker.origin, store=store)
        if not client_is_cold:
            client.warm()
        url = client.authenticate("alice@example.com")
        assert client.verify(broker.mint(url)) == "alice@example.com"
        assert store.threads == {threading.get_ident()}


@pytest.mark.parametrize("kind", KINDS)
def test_one_store_serves_loops_in_several_threads(kind: type[Any], broker: DevBroker) -> None:
    client = Client(REDIRECT_URI, broker=broker.origin, store=kind())
    failures: list[BaseException] = []

    async def many() -> None:
        await asyncio.gather(*(log_in(client, broker) for _ in range(10)))

    def run() -> None:
        try:
            asyncio.run(many())
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.skipif(sys.platform == "win32", reason="there is no uvloop for Windows")
@pytest.mark.parametrize("kind", KINDS)
def test_a_custom_store_works_with_uvloop(kind: type[Any], broker: DevBroker) -> None:
    import uvloop

    client = Client(REDIRECT_URI, broker=broker.origin, store=kind())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(log_in(client, broker))


def test_a_task_that_is_done_as_soon_as_it_starts_is_awaited(broker: DevBroker) -> None:
    class Eager(Waiting):
        async def take(self, nonce: str, /) -> str | None:
            return self.plain.take(nonce)

    def factory(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> Any:
        """Does the same as `asyncio.eager_task_factory`, which is new in Python 3.12."""
        if coroutine.__name__ != "take":
            return asyncio.Task(coroutine, loop=loop, **options)
        future = loop.create_future()
        with pytest.raises(StopIteration) as caught:
            coroutine.send(None)
        future.set_result(caught.value.value)
        return future

    async def main() -> None:
        eager = getattr(asyncio, "eager_task_factory", factory)
        asyncio.get_running_loop().set_task_factory(eager)
        await log_in(client, broker)

    client = Client(REDIRECT_URI, broker=broker.origin, store=Eager())
    asyncio.run(main())


@pytest.mark.parametrize("client_is_cold", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_a_store_runs_in_the_context_of_the_call(
    kind: type[Any], client_is_cold: bool, broker: DevBroker
) -> None:
    visitor = contextvars.ContextVar("visitor", default="nobody")
    seen = []

    class Looking(kind):  # type: ignore[misc]
        def put(self, *arguments: Any) -> Any:
            seen.append(visitor.get())
            return super().put(*arguments)

    client = Client(REDIRECT_URI, broker=broker.origin, store=Looking())

    async def start(name: str) -> None:
        visitor.set(name)
        await client.authenticate(f"{name}@example.com")

    async def main() -> None:
        if not client_is_cold:
            await client.warm()
        await asyncio.gather(start("alice"), start("bob"))

    asyncio.run(main())
    assert sorted(seen) == ["alice", "bob"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_may_use_its_own_client(kind: type[Any], broker: DevBroker) -> None:
    class Using(Waiting):
        def __init__(self) -> None:
            super().__init__()
            self.depth = 0

        async def put(self, nonce: str, record: str, ttl: float, /) -> None:
            self.depth += 1
            if self.depth <= 3:
                await client.authenticate("bob@example.com")
                await client.warm()
            await super().put(nonce, record, ttl)

    class UsingAtOnce(Plain):
        def put(self, nonce: str, record: str, ttl: float, /) -> None:
            if len(self.ttls) < 3:
                self.ttls.append(ttl)
                twin = blocking.Client(REDIRECT_URI, broker=broker.origin, store=self)
                twin.authenticate("bob@example.com")
                assert client.stats()["logins_started"] == 0
            super().put(nonce, record, ttl)

    store = {Plain: UsingAtOnce, Waiting: Using}[kind]()
    client = Client(REDIRECT_URI, broker=broker.origin, store=store)
    url = asyncio.run(client.authenticate("alice@example.com"))
    assert asyncio.run(client.verify(broker.mint(url))) == "alice@example.com"


def known_to(store: object, broker: DevBroker) -> int:
    """The number of key fetches for a token with an unknown key."""
    client = Client(REDIRECT_URI, broker=broker.origin, store=store)  # type: ignore[arg-type]

    async def verify() -> None:
        url = await client.authenticate("alice@example.com")
        await client.warm()
        forged = broker.mint(url, key="stranger", nonce="never-drawn")
        # A key set is not fetched again in its first second.
        await asyncio.sleep(1)
        with pytest.raises(Exception, match="no usable key"):
            await client.verify(forged)

    asyncio.run(verify())
    requests: int = client.stats()["keys"]["requests"]
    return requests


@pytest.mark.parametrize("kind", KINDS)
def test_forged_tokens_cause_no_request_if_the_store_has_contains(
    kind: type[Any], broker: DevBroker
) -> None:
    class Without(Plain):
        contains = None  # type: ignore[assignment]

    class Lacking:
        def __init__(self) -> None:
            self.put = Plain().put
            self.take = Plain().take

    assert known_to(kind(), broker) == 1
    # Without `contains`, only the limit of one request in five seconds applies.
    assert known_to(Lacking(), broker) == 2
    with pytest.raises(ConfigError, match="contains"):
        Client(REDIRECT_URI, store=Without())


def test_a_value_that_is_no_store_is_refused() -> None:
    class Half:
        def put(self, nonce: str, record: str, ttl: float, /) -> None: ...

    for make in (Client, blocking.Client):
        for wrong in (Half(), Plain, 1, b"memory:", {"put": 1, "take": 1}):
            with pytest.raises(ConfigError) as caught:
                make(REDIRECT_URI, store=wrong)
            assert caught.value.code == "invalid_option"


@pytest.mark.parametrize("waits", [Plain, Waiting])
def test_a_login_is_stored_when_a_slow_broker_answers(
    waits: Callable[[], Any], broker: DevBroker
) -> None:
    client = Client(REDIRECT_URI, broker=broker.origin, store=waits())

    async def main() -> str:
        broker.hold(DISCOVERY)
        start = asyncio.create_task(client.authenticate("alice@example.com"))
        await asyncio.sleep(0)
        broker.release(DISCOVERY)
        return await client.verify(broker.mint(await start))

    assert asyncio.run(main()) == "alice@example.com"
