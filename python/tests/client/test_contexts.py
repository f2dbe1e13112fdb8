"""Each call keeps its own `contextvars`, as tracing and request ids need."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from portier_client import Client, InvalidToken, PortierError, blocking
from portier_client.testing import flush_events

from .conftest import REDIRECT_URI

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portier_client.testing import DevBroker

REQUEST: contextvars.ContextVar[str] = contextvars.ContextVar("request", default="nobody's")
MANY = 8


class Watching:
    """A store that records the request of each call of its methods."""

    def __init__(self, *, waits: bool) -> None:
        self.waits = waits
        self.seen: list[tuple[str, str]] = []
        self._records: dict[str, str] = {}

    def put(self, nonce: str, record: str, ttl: float, /) -> Any:
        assert ttl > 0
        return self._do("put", lambda: self._records.update({nonce: record}))

    def take(self, nonce: str, /) -> Any:
        return self._do("take", lambda: self._records.pop(nonce, None))

    def contains(self, nonce: str, /) -> Any:
        return self._do("contains", lambda: nonce in self._records)

    def _do(self, method: str, answer: Any) -> Any:
        self.seen.append((method, REQUEST.get()))
        return self._later(method, answer) if self.waits else answer()

    async def _later(self, method: str, answer: Any) -> Any:
        self.seen.append((method, REQUEST.get()))
        await asyncio.sleep(0.001)
        # What a method sets affects only the method.
        self.seen.append((method, REQUEST.get()))
        REQUEST.set("the store's")
        return answer()


class Records(logging.Handler):
    """Records the request of each log record, as a handler and as a filter."""

    def __init__(self) -> None:
        super().__init__(1)
        self.seen: list[tuple[str, str]] = []
        self.filtered: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append((record.__dict__["event"], REQUEST.get()))

    def note(self, record: logging.LogRecord) -> bool:
        self.filtered.append((record.__dict__["event"], REQUEST.get()))
        return True


@pytest.fixture
def records() -> Iterator[Records]:
    logger = logging.getLogger("portier_client")
    handler = Records()
    level = logger.level
    logger.setLevel(1)
    logger.addHandler(handler)
    logger.addFilter(handler.note)
    yield handler
    logger.removeFilter(handler.note)
    logger.removeHandler(handler)
    logger.setLevel(level)


async def log_in(client: Client, broker: DevBroker, name: str) -> str:
    REQUEST.set(name)
    url = await client.authenticate(f"{name}@example.com")
    assert REQUEST.get() == name
    with pytest.raises(InvalidToken):
        await client.verify(broker.mint(url, key="stranger"))
    email = await client.verify(broker.mint(url))
    assert REQUEST.get() == name
    return email


@pytest.mark.parametrize("waits", [True, False])
def test_a_store_runs_in_the_context_of_each_call(broker: DevBroker, waits: bool) -> None:
    store = Watching(waits=waits)
    names = [f"request{number}" for number in range(MANY)]

    async def go() -> list[str]:
        REQUEST.set("the client's")
        client = Client(REDIRECT_URI, broker=broker.origin, store=store)
        return await asyncio.gather(*(log_in(client, broker, name) for name in names))

    assert asyncio.run(go()) == [f"{name}@example.com" for name in names]
    seen = {name: [method for method, whose in store.seen if whose == name] for name in names}
    for name in names:
        assert set(seen[name]) == {"put", "take", "contains"}
        assert seen[name].count("take") == (3 if waits else 1)
    assert {whose for _, whose in store.seen} == set(names)


@pytest.mark.parametrize("waits", [True, False])
def test_log_handlers_run_in_the_context_of_each_call(
    broker: DevBroker, records: Records, waits: bool
) -> None:
    store = Watching(waits=waits)
    names = [f"request{number}" for number in range(MANY)]

    async def go() -> None:
        client = Client(REDIRECT_URI, broker=broker.origin, store=store)
        await asyncio.gather(*(log_in(client, broker, name) for name in names))

    asyncio.run(go())
    flush_events()
    for event in ("login started", "login refused", "login completed"):
        whose = sorted(name for found, name in records.seen if found == event)
        assert whose == names, event
    # Other threads log as well, so the order may differ.
    assert sorted(records.filtered) == sorted(records.seen)


def test_a_blocking_store_and_log_handlers_run_in_the_context_of_each_thread(
    broker: DevBroker, records: Records
) -> None:
    store = Watching(waits=False)
    client = blocking.Client(REDIRECT_URI, broker=broker.origin, store=store)
    barrier = threading.Barrier(MANY)

    def log_in_blocking(name: str) -> None:
        REQUEST.set(name)
        barrier.wait(30)
        url = client.authenticate(f"{name}@example.com")
        with pytest.raises(PortierError):
            client.verify(broker.mint(url, key="stranger"))
        client.verify(broker.mint(url))

    names = [f"request{number}" for number in range(MANY)]
    with ThreadPoolExecutor(MANY) as threads:
        list(threads.map(log_in_blocking, names))
    flush_events()
    assert {whose for _, whose in store.seen} == set(names)
    for event in ("login started", "login refused", "login completed"):
        assert sorted(name for found, name in records.seen if found == event) == names, event


def test_a_built_in_store_logs_in_the_context_of_the_call(
    broker: DevBroker, records: Records, tmp_path: Any
) -> None:
    """Such a store answers from its own thread."""
    names = [f"request{number}" for number in range(MANY)]

    async def go() -> None:
        store = f"sqlite:///{tmp_path / 'logins.db'}"
        client = Client(REDIRECT_URI, broker=broker.origin, store=store)
        await asyncio.gather(*(log_in(client, broker, name) for name in names))

    asyncio.run(go())
    flush_events()
    for event in ("login started", "login completed"):
        assert sorted(name for found, name in records.seen if found == event) == names, event
