"""Logins in Redis, through a Redis client of the site."""

from __future__ import annotations

import asyncio
import itertools
import re
import resource
import subprocess
import sys
import traceback
from functools import partial
from typing import TYPE_CHECKING, Any

import fakeredis
import pytest
import redis
import redis.asyncio
import valkey.asyncio
from redis.sentinel import Sentinel

from portier_client import (
    Client,
    ConfigError,
    InvalidSession,
    SessionUsed,
    StoreError,
    blocking,
)
from portier_client.stores import RedisClientStore
from portier_client.testing import check_store

from .servers import redis_server
from .written import REDIRECT_URI, use

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from portier_client.testing import DevBroker


@pytest.fixture(scope="module")
def socket() -> Iterator[Path]:
    with redis_server() as socket:
        yield socket


@pytest.fixture(scope="module")
def full_socket() -> Iterator[Path]:
    with redis_server("--maxmemory", "1") as socket:
        yield socket


def test_the_store_passes_check_store(socket: Path, full_socket: Path) -> None:
    async def check(kind: type[Any], decode_responses: bool) -> None:
        clients = [
            kind(unix_socket_path=str(path), decode_responses=decode_responses, retry=None)
            for path in (socket, full_socket, socket.with_name("nobody"))
        ]
        try:
            here, full, gone = (partial(RedisClientStore, client) for client in clients)
            await check_store(here, full=full, gone=gone)
        finally:
            for client in clients:
                await client.aclose() if hasattr(client, "aclose") else client.close()

    async def check_all() -> None:
        # At the same time, because records must expire.
        kinds = itertools.product((redis.Redis, redis.asyncio.Redis), (False, True))
        await asyncio.gather(*(check(*kind) for kind in kinds))

    asyncio.run(check_all())


def test_a_login_completes_with_an_asynchronous_client(socket: Path, broker: DevBroker) -> None:
    async def log_in() -> list[bytes]:
        async with redis.asyncio.Redis(unix_socket_path=str(socket)) as client:
            store = RedisClientStore(client, prefix="shop:")
            await use(store, broker)
            await use(store, broker, cold=True)
            site = Client(REDIRECT_URI, broker=broker.origin, store=store, session_ttl=90)
            await site.authenticate("alice@example.com")
            # The other keys are marks of completed logins.
            names = [name for name in await client.keys("shop:*") if await client.strlen(name)]
            assert 89_000 < await client.pttl(names[0]) <= 90_000
            return names

    (name,) = asyncio.run(log_in())
    assert name.startswith(b"shop:session:")
    assert len(name) == len("shop:session:") + 43


def test_a_login_completes_with_a_blocking_client(socket: Path, broker: DevBroker) -> None:
    with redis.Redis(unix_socket_path=str(socket)) as client:
        store = RedisClientStore(client)
        site = blocking.Client(REDIRECT_URI, broker=broker.origin, store=store)
        token = broker.mint(site.authenticate("alice@example.com"))
        assert site.verify(token) == "alice@example.com"
        with pytest.raises(SessionUsed):
            site.verify(token)


def test_a_redis_url_with_the_same_prefix_shares_its_logins(
    socket: Path, broker: DevBroker
) -> None:
    def site(store: Any) -> blocking.Client:
        return blocking.Client(REDIRECT_URI, broker=broker.origin, store=store)

    with redis.Redis(unix_socket_path=str(socket)) as client:
        ours = site(RedisClientStore(client, prefix="both:"))
        theirs = site(f"redis+unix://{socket}?prefix=both:")
        for one, other in ((ours, theirs), (theirs, ours)):
            token = broker.mint(one.authenticate("alice@example.com"))
            assert other.verify(token) == "alice@example.com"
            for again in (one, other, one):
                with pytest.raises(SessionUsed):
                    again.verify(token)


def test_an_unreachable_server_is_a_store_error(socket: Path, broker: DevBroker) -> None:
    async def log_in() -> StoreError:
        path = str(socket.with_name("nobody"))
        async with redis.asyncio.Redis(unix_socket_path=path, retry=None) as client:
            site = Client(REDIRECT_URI, broker=broker.origin, store=RedisClientStore(client))
            with pytest.raises(StoreError) as caught:
                await site.authenticate("alice@example.com")
            return caught.value

    error = asyncio.run(log_in())
    assert error.code == "store_unavailable"
    assert isinstance(error.__cause__, redis.ConnectionError)
    assert str(error) == "the redis client raised an exception type=ConnectionError"


def test_a_server_without_memory_is_a_full_store(full_socket: Path, broker: DevBroker) -> None:
    with redis.Redis(unix_socket_path=str(full_socket)) as client:
        site = blocking.Client(REDIRECT_URI, broker=broker.origin, store=RedisClientStore(client))
        with pytest.raises(StoreError) as caught:
            site.authenticate("alice@example.com")
    assert caught.value.code == "store_full"
    assert isinstance(caught.value.__cause__, redis.ResponseError)


def test_a_pending_login_completes_once_on_a_server_without_memory(
    broker: DevBroker,
) -> None:
    async def log_in(socket: Path) -> None:
        async with redis.asyncio.Redis(unix_socket_path=str(socket)) as client:
            sites = [
                Client(REDIRECT_URI, broker=broker.origin, store=RedisClientStore(client)),
                blocking.Client(REDIRECT_URI, broker=broker.origin, store=plain_store),
            ]
            urls = [await sites[0].authenticate("alice@example.com") for _ in sites]
            await client.config_set("maxmemory", "1")
            for site, url in zip(sites, urls, strict=True):
                token = broker.mint(url)
                await answer(site.verify(token))
                with pytest.raises(InvalidSession) as caught:
                    await answer(site.verify(token))
                assert caught.value.code == "session_unknown"

    async def answer(result: Any) -> str:
        return result if isinstance(result, str) else await result

    with redis_server() as socket, redis.Redis(unix_socket_path=str(socket)) as plain:
        plain_store = RedisClientStore(plain)
        asyncio.run(log_in(socket))


class Odd:
    """A client of another package, with these replies."""

    def __init__(self, **replies: object) -> None:
        self.replies = {"strlen": 1, "set": True, "getdel": None, **replies}

    def strlen(self, *_: object) -> object:
        return self.replies["strlen"]

    def set(self, *_: object, **options: object) -> object:
        return self.replies["take" if "xx" in options and "take" in self.replies else "set"]

    def getdel(self, *_: object) -> object:
        return self.replies["getdel"]


async def _coroutine() -> None: ...


def _wrong_clients() -> dict[str, object]:
    plain, of_asyncio = redis.Redis(), redis.asyncio.Redis()
    return {
        "client is not a client of Redis given=object missing=set,getdel,strlen": object(),
        "client is not a client of Redis given=NoneType missing=set,getdel,strlen": None,
        "client is a class; give an instance of it given=Redis": redis.Redis,
        "client is a str; give a URL": "redis://localhost",
        "client is a coroutine; await it first given=coroutine": _coroutine(),
        "client is a pipeline; give the client that made it given=Pipeline": plain.pipeline(),
        "client is a pipeline; give the client that made it": of_asyncio.pipeline(),
        "client is not a client of Redis given=PubSub": plain.pubsub(),
        "client is not a client of Redis; give what its master_for": Sentinel([("localhost", 1)]),
        "client is not a client of Redis; give a client that uses it": redis.ConnectionPool(),
    }


def test_a_value_that_is_no_redis_client_is_refused_by_name() -> None:
    for problem, wrong in _wrong_clients().items():
        with pytest.raises(ConfigError, match=re.escape(problem)) as caught:
            RedisClientStore(wrong)
        assert caught.value.code == "invalid_option"
    with pytest.raises(TypeError, match="prefix must be str, not bytes"):
        RedisClientStore(Odd(), prefix=b"portier:")  # type: ignore[arg-type]


def test_a_blocking_client_refuses_a_client_for_asyncio() -> None:
    cluster = redis.asyncio.RedisCluster(host="localhost")
    for client in (redis.asyncio.Redis(), cluster, valkey.asyncio.Valkey()):
        store = RedisClientStore(client)
        Client(REDIRECT_URI, store=store)
        with pytest.raises(ConfigError, match="give the store a plain client"):
            blocking.Client(REDIRECT_URI, store=store)
    blocking.Client(REDIRECT_URI, store=RedisClientStore(redis.Redis()))


def test_clients_with_the_same_methods_are_accepted(broker: DevBroker) -> None:
    clients = (fakeredis.FakeRedis(), fakeredis.FakeRedis(decode_responses=True))
    for client in (*clients, fakeredis.FakeStrictRedis()):
        site = blocking.Client(REDIRECT_URI, broker=broker.origin, store=RedisClientStore(client))
        token = broker.mint(site.authenticate("alice@example.com"))
        assert site.verify(token) == "alice@example.com"
        with pytest.raises(SessionUsed):
            site.verify(token)

    async def log_in() -> None:
        async with fakeredis.FakeAsyncRedis() as client:
            await use(RedisClientStore(client), broker)

    asyncio.run(log_in())


def test_a_client_of_valkey_is_accepted(socket: Path, broker: DevBroker) -> None:
    async def log_in() -> None:
        async with valkey.asyncio.Valkey(unix_socket_path=str(socket)) as client:
            await use(RedisClientStore(client, prefix="valkey:"), broker)

    asyncio.run(log_in())


@pytest.mark.parametrize(
    ("method", "replies", "fact"),
    [
        ("put", {"set": None}, "a login is pending under this nonce already"),
        ("put", {"set": False}, "a login is pending under this nonce already"),
        ("put", {"set": object()}, "command=SET type=object"),
        ("put", {"set": "QUEUED"}, "command=SET type=str"),
        ("take", {"set": object()}, "command=SET type=object"),
        ("take", {"set": b"secret\xff"}, "command=SET type=bytes"),
        ("take", {"strlen": None}, "command=STRLEN type=NoneType"),
        ("take", {"strlen": 65_537}, "too long to be a record"),
        ("contains", {"strlen": "1"}, "command=STRLEN type=str"),
    ],
)
def test_an_unexpected_reply_is_an_error_and_not_shown(
    method: str, replies: dict[str, object], fact: str
) -> None:
    store: Any = RedisClientStore(Odd(**replies))
    arguments = ("nonce", "record", 60.0) if method == "put" else ("nonce",)
    with pytest.raises(StoreError, match=fact) as caught:
        getattr(store, method)(*arguments)
    assert caught.value.code == "store_failed"
    assert "secret" not in "".join(traceback.format_exception(caught.value))


def test_a_value_longer_than_the_limit_is_not_fetched(socket: Path) -> None:
    async def read_it() -> list[str]:
        texts = []
        plain: Any = redis.Redis(unix_socket_path=str(socket))
        plain.setrange("portier:session:huge", 200_000_000, "x")
        with plain, pytest.raises(StoreError) as caught:
            RedisClientStore(plain).take("huge")
        texts.append(str(caught.value))
        async with redis.asyncio.Redis(unix_socket_path=str(socket)) as client:
            taking: Any = RedisClientStore(client).take("huge")
            with pytest.raises(StoreError) as caught:
                await taking
            texts.append(str(caught.value))
            await client.delete("portier:session:huge")
        return texts

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert asyncio.run(read_it()) == ["redis holds a value that is too long to be a record"] * 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_repr_shows_no_server(socket: Path) -> None:
    with redis.Redis(unix_socket_path=str(socket), password="secret") as client:
        store = RedisClientStore(client)
        assert repr(store) == "<portier_client.stores.RedisClientStore prefix='portier:'>"


def test_importing_the_store_does_not_import_redis() -> None:
    code = "import portier_client.stores, sys; assert 'redis' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
