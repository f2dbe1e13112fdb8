"""Faulty stores in Python."""

from __future__ import annotations

import asyncio
import gc
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from portier_client import Client, StoreError, blocking

from .written import REDIRECT_URI, Faulty, Plain, Waiting, use

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from portier_client.testing import DevBroker

METHODS = ["put", "take", "contains"]


def refusal(store: object, broker: DevBroker, *, cold: bool) -> StoreError:
    with pytest.raises(StoreError) as caught:
        asyncio.run(use(store, broker, cold=cold))
    assert caught.value.retryable
    return caught.value


cold = pytest.mark.parametrize("cold", [False, True], ids=["warm", "cold"])
waits = pytest.mark.parametrize("waits", [False, True], ids=["plain", "waiting"])
method = pytest.mark.parametrize("method", METHODS)


@cold
@waits
@method
def test_an_exception_is_the_cause_of_a_store_error(
    method: str, waits: bool, cold: bool, broker: DevBroker
) -> None:
    original = RuntimeError("the secret of the store")
    error = refusal(Faulty(method, original, waits=waits), broker, cold=cold)
    assert error.code == "store_failed"
    assert error.__cause__ is original
    assert original.__traceback__ is not None
    assert str(error) == f"the store raised an exception method={method} type=RuntimeError"


@cold
@waits
@method
def test_a_store_error_is_passed_on_unchanged(
    method: str, waits: bool, cold: bool, broker: DevBroker
) -> None:
    class Mine(StoreError):
        pass

    original = Mine("no room", code="store_full")
    assert refusal(Faulty(method, original, waits=waits), broker, cold=cold) is original


WRONG = {
    "put": [True, False, 0, "", b"", "a coroutine"],
    "take": [True, False, 0, 1, b"secret", ["secret"], ("secret",), "a coroutine"],
    "contains": [None, 0, 1, "secret", b"", [], "a coroutine"],
}


@cold
@waits
@pytest.mark.parametrize(
    ("method", "wrong"), [(method, wrong) for method in METHODS for wrong in WRONG[method]]
)
def test_a_result_of_a_wrong_type_is_refused_and_not_shown(
    method: str, wrong: object, waits: bool, cold: bool, broker: DevBroker
) -> None:
    async def secret() -> str:
        return "secret"

    # Also a coroutine that was not awaited; it must cause no warning.
    def forgotten() -> object:
        return secret() if waits else Resulting(secret)

    instead = forgotten if wrong == "a coroutine" else wrong
    error = refusal(Faulty(method, instead, waits=waits), broker, cold=cold)
    gc.collect()
    assert error.code == "store_failed"
    kind = "coroutine" if wrong == "a coroutine" else type(wrong).__name__
    assert str(error).endswith(f" method={method} type={kind}")
    assert "secret" not in str(error)
    assert error.__cause__ is None


class Resulting:
    """An awaitable that is no coroutine."""

    def __init__(self, result: Callable[[], object]) -> None:
        self.result = result

    def __await__(self) -> Generator[None, None, object]:
        yield
        return self.result()


@cold
@waits
def test_a_record_that_is_no_text_is_refused(waits: bool, cold: bool, broker: DevBroker) -> None:
    error = refusal(Faulty("take", "secret\udc00", waits=waits), broker, cold=cold)
    assert str(error) == "the store returned a str with a lone surrogate method=take"
    assert (error.code, error.__cause__) == ("store_failed", None)
    error = refusal(Faulty("take", "secret", waits=waits), broker, cold=cold)
    assert str(error) == "session record cannot be read"


def test_a_record_may_be_a_subclass_of_str(broker: DevBroker) -> None:
    class Text(str):
        __slots__ = ()

    class Store(Plain):
        def take(self, nonce: str, /) -> str | None:
            record = super().take(nonce)
            return None if record is None else Text(record)

    asyncio.run(use(Store(), broker))


def test_a_store_that_never_answers_fails_after_five_seconds(
    broker: DevBroker,
) -> None:
    cancelled: asyncio.Queue[None] = asyncio.Queue()

    async def never() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            cancelled.put_nowait(None)
            raise

    async def wait(method: str, cold: bool) -> tuple[str, str]:
        store = Waiting()
        setattr(store, method, lambda *_: never())
        with pytest.raises(StoreError) as caught:
            await use(store, broker, cold=cold)
        return caught.value.code, str(caught.value)

    async def main() -> list[tuple[str, str]]:
        started = time.monotonic()
        # All at the same time, so that the test takes as long as one of them.
        answers = await asyncio.gather(*(wait(m, cold) for m in METHODS for cold in (False, True)))
        assert 5 <= time.monotonic() - started < 30
        # The coroutines end too.
        for _ in answers:
            await cancelled.get()
        return answers

    assert asyncio.run(main()) == [
        ("store_unavailable", f"the store did not answer in time method={method} limit=5s")
        for method in METHODS
        for _ in range(2)
    ]


def test_store_timeout_sets_how_long_a_store_may_take(broker: DevBroker) -> None:
    class Slow(Waiting):
        async def put(self, nonce: str, record: str, ttl: float, /) -> None:
            await asyncio.sleep(5.5)
            await super().put(nonce, record, ttl)

    async def main() -> tuple[str, str]:
        patient = asyncio.create_task(use(Slow(), broker, store_timeout=20))
        started = time.monotonic()
        with pytest.raises(StoreError) as caught:
            await use(Slow(), broker, store_timeout=timedelta(milliseconds=250))
        assert time.monotonic() - started < 5
        await patient
        return caught.value.code, str(caught.value)

    assert asyncio.run(main()) == (
        "store_unavailable",
        "the store did not answer in time method=put limit=0.25s",
    )


@waits
def test_a_record_longer_than_the_limit_is_refused(waits: bool, broker: DevBroker) -> None:
    for text in ("s" * 100_000_000, "\N{EURO SIGN}" * 70_000):
        error = refusal(Faulty("take", text, waits=waits), broker, cold=False)
        assert error.code == "store_failed"
        fact = "the store returned a longer str than any record method=take limit=65536"
        assert str(error) == fact


@cold
@waits
def test_keyboard_interrupt_and_system_exit_are_passed_on(
    waits: bool, cold: bool, broker: DevBroker
) -> None:
    for kind in (KeyboardInterrupt, SystemExit):
        original = kind("now")
        with pytest.raises(kind) as caught:
            asyncio.run(use(Faulty("take", original, waits=waits), broker, cold=cold))
        assert caught.value is original


@cold
def test_keyboard_interrupt_ends_a_blocking_call(cold: bool, broker: DevBroker) -> None:
    client = blocking.Client(
        REDIRECT_URI,
        broker=broker.origin,
        store=Faulty("put", KeyboardInterrupt(), waits=False),  # type: ignore[arg-type]
    )
    if not cold:
        client.warm()
    with pytest.raises(KeyboardInterrupt):
        client.authenticate("alice@example.com")


@cold
@waits
def test_a_cancellation_by_the_store_is_a_store_error(
    waits: bool, cold: bool, broker: DevBroker
) -> None:
    error = refusal(Faulty("take", asyncio.CancelledError(), waits=waits), broker, cold=cold)
    assert error.code == "store_failed"
    assert isinstance(error.__cause__, asyncio.CancelledError)


@cold
def test_an_awaitable_of_another_loop_is_a_store_error(cold: bool, broker: DevBroker) -> None:
    other = asyncio.new_event_loop()
    future = other.create_future()
    error = refusal(Faulty("take", lambda: future, waits=False), broker, cold=cold)
    assert (error.code, type(error.__cause__)) == ("store_failed", ValueError)
    other.close()


def test_a_connection_of_a_closed_loop_is_a_store_error(broker: DevBroker) -> None:
    class Connected(Waiting):
        def __init__(self) -> None:
            super().__init__()
            self.loop: asyncio.AbstractEventLoop | None = None

        async def put(self, nonce: str, record: str, ttl: float, /) -> None:
            self.loop = self.loop or asyncio.get_running_loop()
            # Like a client library that keeps its connections.
            self.loop.call_soon_threadsafe(int)
            await super().put(nonce, record, ttl)

    store = Connected()
    asyncio.run(use(store, broker))
    error = refusal(store, broker, cold=False)
    assert error.code == "store_failed"
    assert str(error.__cause__) == "Event loop is closed"


def test_an_asynchronous_store_needs_an_event_loop(broker: DevBroker) -> None:
    client = Client(REDIRECT_URI, broker=broker.origin, store=Waiting())
    asyncio.run(client.warm())
    with pytest.raises(StoreError) as caught:
        client.authenticate("alice@example.com").send(None)
    gc.collect()
    assert str(caught.value.__cause__).startswith("no event loop of asyncio runs in this thread")


@cold
def test_a_blocking_client_refuses_an_asynchronous_store(cold: bool, broker: DevBroker) -> None:
    client = blocking.Client(REDIRECT_URI, broker=broker.origin, store=Waiting())
    if not cold:
        client.warm()
    with pytest.raises(StoreError) as caught:
        client.authenticate("alice@example.com")
    gc.collect()
    assert str(caught.value) == (
        "the store returned an awaitable, and the blocking client cannot await "
        "method=put type=coroutine"
    )
