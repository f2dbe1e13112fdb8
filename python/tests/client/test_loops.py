"""Event loops of all kinds, and what happens when they end."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import sys
import threading
import time
import weakref
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest
import trio

from portier_client import BrokerUnavailable, Client, blocking

from .conftest import REDIRECT_URI

if TYPE_CHECKING:
    from collections.abc import Callable

    from portier_client.testing import DevBroker

DISCOVERY = "/.well-known/openid-configuration"

pytestmark = pytest.mark.usefixtures("every_loop")


async def log_in(client: Client, broker: DevBroker) -> str:
    return await client.verify(broker.mint(await client.authenticate("alice@example.com")))


def test_one_client_serves_one_loop_after_another(client: Client, broker: DevBroker) -> None:
    for _ in range(5):
        assert asyncio.run(log_in(client, broker)) == "alice@example.com"


def test_a_fetch_outlives_the_loop_that_started_it(client: Client, broker: DevBroker) -> None:
    broker.hold(DISCOVERY)
    before = broker.requests().get(DISCOVERY, 0)
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(client.warm(), 0.05))
    broker.release(DISCOVERY)
    asyncio.run(client.warm())
    assert broker.requests()[DISCOVERY] == before + 1


@pytest.mark.parametrize("cold", [False, True], ids=["warm", "cold"])
def test_one_client_serves_loops_in_several_threads(
    cold: bool, client: Client, broker: DevBroker
) -> None:
    together = threading.Barrier(8)
    outcomes = []

    def run() -> None:
        together.wait()
        # In debug mode, loops refuse calls from another thread.
        outcomes.extend(asyncio.run(many(), debug=True))

    async def many() -> list[str]:
        return await asyncio.gather(*(log_in(client, broker) for _ in range(10)))

    if not cold:
        asyncio.run(client.warm())
    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == ["alice@example.com"] * 80


def test_a_call_resumes_in_its_own_context(client: Client, broker: DevBroker) -> None:
    number = contextvars.ContextVar[int]("number")

    async def call(own: int) -> bool:
        number.set(own)
        await client.warm()
        return number.get() == own

    async def many() -> list[bool]:
        broker.hold(DISCOVERY)
        calls = [asyncio.ensure_future(call(own)) for own in range(10)]
        await asyncio.sleep(0)
        broker.release(DISCOVERY)
        return await asyncio.gather(*calls)

    assert all(asyncio.run(many()))


def test_many_logins_complete_concurrently(client: Client, broker: DevBroker) -> None:
    async def many() -> list[str]:
        return await asyncio.gather(*(log_in(client, broker) for _ in range(50)))

    assert asyncio.run(many()) == ["alice@example.com"] * 50


def test_a_thousand_calls_are_answered_at_the_same_time(client: Client, broker: DevBroker) -> None:
    async def many() -> list[None]:
        broker.hold(DISCOVERY)
        calls = asyncio.gather(*(client.warm() for _ in range(1000)))
        await asyncio.sleep(0)
        broker.release(DISCOVERY)
        return await calls

    assert asyncio.run(many()) == [None] * 1000


def test_a_loop_does_not_keep_the_context_of_its_first_caller(
    every_loop: Callable[[], asyncio.AbstractEventLoop], client: Client
) -> None:
    class Request:
        """An object that a site keeps during one request."""

    async def answer() -> weakref.ref[Request]:
        asked = Request()
        variable.set(asked)
        await client.warm()
        return weakref.ref(asked)

    variable = contextvars.ContextVar[Request]("variable")
    loop = every_loop()
    try:
        asked = loop.run_until_complete(answer())
        # A thread of the library may still hold the call for a moment.
        deadline = time.monotonic() + 10
        while asked() is not None and time.monotonic() < deadline:
            loop.run_until_complete(asyncio.sleep(0.01))
            gc.collect()
        assert asked() is None
    finally:
        loop.close()


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are counted in /proc")
def test_closed_loops_leave_no_descriptors(broker: DevBroker, tmp_path: Path) -> None:
    # A store that always has to wait, with a file that stays open.
    client = Client(REDIRECT_URI, broker=broker.origin, store=f"sqlite:///{tmp_path}/logins.db")
    counts = []
    for _ in range(20):
        asyncio.run(log_in(client, broker))
        gc.collect()
        counts.append(len(list(Path("/proc/self/fd").iterdir())))
    # The store closes its file after some time. A descriptor left by each loop would add ten.
    assert min(counts[10:]) < min(counts[:10]) + 10


# Of many calls in one turn of the loop, the last ones start after the turn.
@pytest.mark.parametrize("calls", [1, 100])
@pytest.mark.parametrize("answer", ["success", "error"])
def test_an_answer_for_a_closed_loop_is_dropped_silently(
    *,
    calls: int,
    answer: str,
    client: Client,
    broker: DevBroker,
    every_loop: Callable[[], asyncio.AbstractEventLoop],
    capfd: pytest.CaptureFixture[str],
) -> None:
    broker.hold(DISCOVERY)
    loop = every_loop()
    waiting = [loop.create_task(client.warm()) for _ in range(calls)]
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    if answer == "error":
        broker.fail_next(DISCOVERY, status=404)
    broker.release(DISCOVERY)
    # The next answer comes through the same thread, after the lost one.
    with suppress(BrokerUnavailable):
        asyncio.run(client.warm())
    asyncio.run(Client(REDIRECT_URI, broker=broker.origin).warm())
    assert not any(task.done() for task in waiting)
    # A pending task that is destroyed prints a warning, unless that is turned off.
    for task in waiting:
        task._log_destroy_pending = False  # type: ignore[attr-defined]
    del task, waiting
    gc.collect()
    assert capfd.readouterr() == ("", "")


def test_loops_may_be_closed_while_answers_arrive(
    broker: DevBroker,
    every_loop: Callable[[], asyncio.AbstractEventLoop],
    capfd: pytest.CaptureFixture[str],
) -> None:
    def abandon() -> None:
        for turns in range(1, 25):
            client = Client(REDIRECT_URI, broker=broker.origin)
            loop = every_loop()
            tasks = [loop.create_task(client.warm()) for _ in range(10)]
            for _ in range(turns):
                loop.run_until_complete(asyncio.sleep(0))
            loop.close()
            for task in tasks:
                task._log_destroy_pending = False  # type: ignore[attr-defined]

    threads = [threading.Thread(target=abandon) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asyncio.run(Client(REDIRECT_URI, broker=broker.origin).warm())
    gc.collect()
    assert capfd.readouterr() == ("", "")


def test_without_an_event_loop_the_error_says_so(client: Client, broker: DevBroker) -> None:
    # A call that does not have to wait needs no loop.
    broker.hold(DISCOVERY)
    waiting = client.warm()
    with pytest.raises(RuntimeError, match="no event loop of asyncio runs in this thread") as error:
        waiting.send(None)
    broker.release(DISCOVERY)
    assert isinstance(error.value.__cause__, RuntimeError)


def test_under_trio_the_error_names_the_blocking_client(broker: DevBroker) -> None:
    client = Client(REDIRECT_URI, broker=broker.origin)
    twin = blocking.Client(REDIRECT_URI, broker=broker.origin)

    async def main() -> str:
        broker.hold(DISCOVERY)
        with pytest.raises(RuntimeError, match=r"under trio, use portier_client\.blocking"):
            await client.authenticate("alice@example.com")
        broker.release(DISCOVERY)
        url = await trio.to_thread.run_sync(twin.authenticate, "alice@example.com")
        return await trio.to_thread.run_sync(twin.verify, broker.mint(url))

    assert trio.run(main) == "alice@example.com"


def test_a_client_works_with_anyio_on_asyncio(client: Client, broker: DevBroker) -> None:
    async def main() -> str:
        broker.hold(DISCOVERY)
        with anyio.move_on_after(0.05) as scope:
            await client.warm()
        assert scope.cancelled_caught
        broker.release(DISCOVERY)
        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(client.warm)
        return await log_in(client, broker)

    assert anyio.run(main, backend="asyncio") == "alice@example.com"
