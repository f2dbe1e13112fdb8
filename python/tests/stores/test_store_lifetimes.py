"""Cancelled calls, ending loops, and the lifetime of a store."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from portier_client import Client, StoreError, blocking

from .written import DISCOVERY, REDIRECT_URI, Faulty, Plain, Waiting, use

if TYPE_CHECKING:
    from collections.abc import Callable

    from portier_client.testing import DevBroker

pytestmark = pytest.mark.usefixtures("every_loop")

cold = pytest.mark.parametrize("cold", [False, True], ids=["warm", "cold"])


@pytest.mark.parametrize("kind", [Plain, Waiting])
def test_a_closed_loop_with_pending_calls_leaves_nothing_behind(
    kind: type[Any], broker: DevBroker, every_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """Nothing hangs, warns, or stays in memory."""
    store = kind()
    client = Client(REDIRECT_URI, broker=broker.origin, store=store)
    loop = every_loop()
    broker.hold(DISCOVERY)
    waiting = loop.create_task(client.authenticate("alice@example.com"))
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    broker.release(DISCOVERY)
    # The store is called through the same thread, after the lost call.
    asyncio.run(use(store, broker))
    assert not waiting.done()
    waiting._log_destroy_pending = False  # type: ignore[attr-defined]
    del waiting


class Slow(Waiting):
    """Waits before it takes."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def take(self, nonce: str, /) -> str | None:
        self.asked.set()
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return self.plain.take(nonce)


@cold
def test_cancelling_a_login_cancels_the_store_before_the_take(
    cold: bool, broker: DevBroker
) -> None:
    async def main() -> None:
        store = Slow()
        client = Client(REDIRECT_URI, broker=broker.origin, store=store)
        token = broker.mint(await client.authenticate("alice@example.com"))
        if cold:
            client = Client(REDIRECT_URI, broker=broker.origin, store=store)
        else:
            await client.warm()
        login = asyncio.create_task(client.verify(token))
        await store.asked.wait()
        login.cancel()
        with pytest.raises(asyncio.CancelledError):
            await login
        await store.cancelled.wait()
        # Nothing was consumed: the login can still be completed.
        assert len(store.plain.records) == 1
        twin = Client(REDIRECT_URI, broker=broker.origin, store=store.plain)
        assert await twin.verify(token) == "alice@example.com"

    asyncio.run(main())


@pytest.mark.parametrize("kind", [Plain, Waiting])
def test_a_client_and_its_store_are_collected_together(kind: type[Any], broker: DevBroker) -> None:
    class Mine(kind):  # type: ignore[misc]
        client: Client | None = None

    store = Mine()
    store.client = client = Client(REDIRECT_URI, broker=broker.origin, store=store)

    url = asyncio.run(client.authenticate("alice@example.com"))
    asyncio.run(client.verify(broker.mint(url)))
    gone = weakref.ref(store)
    del store, client
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("waits", [False, True], ids=["plain", "waiting"])
def test_an_exception_of_a_store_is_not_kept_alive(waits: bool, broker: DevBroker) -> None:
    class Mine(Exception):
        pass

    def raised() -> weakref.ref[BaseException]:
        with pytest.raises(StoreError) as caught:
            asyncio.run(use(Faulty("take", Mine(), waits=waits), broker, cold=True))
        assert caught.value.__cause__ is not None
        return weakref.ref(caught.value.__cause__)

    gone = raised()
    gc.collect()
    assert gone() is None


def test_a_store_last_used_by_the_runtime_is_released(
    broker: DevBroker,
) -> None:
    async def main() -> list[weakref.ref[Any]]:
        released = []
        for _ in range(20):
            store = Waiting()
            released.append(weakref.ref(store))
            client = Client(REDIRECT_URI, broker=broker.origin, store=store)
            start = asyncio.create_task(client.authenticate("alice@example.com"))
            await asyncio.sleep(0)
            start.cancel()
            del client, store
            with pytest.raises(asyncio.CancelledError):
                await start
        return released

    released = asyncio.run(main())
    deadline = time.monotonic() + 30
    while any(store() is not None for store in released):
        assert time.monotonic() < deadline
        gc.collect()


def test_ctrl_c_interrupts_a_store_of_a_blocking_client(broker: DevBroker) -> None:
    class Stuck(Plain):
        def put(self, nonce: str, record: str, ttl: float, /) -> None:
            signal.raise_signal(signal.SIGINT)
            threading.Event().wait(30)

    for client_is_cold in (True, False):
        client = blocking.Client(REDIRECT_URI, broker=broker.origin, store=Stuck())
        if not client_is_cold:
            client.warm()
        with pytest.raises(KeyboardInterrupt):
            client.authenticate("alice@example.com")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("kind", [Plain, Waiting])
def test_a_forked_child_uses_the_store_of_its_parent(kind: type[Any], broker: DevBroker) -> None:
    client = Client(REDIRECT_URI, broker=broker.origin, store=kind())
    token = broker.mint(asyncio.run(client.authenticate("alice@example.com")))
    child = os.fork()
    if child == 0:
        status = 1
        try:
            # The child has a copy of the store's content.
            assert asyncio.run(client.verify(token)) == "alice@example.com"
            assert client.stats()["keys"]["requests"] == 1
            asyncio.run(use(kind(), broker, cold=True))
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert asyncio.run(client.verify(token)) == "alice@example.com"
