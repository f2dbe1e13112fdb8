"""Many logins at once."""

from __future__ import annotations

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from portier_client import Client, SessionUsed, blocking
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


def test_of_64_parallel_verifies_exactly_one_succeeds(broker: DevBroker) -> None:
    async def attack() -> list[str | BaseException]:
        client = Client(REDIRECT_URI, broker=broker.origin)
        token = broker.mint(await client.authenticate("alice@example.com"))
        calls = (client.verify(token) for _ in range(64))
        return await asyncio.gather(*calls, return_exceptions=True)

    outcomes = asyncio.run(attack())
    assert outcomes.count("alice@example.com") == 1
    assert sum(isinstance(outcome, SessionUsed) for outcome in outcomes) == 63


def test_of_64_threads_exactly_one_succeeds(broker: DevBroker) -> None:
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
async def test_the_loop_runs_while_calls_wait(broker: DevBroker) -> None:
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
    # Two that run what is pending, one that brings the answers, and at most 16 that look up names
    # and read certificates.
    assert names.count("portier-client\n") <= 2 + 16
    assert names.count("portier-complet\n") == 1
