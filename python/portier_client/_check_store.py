"""Checks whether a store follows the rules for stores."""

from __future__ import annotations

import asyncio
import secrets
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from inspect import isawaitable, iscoroutine
from typing import Any

from ._store import Store

_LIMIT_SECONDS = 5
_ROUNDS = 20
_AT_ONCE = 16
_THREADS = 8
_MUCH = 32 * 1024
_SLOWEST_SECOND = 8

_RECORDS = {
    "a short record": "x",
    "a record of the usual kind": '{"v":1,"t":1790000000.123,"e":"alice@example.com","s":"/a?b=c"}',
    "quotes, signs and line ends": "'\";--%s{}\\\\ $1 :a\t\r\n  ",
    "a record that reads like a number": "0",
    "a record that reads like a missing one": "null",
    "letters of all scripts": "bj\u00f6rn@b\u00fccher.example \u7530\u4e2d \U0001f511 e\u0301",
    "a record of 32 KiB": "\u00e9" * (_MUCH // 2),
}


async def check_store(
    make_store: Callable[[], Store | Awaitable[Store]],
    *,
    threads: bool = True,
    full: Callable[[], Store | Awaitable[Store]] | None = None,
    gone: Callable[[], Store | Awaitable[Store]] | None = None,
) -> None:
    """Check whether a store follows the rules for stores.

    ``make_store`` makes the store; it may be a coroutine function. It is called twice, like in two
    processes, and both stores may share their records. Other records in the store are not touched.
    If the methods are not asynchronous, they are also called from several threads, like a
    :class:`portier_client.blocking.Client` does, unless ``threads`` is ``False``. ``full`` makes a
    store without space, and ``gone`` makes one that cannot be reached; both are optional.

    The check takes a few seconds, because it waits for records to expire.

    Raises ``AssertionError``, which names the broken rule.

    >>> from portier_client.testing import check_store, open_store
    >>> asyncio.run(check_store(lambda: open_store("memory:")))
    """
    subject = _Subject(await _make(make_store), await _make(make_store))
    for rule in (
        gives_a_record_back_once,
        knows_nothing_of_other_nonces,
        keeps_every_record_as_it_is,
        never_replaces_a_record,
        gives_a_record_to_one_of_many,
        keeps_one_record_of_many,
    ):
        await subject.keeps(rule)
    if subject.is_plain and threads:
        await subject.keeps(gives_a_record_to_one_of_many_threads)
    if full is not None:
        await _Subject(await _make(full)).keeps(refuses_what_it_has_no_room_for)
    if gone is not None:
        await _Subject(await _make(gone)).keeps(says_that_it_cannot_be_reached)
    await subject.keeps(ends_a_record_in_time)


async def gives_a_record_back_once(store: _Subject) -> None:
    nonce = _nonce()
    await store.put(nonce, "record")
    await store.holds(nonce, True, "before it is taken")
    await store.holds(nonce, True, "after it was looked for")
    _expect_equal(await store.take(nonce), "record", "what was put", "the first take")
    for name in ("second", "third"):
        _expect_no_record(await store.take(nonce), f"the {name} take")
    await store.holds(nonce, False, "after it was taken")


async def knows_nothing_of_other_nonces(store: _Subject) -> None:
    nonce = "Ab-_" + _nonce()[4:]
    await store.put(nonce, "record")
    others = [nonce.swapcase(), nonce.lower(), nonce.replace("_", "-"), nonce[:-1], nonce + "A"]
    for other in [*others, "%" * len(nonce), "_" * len(nonce), "*", _nonce()]:
        await store.holds(other, False, "under another nonce")
        _expect_equal(await store.take(other), None, "None", "take of another nonce")
    _expect_equal(await store.take(nonce), "record", "what was put", "take of the nonce itself")


async def keeps_every_record_as_it_is(store: _Subject) -> None:
    for name, record in _RECORDS.items():
        nonce = _nonce()
        await store.put(nonce, record)
        if await store.take(nonce) != record:
            raise _Broken(f"take returned a different record than was put, which was {name}")


async def never_replaces_a_record(store: _Subject) -> None:
    nonce = _nonce()
    await store.put(nonce, "first")
    refused = await store.refuses_to_put(nonce, "second")
    _expect_equal(await store.take(nonce), "first", "what was put first", "take after a second put")
    if not refused:
        raise _Broken("put raised nothing when there was a record already")


async def gives_a_record_to_one_of_many(store: _Subject) -> None:
    for _ in range(_ROUNDS):
        nonce = _nonce()
        await store.put(nonce, "record")
        takes = (store.take(nonce, twin=number % 2 == 1) for number in range(_AT_ONCE))
        _expect_one_winner(await asyncio.gather(*takes))


async def keeps_one_record_of_many(store: _Subject) -> None:
    for _ in range(_ROUNDS):
        nonce = _nonce()
        records = [f"record {number}" for number in range(_AT_ONCE)]
        refused = await asyncio.gather(*(store.refuses_to_put(nonce, text) for text in records))
        kept = [text for text, no in zip(records, refused, strict=True) if not no]
        if len(kept) != 1:
            raise _Broken(f"of {_AT_ONCE} concurrent puts {len(kept)} raised nothing")
        _expect_equal(await store.take(nonce), kept[0], "the record of the successful put", "take")


async def gives_a_record_to_one_of_many_threads(store: _Subject) -> None:
    with _eager_threads(), ThreadPoolExecutor(_THREADS) as pool:
        for _ in range(_ROUNDS):
            nonce = _nonce()
            await store.put(nonce, "record")
            together = threading.Barrier(_THREADS)
            loop = asyncio.get_running_loop()
            takes = [
                loop.run_in_executor(pool, store.take_in_thread, nonce, together, number % 2 == 1)
                for number in range(_THREADS)
            ]
            _expect_one_winner(await asyncio.gather(*takes))


async def ends_a_record_in_time(store: _Subject) -> None:
    second = 1.0
    while not await _lasts(store, second):
        second *= 2
        if second > _SLOWEST_SECOND:
            raise _Broken("its methods are too slow for this check")


async def _lasts(store: _Subject, second: float) -> bool:
    """Return whether the store was fast enough for the result to count.

    Some stores count in whole seconds. They may end a record one second late, but not early.
    """
    started = time.monotonic()
    early, looked_for, forgotten = _nonce(), _nonce(), _nonce()
    for nonce in (early, looked_for, forgotten):
        await store.put(nonce, "record", 1.5 * second)
    all_put = time.monotonic()
    await _sleep_until(started + 1.25 * second)
    found = await store.take(early)
    in_time = time.monotonic() < started + 1.5 * second
    if in_time and found is None:
        raise _Broken("a record is gone before its time is up")
    await _sleep_until(all_put + 1.5 * second + 1.25)
    await store.holds(looked_for, False, "when the time of the record was up")
    for nonce in (looked_for, forgotten):
        _expect_equal(await store.take(nonce), None, "None", "take when the time was up")
    return in_time


async def _sleep_until(moment: float) -> None:
    await asyncio.sleep(max(0, moment - time.monotonic()))


async def refuses_what_it_has_no_room_for(store: _Subject) -> None:
    nonce = _nonce()
    if not await store.refuses_to_put(nonce, "x" * _MUCH):
        raise _Broken("put raised nothing although there was no space")
    _expect_equal(await store.take(nonce), None, "None", "take of the refused record")


async def says_that_it_cannot_be_reached(store: _Subject) -> None:
    nonce = _nonce()
    if not await store.refuses_to_put(nonce, "record"):
        raise _Broken("put raised nothing when the store could not be reached")
    for method in ("take", "contains"):
        if store.has(method) and not await store.raises(method, nonce):
            raise _Broken(f"{method} raised nothing when the store could not be reached")


class _Broken(Exception):
    """A broken rule; the text follows the name of the rule in the message."""


class _Subject:
    """The store under test; checks what its methods return."""

    def __init__(self, store: Any, twin: Any = None) -> None:
        self._store = store
        self._twin = twin
        self.is_plain = True

    async def keeps(self, rule: Callable[[_Subject], Awaitable[None]]) -> None:
        try:
            await rule(self)
        except _Broken as broken:
            message, cause = str(broken), broken.__cause__
        else:
            return
        raise AssertionError(f"the store breaks a rule: {_sentence_of(rule)}; {message}") from cause

    def has(self, method: str) -> bool:
        return hasattr(self._store, method)

    async def put(self, nonce: str, record: str, ttl: float = 60.0) -> None:
        self._expect_none(await self._call("put", nonce, record, ttl))

    async def take(self, nonce: str, *, twin: bool = False) -> str | None:
        subject = _Subject(self._twin) if twin else self
        return self._expect_record(await subject._call("take", nonce))

    async def holds(self, nonce: str, expected: bool, when: str) -> None:
        if not self.has("contains"):
            return
        found = await self._call("contains", nonce)
        if not isinstance(found, bool):
            raise _wrong_type("contains", "bool", found)
        if found is not expected:
            raise _Broken(f"contains returned {found} {when}")

    async def refuses_to_put(self, nonce: str, record: str) -> bool:
        return await self.raises("put", nonce, record, 60.0)

    async def raises(self, method: str, *arguments: object) -> bool:
        try:
            returned = await self._call_method(method, *arguments)
        except _Broken:
            raise
        except Exception:
            return True
        if method == "put":
            self._expect_none(returned)
        return False

    def take_in_thread(self, nonce: str, together: threading.Barrier, twin: bool) -> str | None:
        store = self._twin if twin else self._store
        together.wait(_LIMIT_SECONDS)
        try:
            return self._expect_record(store.take(nonce))
        except _Broken:
            raise
        except Exception as error:
            raise _Broken(f"take raised {type(error).__name__} in another thread") from error

    async def _call(self, method: str, *arguments: object) -> Any:
        try:
            return await self._call_method(method, *arguments)
        except _Broken:
            raise
        except Exception as error:
            raise _Broken(f"{method} raised {type(error).__name__}") from error

    async def _call_method(self, method: str, *arguments: object) -> Any:
        returned = getattr(self._store, method)(*arguments)
        if not isawaitable(returned):
            return returned
        self.is_plain = False
        waiting = asyncio.ensure_future(returned)
        done, _ = await asyncio.wait([waiting], timeout=_LIMIT_SECONDS)
        if not done:
            waiting.cancel()
            raise _Broken(f"{method} did not return within {_LIMIT_SECONDS} seconds")
        return waiting.result()

    @staticmethod
    def _expect_none(returned: object) -> None:
        if returned is not None:
            raise _wrong_type("put", "None", returned)

    @staticmethod
    def _expect_record(returned: object) -> str | None:
        if returned is not None and not isinstance(returned, str):
            raise _wrong_type("take", "str or None", returned)
        return returned


async def _make(make_store: Callable[[], Store | Awaitable[Store]]) -> Store:
    store: Any = make_store()
    if isawaitable(store):
        store = await store
    made: Store = store
    return made


@contextmanager
def _eager_threads() -> Iterator[None]:
    """Switch between threads much more often than usual."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def _nonce() -> str:
    return secrets.token_urlsafe(32)


def _expect_one_winner(taken: list[str | None]) -> None:
    winners = sum(bool(record) for record in taken)
    if winners != 1:
        raise _Broken(f"of {len(taken)} concurrent takes {winners} got the record")


def _expect_no_record(found: str | None, what: str) -> None:
    # An empty text means that the record was taken before.
    if found:
        raise _Broken(f"{what} returned something else instead of None")


def _expect_equal(found: object, wanted: object, name: str, what: str) -> None:
    if found != wanted:
        shown = "None" if found is None else "something else"
        raise _Broken(f"{what} returned {shown} instead of {name}")


def _wrong_type(method: str, expected: str, returned: object) -> _Broken:
    if iscoroutine(returned):
        returned.close()
    return _Broken(f"{method} returned {type(returned).__name__} instead of {expected}")


def _sentence_of(rule: Callable[..., object]) -> str:
    return getattr(rule, "__name__", "").replace("_", " ")
