"""Event loops of all kinds, and what happens when they end."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from portier_client import Client

from .conftest import REDIRECT_URI

if TYPE_CHECKING:
    from portier_client.testing import DevBroker

DISCOVERY = "/.well-known/openid-configuration"


async def log_in(client: Client, broker: DevBroker) -> str:
    return await client.verify(broker.mint(await client.authenticate("alice@example.com")))


def test_one_client_serves_one_loop_after_another(client: Client, broker: DevBroker) -> None:
    for _ in range(5):
        assert asyncio.run(log_in(client, broker)) == "alice@example.com"


def test_one_client_serves_loops_in_several_threads(client: Client, broker: DevBroker) -> None:
    together = threading.Barrier(8)
    outcomes = []

    def run() -> None:
        together.wait()
        outcomes.extend(asyncio.run(many()))

    async def many() -> list[str]:
        return await asyncio.gather(*(log_in(client, broker) for _ in range(10)))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == ["alice@example.com"] * 80


@pytest.mark.skipif(sys.platform == "win32", reason="there is no uvloop for Windows")
def test_uvloop(client: Client, broker: DevBroker) -> None:
    import uvloop

    async def many() -> list[str]:
        return await asyncio.gather(*(log_in(client, broker) for _ in range(50)))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(many()) == ["alice@example.com"] * 50
        broker.hold(DISCOVERY)
        waiting = Client(REDIRECT_URI, broker=broker.origin).warm()
        with pytest.raises(TimeoutError):
            runner.run(asyncio.wait_for(waiting, 0.05))
        broker.release(DISCOVERY)


def test_an_answer_for_a_closed_loop_is_dropped_silently(
    client: Client, broker: DevBroker, capfd: pytest.CaptureFixture[str]
) -> None:
    broker.hold(DISCOVERY)
    loop = asyncio.new_event_loop()
    waiting = loop.create_task(client.warm())
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    broker.release(DISCOVERY)
    # The next answer comes through the same thread, after the one nobody gets.
    asyncio.run(client.warm())
    assert not waiting.done()
    # A task that is destroyed while it is pending complains, unless it is told not to.
    waiting._log_destroy_pending = False  # type: ignore[attr-defined]
    del waiting
    gc.collect()
    assert capfd.readouterr() == ("", "")


def test_without_a_loop_what_waits_says_so(client: Client) -> None:
    waiting = client.warm()
    with pytest.raises(RuntimeError, match="no running event loop"):
        waiting.send(None)
