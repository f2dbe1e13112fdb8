"""Measures whole logins with SQLite and Redis, against handwritten code; prints JSON.

The handwritten code is what an asyncio site would write: a nonce, one command to store it, PyJWT,
one command to take it. It uses `redis.asyncio`, and the SQLite of the standard library in threads.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import secrets
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

import jwt
from common import CLIENT_ID, EMAIL, REDIRECT_URI, median
from redis.asyncio import Redis
from servers import redis_server

from portier_client import Client
from portier_client.testing import DevBroker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

ROUNDS = int(os.environ.get("ROUNDS", "11"))
IN_FLIGHT = int(os.environ.get("LOGINS", "100"))
LIFETIME = 1800


class Login(Protocol):
    """The two halves of a login."""

    async def authenticate(self, email: str) -> str:
        """The URL for the redirect."""

    async def verify(self, token: str) -> str:
        """The verified address."""


class Nonces(Protocol):
    """The storage of a handwritten login."""

    async def put(self, nonce: str, email: str) -> None:
        """Store the address."""

    async def take(self, nonce: str) -> str | None:
        """Return the address, once."""


class RedisNonces:
    """With the client that most asyncio sites have."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url, decode_responses=True)

    async def put(self, nonce: str, email: str) -> None:
        await self._redis.set(f"nonce:{nonce}", email, ex=LIFETIME, nx=True)

    async def take(self, nonce: str) -> str | None:
        return await self._redis.getdel(f"nonce:{nonce}")


class SqliteNonces:
    """With the standard library, whose calls block and therefore run in threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._lock = asyncio.Lock()
        for pragma in ("journal_mode = WAL", "synchronous = FULL"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute("CREATE TABLE nonces (nonce TEXT PRIMARY KEY, email, until)")

    async def put(self, nonce: str, email: str) -> None:
        row = (nonce, email, time.time() + LIFETIME)
        await self._execute("INSERT INTO nonces VALUES (?, ?, ?)", row)

    async def take(self, nonce: str) -> str | None:
        rows = await self._execute(
            "DELETE FROM nonces WHERE nonce = ? AND until > ? RETURNING email", (nonce, time.time())
        )
        return rows[0][0] if rows else None

    async def _execute(self, statement: str, values: tuple[object, ...]) -> list[tuple[str]]:
        async with self._lock:
            return await asyncio.to_thread(
                lambda: self._connection.execute(statement, values).fetchall()
            )


class ByHand:
    """A login as a careful site would write it, with documents that are never fetched again."""

    def __init__(self, broker: str, nonces: Nonces) -> None:
        discovery = get_json(f"{broker}/.well-known/openid-configuration")
        self._broker = broker
        self._endpoint = discovery["authorization_endpoint"]
        self._keys = {
            key["kid"]: jwt.PyJWK(key).key for key in get_json(discovery["jwks_uri"])["keys"]
        }
        self._nonces = nonces

    async def authenticate(self, email: str) -> str:
        nonce = secrets.token_urlsafe(24)
        await self._nonces.put(nonce, email)
        query = {
            "login_hint": email,
            "scope": "openid email",
            "nonce": nonce,
            "response_type": "id_token",
            "response_mode": "form_post",
            "client_id": CLIENT_ID,
            "redirect_uri": REDIRECT_URI,
        }
        return f"{self._endpoint}?{urlencode(query)}"

    async def verify(self, token: str) -> str:
        key = self._keys[jwt.get_unverified_header(token)["kid"]]
        claims = jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience=CLIENT_ID,
            issuer=self._broker,
            leeway=180,
            options={"require": ["exp", "iat", "nonce", "email"]},
        )
        if await self._nonces.take(claims["nonce"]) != claims["email_original"]:
            raise ValueError("no such login")
        return str(claims["email"])


async def compare(broker: DevBroker, ours: Login, by_hand: Login) -> dict[str, Any]:
    """Runs all measures in every round, so that a busy moment affects all of them."""
    samples: dict[str, dict[str, list[float]]] = {}
    for number in range(ROUNDS + 1):
        pair = [("portier_client", ours), ("by_hand", by_hand)]
        for way, walk in (("sequential", one_by_one), ("in_flight", all_at_once)):
            for name, login in pair if number % 2 else reversed(pair):
                seconds = await one_round(broker, login, walk)
                if number:  # the first round only warms up
                    samples.setdefault(way, {}).setdefault(name, []).append(seconds / IN_FLIGHT)
    return {way: figures(**times) for way, times in samples.items()}


def figures(portier_client: list[float], by_hand: list[float]) -> dict[str, float]:
    """Medians in microseconds, and the median of the ratios within each round."""
    return {
        "portier_client": median(portier_client) * 1e6,
        "by_hand": median(by_hand) * 1e6,
        "by_hand_to_portier_client": median(
            [hand / our for hand, our in zip(by_hand, portier_client, strict=True)]
        ),
    }


async def one_round(
    broker: DevBroker, login: Login, walk: Callable[..., Awaitable[list[str]]]
) -> float:
    """Runs some logins; returns the seconds of both halves, without the broker's part."""
    start = time.perf_counter()
    urls = await walk(login.authenticate, [EMAIL] * IN_FLIGHT)
    spent = time.perf_counter() - start
    tokens = [broker.mint(url) for url in urls]
    start = time.perf_counter()
    emails = await walk(login.verify, tokens)
    spent += time.perf_counter() - start
    if emails != [EMAIL] * IN_FLIGHT:
        raise AssertionError("a login failed")
    return spent


async def one_by_one(call: Callable[[str], Awaitable[str]], arguments: Iterable[str]) -> list[str]:
    return [await call(argument) for argument in arguments]


async def all_at_once(call: Callable[[str], Awaitable[str]], arguments: Iterable[str]) -> list[str]:
    return await asyncio.gather(*(call(argument) for argument in arguments))


def node(socket: Path) -> dict[str, Any]:
    """The same in Node; see `stores.mjs`."""
    program = [os.environ.get("NODE", "node"), str(Path(__file__).with_suffix(".mjs")), str(socket)]
    output = subprocess.run(program, check=True, stdout=subprocess.PIPE, text=True).stdout
    results: dict[str, Any] = json.loads(output)
    return results


def get_json(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url) as response:
        document: dict[str, Any] = json.load(response)
    return document


async def measure(broker: DevBroker, folder: Path, socket: Path) -> dict[str, Any]:
    """Measures all stores, one after the other."""
    path = folder / "ours.db"
    results = {}
    for name, url, nonces in (
        ("redis", f"redis+unix://{socket}", RedisNonces(f"unix://{socket}")),
        ("sqlite", f"sqlite:///{path}", SqliteNonces(folder / "by-hand.db")),
    ):
        async with Client(REDIRECT_URI, broker=broker.origin, store=url) as client:
            await client.warm()
            results[name] = await compare(broker, client, ByHand(broker.origin, nonces))
    return results


def main() -> int:
    """Measures with its own Redis server."""
    gc.disable()
    with tempfile.TemporaryDirectory() as name, DevBroker() as broker, redis_server() as socket:
        if socket is None:
            return 1
        results = asyncio.run(measure(broker, Path(name), socket))
        results["node"] = node(socket)
    print(json.dumps({"rounds": ROUNDS, "logins_per_round": IN_FLIGHT, **results}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
