"""`check_store` accepts correct stores, and finds the defects of others."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from portier_client import ConfigError, StoreError
from portier_client.testing import check_store, open_store

from .servers import redis_server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Good:
    """A store in a dictionary, with plain methods."""

    def __init__(self) -> None:
        self.records: dict[str, tuple[str, float]] = {}

    def put(self, nonce: str, record: str, ttl: float, /) -> Any:
        kept = (record, time.monotonic() + ttl)
        if self._live(nonce) or self.records.setdefault(nonce, kept) is not kept:
            raise LookupError

    def take(self, nonce: str, /) -> Any:
        record, deadline = self.records.pop(nonce, ("", 0))
        return record if deadline > time.monotonic() else None

    def contains(self, nonce: str, /) -> Any:
        return self._live(nonce)

    def _live(self, nonce: str) -> bool:
        live = self.records.get(nonce, ("", 0))[1] > time.monotonic()
        if not live:
            self.records.pop(nonce, None)
        return live


class GoodAndWaiting:
    """The same with coroutine functions."""

    def __init__(self) -> None:
        self.good = Good()

    async def put(self, nonce: str, record: str, ttl: float, /) -> Any:
        await asyncio.sleep(0)
        self.good.put(nonce, record, ttl)

    async def take(self, nonce: str, /) -> Any:
        await asyncio.sleep(0)
        return self.good.take(nonce)


class GetsThenDeletes(GoodAndWaiting):
    async def take(self, nonce: str, /) -> Any:
        record = self.good.records.get(nonce)
        await asyncio.sleep(0)
        self.good.records.pop(nonce, None)
        return record[0] if record else None


class GetsThenDeletesInThreads(Good):
    def take(self, nonce: str, /) -> Any:
        # Another thread may run between two steps of this one.
        record = self.records.get(nonce, (None,))[0] if self._live(nonce) else None
        time.sleep(0)  # another thread may run here, as during any request
        self.records.pop(nonce, None)
        return record


class LocksOnlyItself(GetsThenDeletes):
    """Correct in one process, and wrong in two."""

    records: ClassVar[dict[str, tuple[str, float]]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.good.records = self.records
        self.lock = asyncio.Lock()

    async def take(self, nonce: str, /) -> Any:
        async with self.lock:
            return await super().take(nonce)


class KeepsForever(Good):
    def put(self, nonce: str, record: str, ttl: float, /) -> Any:
        return super().put(nonce, record, ttl * 1000)


class KeepsTooShort(Good):
    def put(self, nonce: str, record: str, ttl: float, /) -> Any:
        # Confuses seconds with milliseconds; a minute is still long enough for every other rule.
        return super().put(nonce, record, ttl / 3)


class CountsDown(Good):
    def put(self, nonce: str, record: str, ttl: float, /) -> Any:
        return super().put(nonce, record, int(ttl))


class Replaces(Good):
    def put(self, nonce: str, record: str, ttl: float, /) -> Any:
        self.records[nonce] = (record, time.monotonic() + ttl)


class KeepsTheFirstSilently(Good):
    def put(self, nonce: str, record: str, ttl: float, /) -> Any:
        if not self._live(nonce):
            super().put(nonce, record, ttl)


class LooksThenPuts(GoodAndWaiting):
    async def put(self, nonce: str, record: str, ttl: float, /) -> Any:
        if nonce in self.good.records:
            raise LookupError
        await asyncio.sleep(0)
        self.good.records[nonce] = (record, time.monotonic() + ttl)


class SaysWhatItDid(Good):
    def put(self, nonce: str, record: str, ttl: float, /) -> Any:
        super().put(nonce, record, ttl)
        return True


class ReturnsBytes(Good):
    def take(self, nonce: str, /) -> Any:
        record = super().take(nonce)
        return None if record is None else record.encode()


class ReturnsNothingAsText(Good):
    def take(self, nonce: str, /) -> Any:
        return super().take(nonce) or ""


class ForgetsToAwait(GoodAndWaiting):
    async def take(self, nonce: str, /) -> Any:
        return super().take(nonce)


class Truncates(Good):
    def put(self, nonce: str, record: str, ttl: float, /) -> Any:
        return super().put(nonce, record[:255], ttl)


class Trims(Good):
    def put(self, nonce: str, record: str, ttl: float, /) -> Any:
        return super().put(nonce, record.strip(), ttl)


class LosesLetters(Good):
    def put(self, nonce: str, record: str, ttl: float, /) -> Any:
        return super().put(nonce, record.encode("latin-1", "replace").decode("latin-1"), ttl)


class IgnoresCase(Good):
    def put(self, nonce: str, record: str, ttl: float, /) -> Any:
        return super().put(nonce.lower(), record, ttl)

    def take(self, nonce: str, /) -> Any:
        return super().take(nonce.lower())

    def contains(self, nonce: str, /) -> Any:
        return super().contains(nonce.lower())


class CutsNonces(Good):
    def put(self, nonce: str, record: str, ttl: float, /) -> Any:
        return super().put(nonce[:32], record, ttl)

    def take(self, nonce: str, /) -> Any:
        return super().take(nonce[:32])

    def contains(self, nonce: str, /) -> Any:
        return super().contains(nonce[:32])


class CountsMatches(Good):
    def contains(self, nonce: str, /) -> Any:
        return int(super().contains(nonce))


class ContainsEverything(Good):
    def contains(self, nonce: str, /) -> Any:
        return True


class TakesToLook(Good):
    def contains(self, nonce: str, /) -> Any:
        return super().take(nonce) is not None


class RemembersWhatIsTaken(Good):
    def take(self, nonce: str, /) -> Any:
        record, deadline = self.records.get(nonce, ("", 0))
        return record if deadline > time.monotonic() else None


class Raises(Good):
    def take(self, nonce: str, /) -> Any:
        raise OSError("secret")


class NeverReturns(GoodAndWaiting):
    async def take(self, nonce: str, /) -> Any:
        await asyncio.get_running_loop().create_future()


ALTERED = "keeps every record as it is; take returned a different record than was put, which was"

BROKEN = {
    GetsThenDeletes: "gives a record to one of many; of 16 concurrent takes",
    LocksOnlyItself: "gives a record to one of many; of 16 concurrent takes 2",
    GetsThenDeletesInThreads: "gives a record to one of many threads; of 8 concurrent takes",
    KeepsForever: "ends a record in time; contains returned True",
    KeepsTooShort: "ends a record in time; a record is gone before its time is up",
    CountsDown: "ends a record in time; a record is gone before its time is up",
    Replaces: "never replaces a record; take after a second put returned something else",
    KeepsTheFirstSilently: "never replaces a record; put raised nothing when there was a record",
    LooksThenPuts: "keeps one record of many; of 16 concurrent puts",
    SaysWhatItDid: "gives a record back once; put returned bool instead of None",
    ReturnsBytes: "gives a record back once; take returned bytes instead of str or None",
    ReturnsNothingAsText: "knows nothing of other nonces; take of another nonce returned something",
    ForgetsToAwait: "gives a record back once; take returned coroutine instead of str or None",
    Truncates: f"{ALTERED} a record of 32",
    Trims: f"{ALTERED} quotes",
    LosesLetters: f"{ALTERED} letters",
    IgnoresCase: "knows nothing of other nonces; contains returned True under another nonce",
    CutsNonces: "knows nothing of other nonces; contains returned True under another nonce",
    CountsMatches: "gives a record back once; contains returned int instead of bool",
    ContainsEverything: "gives a record back once; contains returned True after it was taken",
    TakesToLook: "gives a record back once; contains returned False after it was looked for",
    RemembersWhatIsTaken: "gives a record back once; the second take returned something else",
    Raises: "gives a record back once; take raised OSError",
    NeverReturns: "gives a record back once; take did not return within 5 seconds",
}


@pytest.fixture(scope="module")
def found() -> dict[Any, BaseException | None]:
    """The results of `check_store`; all run at the same time, because records must expire."""

    async def try_out(kind: Callable[[], Any]) -> BaseException | None:
        try:
            await check_store(kind)
        except AssertionError as error:
            return error
        return None

    async def try_all_out() -> list[BaseException | None]:
        return await asyncio.gather(*map(try_out, BROKEN))

    return dict(zip(BROKEN, asyncio.run(try_all_out()), strict=True))


@pytest.mark.parametrize("kind", BROKEN, ids=lambda kind: kind.__name__)
def test_check_store_finds_each_broken_rule(
    kind: Callable[[], Any], found: dict[Any, BaseException | None]
) -> None:
    error = found[kind]
    assert error is not None
    assert str(error).startswith(f"the store breaks a rule: {BROKEN[kind]}")
    assert "secret" not in str(error)
    assert isinstance(error.__cause__, OSError) is (kind is Raises)


def test_check_store_accepts_correct_stores() -> None:
    async def make() -> Any:
        return GoodAndWaiting()

    async def check() -> None:
        # All at the same time, because records must expire.
        await asyncio.gather(
            check_store(Good),
            check_store(make),
            check_store(GetsThenDeletesInThreads, threads=False),
            check_store(Good, full=Full, gone=Gone),
        )

    asyncio.run(check())


class Full(Good):
    def put(self, nonce: str, record: str, ttl: float, /) -> Any:
        raise StoreError("no room", code="store_full")


class Gone(Full):
    def take(self, nonce: str, /) -> Any:
        raise ConnectionError

    def contains(self, nonce: str, /) -> Any:
        raise ConnectionError


class GoneSilently(Gone):
    def take(self, nonce: str, /) -> Any:
        return None


def test_a_full_or_unavailable_store_must_raise_a_store_error() -> None:
    with pytest.raises(AssertionError, match="refuses what it has no room for; put raised nothing"):
        asyncio.run(check_store(Good, full=Good))
    with pytest.raises(AssertionError, match="cannot be reached; take raised nothing"):
        asyncio.run(check_store(Good, gone=GoneSilently))


def test_check_store_accepts_stores_opened_by_url(tmp_path: Path) -> None:
    async def check(*urls: str) -> None:
        await asyncio.gather(*(check_store(lambda url=url: open_store(url)) for url in urls))

    with redis_server() as socket:
        asyncio.run(check("memory:", f"redis+unix://{socket}", f"sqlite:///{tmp_path}/logins.db"))


def test_only_store_urls_are_opened() -> None:
    with pytest.raises(ConfigError) as caught:
        open_store("nothing://:secret@localhost")
    assert caught.value.code == "invalid_option"
    assert "secret" not in str(caught.value)
