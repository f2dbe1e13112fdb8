"""Logins that are cancelled at every point at which they wait."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from portier_client import Client, InvalidSession

from .servers import redis_server
from .written import REDIRECT_URI, Plain, Waiting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from portier_client.testing import DevBroker

DISCOVERY = "/.well-known/openid-configuration"

pytestmark = pytest.mark.usefixtures("every_loop")


class Steps(Waiting):
    """Waits for several turns of the loop, before and after each operation."""

    async def put(self, nonce: str, record: str, ttl: float, /) -> None:
        await self.turn()
        await super().put(nonce, record, ttl)
        await self.turn()

    async def take(self, nonce: str, /) -> str | None:
        await self.turn()
        record = await super().take(nonce)
        await self.turn()
        return record

    async def turn(self) -> None:
        for _ in range(3):
            await asyncio.sleep(0)


@pytest.fixture(params=["memory", "sqlite", "redis", "plain", "waiting"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """Every kind of store."""
    match request.param:
        case "memory":
            yield "memory:"
        case "sqlite":
            tmp_path.chmod(0o700)
            yield f"sqlite:///{tmp_path}/logins.db"
        case "redis":
            with redis_server() as socket:
                yield f"redis+unix://{socket}"
        case "plain":
            yield Plain()
        case _:
            yield Steps()


def test_a_login_cancelled_at_any_point_completes_at_most_once(
    store: Any, broker: DevBroker
) -> None:
    async def main() -> tuple[set[str], set[str]]:
        after_cancelling, after_winning = set(), set()
        client = Client(REDIRECT_URI, broker=broker.origin, store=store)
        # Until the login ends before its cancellation.
        for turns in moments():
            token = broker.mint(await client.authenticate("alice@example.com"))
            login = asyncio.ensure_future(client.verify(token))
            for _ in range(turns):
                await asyncio.sleep(0)
            login.cancel()
            await asyncio.wait([login])
            # The client, its store and its connections work as before.
            if login.cancelled():
                after_cancelling.add(await outcome(client, token))
            else:
                assert login.result() == "alice@example.com"
                after_winning.add(await outcome(client, token))
                return after_cancelling, after_winning
        raise AssertionError

    after_cancelling, after_winning = asyncio.run(main())
    # The nonce may be used up, but no caller got a success.
    assert after_cancelling <= {"success", "refused"}
    assert "success" in after_cancelling
    if isinstance(store, Steps):
        assert "refused" in after_cancelling
    assert after_winning == {"refused"}


def moments() -> Iterator[int]:
    """Numbers of turns of a loop: first every number, later with growing distances."""
    turns = 0
    while True:
        yield turns
        turns += 1 + turns // 4


async def outcome(client: Client, token: str) -> str:
    try:
        await client.verify(token)
    except InvalidSession as error:
        assert error.code in {"session_used", "session_unknown"}  # noqa: PT017
        return "refused"
    return "success"


@pytest.mark.parametrize("cold", [False, True], ids=["warm", "cold"])
def test_a_start_cancelled_at_any_point_leaves_at_most_one_record(
    cold: bool, broker: DevBroker
) -> None:
    async def main() -> list[int]:
        stores = []
        for turns in moments():
            stores.append(Steps())
            client = Client(REDIRECT_URI, broker=broker.origin, store=stores[-1])
            if not cold:
                await client.warm()
            start = asyncio.ensure_future(client.authenticate("alice@example.com"))
            for _ in range(turns):
                await asyncio.sleep(0)
            start.cancel()
            await asyncio.wait([start])
            if not start.cancelled():
                break
        # A pending store call is cancelled soon after its login.
        await asyncio.gather(
            *(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True
        )
        return [len(store.plain.records) for store in stores]

    counts = asyncio.run(main())
    assert counts[0] == 0
    assert set(counts) <= {0, 1}
    assert counts[-1] == 1


def test_a_store_is_not_called_for_a_call_that_was_cancelled_before(broker: DevBroker) -> None:
    class Called(Plain):
        calls = 0

        def put(self, nonce: str, record: str, ttl: float, /) -> None:
            self.calls += 1
            super().put(nonce, record, ttl)

    async def main() -> None:
        client = Client(REDIRECT_URI, broker=broker.origin, store=store)
        broker.hold(DISCOVERY)
        start = asyncio.create_task(client.authenticate("alice@example.com"))
        await asyncio.sleep(0.01)
        broker.release(DISCOVERY)
        # Blocks the loop while the call asks it to call the store.
        time.sleep(0.3)  # noqa: ASYNC251
        start.cancel()
        with pytest.raises(asyncio.CancelledError):
            await start
        for _ in range(10):
            await asyncio.sleep(0)

    store = Called()
    asyncio.run(main())
    assert store.calls == 0
