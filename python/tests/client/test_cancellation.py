"""Cancelled calls."""

from __future__ import annotations

import asyncio
import gc

import pytest

from portier_client import Client
from portier_client.testing import DevBroker

from .conftest import REDIRECT_URI

DISCOVERY = "/.well-known/openid-configuration"

pytestmark = pytest.mark.asyncio


async def test_wait_for_stops_a_call_at_its_timeout(client: Client, broker: DevBroker) -> None:
    broker.hold(DISCOVERY)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.warm(), 0.05)
    broker.release(DISCOVERY)
    await client.warm()


# Of many calls in one turn of the loop, most start after the turn.
@pytest.mark.parametrize("count", [10, 200])
@pytest.mark.parametrize("turns", [1, 2], ids=["before they start", "after they start"])
async def test_a_cancelled_call_cancels_no_other(
    count: int, turns: int, client: Client, broker: DevBroker
) -> None:
    before = broker.requests().get(DISCOVERY, 0)
    broker.hold(DISCOVERY)
    tasks = [asyncio.create_task(client.warm()) for _ in range(count)]
    for _ in range(turns):
        await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    outcomes = asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)
    broker.release(DISCOVERY)
    results = await outcomes
    cancelled_and_not = [asyncio.CancelledError, type(None)]
    assert [type(result) for result in results] == cancelled_and_not * (count // 2)
    assert broker.requests()[DISCOVERY] == before + 1


async def test_a_failing_task_cancels_calls_of_its_task_group(
    client: Client, broker: DevBroker
) -> None:
    async def fail() -> None:
        raise LookupError

    broker.hold(DISCOVERY)

    async def work() -> None:
        async with asyncio.TaskGroup() as group:
            tasks.append(group.create_task(client.warm()))
            group.create_task(fail())

    tasks: list[asyncio.Task[None]] = []
    with pytest.raises(ExceptionGroup) as caught:
        await work()
    assert tasks[0].cancelled()
    assert [type(error) for error in caught.value.exceptions] == [LookupError]
    broker.release(DISCOVERY)
    await client.warm()


async def test_an_answer_after_the_cancellation_is_dropped(
    client: Client, broker: DevBroker
) -> None:
    broker.hold(DISCOVERY)
    for _ in range(100):
        task = asyncio.create_task(client.warm())
        await asyncio.sleep(0)
        task.cancel()
    broker.release(DISCOVERY)
    await client.warm()
    gc.collect()


@pytest.mark.parametrize("operation", ["authenticate", "verify", "complete"])
async def test_a_login_cancelled_during_a_fetch_has_no_effect(
    operation: str, client: Client, broker: DevBroker
) -> None:
    token = broker.mint(await client.authenticate("alice@example.com"))
    # The keys are not in the cache yet.
    calls = {
        "authenticate": lambda cold: cold.authenticate("bob@example.com"),
        "verify": lambda _: client.verify(token),
        "complete": lambda _: client.complete({"id_token": token}),
    }
    cold = Client(REDIRECT_URI, broker=broker.origin)
    path = DISCOVERY if operation == "authenticate" else "/keys.json"
    broker.hold(path)
    login = asyncio.ensure_future(calls[operation](cold))
    await asyncio.wait([login], timeout=0.02)
    login.cancel("given up")
    with pytest.raises(asyncio.CancelledError, match="given up"):
        await login
    broker.release(path)
    await cold.warm()
    assert cold.stats()["pending"] == 0
    assert await client.verify(token) == "alice@example.com"


async def test_asyncio_timeout_stops_a_call(client: Client, broker: DevBroker) -> None:
    broker.hold(DISCOVERY)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await client.authenticate("alice@example.com")
    broker.release(DISCOVERY)
    assert client.stats()["pending"] == 0


async def test_a_call_that_is_not_awaited_does_nothing() -> None:
    with DevBroker() as broker:
        Client(REDIRECT_URI, broker=broker.origin).warm().close()
        assert broker.requests() == {}
