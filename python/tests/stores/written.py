"""Stores as a site might write them."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

from portier_client import Client, InvalidToken

if TYPE_CHECKING:
    from portier_client.testing import DevBroker

REDIRECT_URI = "https://example.com/verify"
DISCOVERY = "/.well-known/openid-configuration"


class Plain:
    """Plain methods."""

    def __init__(self) -> None:
        self.records: dict[str, str] = {}
        self.ttls: list[float] = []
        self.threads: set[int] = set()

    def put(self, nonce: str, record: str, ttl: float, /) -> None:
        self.threads.add(threading.get_ident())
        self.ttls.append(ttl)
        if self.records.setdefault(nonce, record) is not record:
            raise LookupError

    def take(self, nonce: str, /) -> str | None:
        self.threads.add(threading.get_ident())
        return self.records.pop(nonce, None)

    def contains(self, nonce: str, /) -> bool:
        self.threads.add(threading.get_ident())
        return nonce in self.records


class Waiting:
    """Coroutine functions around plain methods."""

    def __init__(self) -> None:
        self.plain = Plain()
        self.threads = self.plain.threads

    async def put(self, nonce: str, record: str, ttl: float, /) -> None:
        await asyncio.sleep(0)
        self.plain.put(nonce, record, ttl)

    async def take(self, nonce: str, /) -> str | None:
        await asyncio.sleep(0)
        return self.plain.take(nonce)

    async def contains(self, nonce: str, /) -> bool:
        await asyncio.sleep(0)
        return self.plain.contains(nonce)


class Faulty:
    """A store with one method replaced."""

    def __init__(self, method: str, instead: object, *, waits: bool) -> None:
        self.plain = Plain()
        self.method = method
        self.instead = instead
        self.waits = waits

    def put(self, nonce: str, record: str, ttl: float, /) -> object:
        return self._call("put", nonce, record, ttl)

    def take(self, nonce: str, /) -> object:
        return self._call("take", nonce)

    def contains(self, nonce: str, /) -> object:
        return self._call("contains", nonce)

    def _call(self, method: str, *arguments: object) -> object:
        def now() -> object:
            if method != self.method:
                return getattr(self.plain, method)(*arguments)
            if callable(self.instead):
                return self.instead()
            if isinstance(self.instead, BaseException):
                raise self.instead
            return self.instead

        async def later() -> object:
            await asyncio.sleep(0)
            return now()

        return later() if self.waits else now()


async def use(store: Any, broker: DevBroker, *, cold: bool = False, **options: Any) -> None:
    """Calls every method of a store; if `cold`, each call first has to fetch something."""

    async def client() -> Client:
        made = Client(REDIRECT_URI, broker=broker.origin, store=store, **options)
        if not cold:
            await made.warm()
        return made

    url = await (await client()).authenticate("alice@example.com")
    try:
        await (await client()).verify(broker.mint(url, key="stranger"))
    except InvalidToken as error:
        assert error.code == "token_key_unknown"  # noqa: PT017
    assert await (await client()).verify(broker.mint(url)) == "alice@example.com"
