"""Logs in repeatedly in all ways, and prints what the process holds after each round.

python tests/client/leaks.py ROUNDS TIMES_EACH_WAY
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from pathlib import Path
from typing import Any

from portier_client import Client, InvalidSession, InvalidToken, StoreError
from portier_client.testing import DevBroker

REDIRECT_URI = "https://example.com/verify"
DISCOVERY = "/.well-known/openid-configuration"
# A short lifetime, so that the memory store drops used nonces during the run.
SESSION_TTL = 5


class Plain(dict[str, str]):
    """A store in a reference cycle: its client holds it, and it holds its client."""

    client: Client

    def put(self, nonce: str, record: str, ttl: float, /) -> None:
        self[nonce] = record

    def take(self, nonce: str, /) -> str | None:
        return self.pop(nonce, None)


class Waiting(Plain):
    """The same with coroutine functions."""

    async def put(self, nonce: str, record: str, ttl: float, /) -> None:  # type: ignore[override]
        await asyncio.sleep(0)
        self[nonce] = record

    async def take(self, nonce: str, /) -> str | None:  # type: ignore[override]
        await asyncio.sleep(0)
        return self.pop(nonce, None)


class Failing(Plain):
    """A store whose exceptions hold it."""

    def put(self, nonce: str, record: str, ttl: float, /) -> None:
        raise LookupError(self)


def main(rounds: int, times: int) -> None:
    with DevBroker(mode="accept") as broker:
        broker.key_id()
        clients = [client_of(broker, store) for store in (None, Plain(), Waiting())]
        failing = client_of(broker, Failing())
        for _ in range(rounds):
            for client in clients:
                asyncio.run(log_in(client, broker, times))
            asyncio.run(fail(failing, times))
            asyncio.run(give_up(broker, times))
            drop(broker, times)
            print(json.dumps(held()), flush=True)


def client_of(broker: DevBroker, store: Any) -> Client:
    client = Client(REDIRECT_URI, broker=broker.origin, session_ttl=SESSION_TTL, store=store)
    if store is not None:
        store.client = client
    return client


async def log_in(client: Client, broker: DevBroker, logins: int) -> None:
    for _ in range(logins):
        url = await client.authenticate("alice@example.com", session="/")
        token = broker.mint(url, algorithm="EdDSA")
        login = await client.complete({"id_token": token})
        assert login.email == "alice@example.com"
        await raises(InvalidSession, client.verify(token))
        await raises(InvalidToken, client.verify(token[:-9]))


async def give_up(broker: DevBroker, calls: int) -> None:
    broker.hold(DISCOVERY)
    client = Client(REDIRECT_URI, broker=broker.origin)
    for _ in range(calls):
        call = asyncio.ensure_future(client.warm())
        await asyncio.sleep(0)
        call.cancel()
        await raises(asyncio.CancelledError, call)
    broker.release(DISCOVERY)
    await client.warm()


async def fail(client: Client, calls: int) -> None:
    for _ in range(calls):
        await raises(StoreError, client.authenticate("alice@example.com"))


def drop(broker: DevBroker, clients: int) -> None:
    for _ in range(clients):
        client_of(broker, Plain())


async def raises(kind: type[BaseException], call: Any) -> None:
    try:
        await call
    except kind:
        return
    raise AssertionError


def held() -> dict[str, int]:
    gc.collect()
    return {
        "blocks": sys.getallocatedblocks(),
        # Only debug builds of Python count all references.
        "references": getattr(sys, "gettotalrefcount", lambda: 0)(),
        "resident_kib": int(Path("/proc/self/statm").read_text().split()[1]) * 4,
        "threads": sum(1 for _ in Path("/proc/self/task").iterdir()),
        "descriptors": sum(1 for _ in Path("/proc/self/fd").iterdir()),
    }


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
