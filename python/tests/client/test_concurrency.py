"""Many concurrent logins."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from portier_client import Client, InvalidToken, SessionUsed, blocking
from portier_client.testing import DevBroker

from .conftest import REDIRECT_URI

DISCOVERY = "/.well-known/openid-configuration"


def test_200_cold_logins_make_one_discovery_and_one_keys_request() -> None:
    async def log_in() -> list[str]:
        urls = await asyncio.gather(*(client.authenticate(f"u{n}@example.com") for n in range(200)))
        return await asyncio.gather(*(client.verify(broker.mint(url)) for url in urls))

    with DevBroker() as broker:
        client = Client(REDIRECT_URI, broker=broker.origin)
        assert asyncio.run(log_in()) == [f"u{n}@example.com" for n in range(200)]
        assert broker.requests() == {DISCOVERY: 1, "/keys.json": 1}
        assert client.stats()["pending"] == 0


def test_exactly_one_of_64_concurrent_verify_calls_succeeds(broker: DevBroker) -> None:
    async def attack() -> list[str | BaseException]:
        client = Client(REDIRECT_URI, broker=broker.origin)
        token = broker.mint(await client.authenticate("alice@example.com"))
        calls = (client.verify(token) for _ in range(64))
        return await asyncio.gather(*calls, return_exceptions=True)

    outcomes = asyncio.run(attack())
    assert outcomes.count("alice@example.com") == 1
    assert sum(isinstance(outcome, SessionUsed) for outcome in outcomes) == 63


def test_exactly_one_of_64_threads_succeeds(broker: DevBroker) -> None:
    client = blocking.Client(REDIRECT_URI, broker=broker.origin)
    token = broker.mint(client.authenticate("alice@example.com"))
    together = threading.Barrier(64)

    def verify() -> bool:
        together.wait()
        try:
            return client.verify(token) == "alice@example.com"
        except SessionUsed:
            return False

    with ThreadPoolExecutor(64) as pool:
        outcomes = [future.result() for future in [pool.submit(verify) for _ in range(64)]]
    assert outcomes.count(True) == 1


@pytest.mark.asyncio
async def test_the_event_loop_runs_while_calls_wait(broker: DevBroker) -> None:
    client = Client(REDIRECT_URI, broker=broker.origin)
    broker.hold(DISCOVERY)
    waiting = [asyncio.create_task(client.warm()) for _ in range(50)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    broker.release(DISCOVERY)
    await asyncio.gather(*waiting)


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
def test_clients_share_their_threads(broker: DevBroker) -> None:
    async def use() -> None:
        clients = [Client(REDIRECT_URI, broker=broker.origin) for _ in range(20)]
        await asyncio.gather(*(client.warm() for client in clients))

    asyncio.run(use())
    asyncio.run(use())
    names = [path.read_text() for path in Path("/proc/self/task").glob("*/comm")]
    # One thread runs the pending calls, at most 16 look up names and read certificates, and one
    # completes calls that an event loop cannot complete.
    assert names.count("portier-client\n") <= 1 + 16
    assert names.count("portier-complet\n") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are counted in /proc")
def test_ten_thousand_clients_leave_no_threads_or_memory(
    broker: DevBroker, caplog: pytest.LogCaptureFixture
) -> None:
    # pytest keeps logged records in memory.
    caplog.set_level(logging.CRITICAL)

    async def use() -> None:
        await Client(REDIRECT_URI, broker=broker.origin).authenticate("alice@example.com")

    def go_through(clients: int) -> tuple[int, int, int]:
        for number in range(clients):
            Client(REDIRECT_URI, broker=broker.origin)
            if number % 100 == 0:
                asyncio.run(use())
        gc.collect()
        tasks, descriptors = (
            sum(1 for _ in Path(f"/proc/self/{kind}").iterdir()) for kind in ("task", "fd")
        )
        return tasks, descriptors, sys.getallocatedblocks()

    before = go_through(2000)
    after = go_through(8000)
    # At most 16 threads look up names and read certificates; they end when they are idle.
    # Connections of collected clients may still be closing.
    assert after[0] <= before[0] + 16
    assert after[1] <= before[1] + 16
    assert after[2] <= before[2] + 8000 // 4


def test_sixteen_threads_use_clients_concurrently(broker: DevBroker) -> None:
    """Without a global lock the threads run in parallel; with it they take short turns."""
    # With such short turns, a thread may wait for seconds.
    patient: dict[str, Any] = {"broker": broker.origin, "timeout": 60, "store_timeout": 60}
    shared = blocking.Client(REDIRECT_URI, **patient)
    waiting = Client(REDIRECT_URI, **patient, store=Dictionary())
    together = threading.Barrier(16)

    async def log_in() -> str:
        return await waiting.verify(broker.mint(await waiting.authenticate("alice@example.com")))

    def work(number: int) -> None:
        together.wait()
        for turn in range(10):
            assert shared.verify(broker.mint(shared.authenticate("a@example.com"))) is not None
            assert asyncio.run(log_in()) == "alice@example.com"
            assert shared.stats()["logins_started"] > turn
            assert repr(shared) != repr(waiting)
            with pytest.raises(InvalidToken):
                shared.verify("x")
            with blocking.Client(REDIRECT_URI, **patient, store=Dictionary()) as own:
                own.authenticate("alice@example.com")
            gc.collect(number % 3)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(work, range(16)))
    finally:
        sys.setswitchinterval(interval)
    assert shared.stats()["logins_completed"] == 160
    assert waiting.stats()["logins_completed"] == 160


class Dictionary(dict[str, str]):
    """A custom store in Python."""

    def put(self, nonce: str, record: str, ttl: float, /) -> None:
        self[nonce] = record

    def take(self, nonce: str, /) -> str | None:
        return self.pop(nonce, None)
