"""Logins in Redis, with the URL of the store."""

from __future__ import annotations

import asyncio
import multiprocessing
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import redis

from portier_client import Client, ConfigError, InvalidSession, SessionUsed, StoreError, blocking
from portier_client.testing import check_store, open_store

from ..forks import in_child, needs_fork
from .servers import redis_server
from .written import REDIRECT_URI

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from portier_client.testing import DevBroker


@pytest.fixture(scope="module")
def socket() -> Iterator[Path]:
    with redis_server() as socket:
        yield socket


@pytest.fixture(scope="module")
def url(socket: Path) -> str:
    return f"redis+unix://{socket}"


def test_the_store_passes_check_store(url: str) -> None:
    with redis_server("--maxmemory", "1") as full:
        asyncio.run(
            check_store(
                lambda: open_store(url),
                full=lambda: open_store(f"redis+unix://{full}"),
                gone=lambda: open_store(f"{url}-nobody"),
            )
        )


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@needs_fork
def test_a_forked_child_opens_its_own_connection(url: str, socket: Path, broker: DevBroker) -> None:
    client = Client(REDIRECT_URI, broker=broker.origin, store=url)
    used, pending, another = (
        broker.mint(asyncio.run(client.authenticate("alice@example.com"))) for _ in range(3)
    )
    assert asyncio.run(client.verify(used)) == "alice@example.com"

    def child() -> None:
        with pytest.raises(SessionUsed):
            asyncio.run(client.verify(used))
        assert asyncio.run(client.verify(pending)) == "alice@example.com"

    assert in_child(child) == 0
    with redis.Redis(unix_socket_path=str(socket)) as admin:
        assert admin.info("stats")["total_connections_received"] >= 2
    # Neither process received a reply that was meant for the other one.
    with pytest.raises(SessionUsed):
        asyncio.run(client.verify(pending))
    assert asyncio.run(client.verify(another)) == "alice@example.com"


def attempt(url: str, origin: str, tokens: list[str], start: object, wins: object) -> None:
    """The work of one process: verifies all tokens once all processes are ready."""
    client = blocking.Client(REDIRECT_URI, broker=origin, store=url)
    client.warm()
    start.wait(30)  # type: ignore[attr-defined]
    count = 0
    for token in tokens:
        try:
            client.verify(token)
            count += 1
        except InvalidSession:
            pass
    wins.put(count)  # type: ignore[attr-defined]


def test_exactly_one_of_many_processes_completes_a_login(url: str, broker: DevBroker) -> None:
    client = blocking.Client(REDIRECT_URI, broker=broker.origin, store=url)
    tokens = [broker.mint(client.authenticate("alice@example.com")) for _ in range(100)]
    context = multiprocessing.get_context("spawn")
    start, wins = context.Barrier(4), context.Queue()
    arguments = (url, broker.origin, tokens, start, wins)
    processes = [context.Process(target=attempt, args=arguments, daemon=True) for _ in range(4)]
    for process in processes:
        process.start()
    counts = [wins.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(30)
    assert sum(counts) == len(tokens)


def test_an_unreachable_server_is_a_store_error(url: str, broker: DevBroker) -> None:
    client = blocking.Client(REDIRECT_URI, broker=broker.origin, store=f"{url}-nobody")
    with pytest.raises(StoreError) as caught:
        client.authenticate("alice@example.com")
    assert caught.value.code == "store_unavailable"
    assert caught.value.retryable


def test_an_error_does_not_show_the_url() -> None:
    for text in ("redis://:hunter2@", "redis://:hunter2@host?x=1", "redis://:hunter2 @host"):
        with pytest.raises(ConfigError) as caught:
            Client(REDIRECT_URI, store=text)
        assert caught.value.code == "invalid_option"
        assert "hunter2" not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_a_value_longer_than_the_limit_is_not_read_into_memory(url: str, socket: Path) -> None:
    code = """
import resource
import sys
import redis
from portier_client import StoreError, blocking
from portier_client.testing import DevBroker

url, socket = sys.argv[1:]
with DevBroker() as broker, redis.Redis(unix_socket_path=socket) as server:
    site = blocking.Client("https://example.com/verify", broker=broker.origin, store=url)
    one, other = (broker.mint(site.authenticate("alice@example.com")) for _ in range(2))
    names = server.keys("huge:session:*")
    assert len(names) == 2
    for name in (*names, "huge:document:a"):
        server.setrange(name, 200_000_000, "x")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for token in (one, other):
        try:
            site.verify(token)
        except StoreError as error:
            assert error.code in {"store_failed", "store_unavailable"}, error
        else:
            raise AssertionError
    # The server may still be busy with the long replies.
    server.ping()
    assert site.verify(broker.mint(site.authenticate("alice@example.com"))) == "alice@example.com"
    growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert growth < 50_000, growth
    server.flushall()
"""
    command = [sys.executable, "-c", code, f"{url}?prefix=huge:", str(socket)]
    subprocess.run(command, check=True, timeout=60)


def test_an_unknown_url_parameter_is_named_in_the_error() -> None:
    for query, name in (
        ("ssl_certfile=/etc/client.pem", "ssl_certfile"),
        ("ssl_cert_reqs=none", "ssl_cert_reqs"),
        ("insecure=true", "insecure"),
        ("prefix=a:&prefix=b:", "prefix"),
        ("db=1", "db"),
    ):
        with pytest.raises(ConfigError, match=f" parameter={name}$") as caught:
            Client(REDIRECT_URI, store=f"rediss://:secret@localhost?{query}")
        assert caught.value.code == "invalid_option"
        assert "secret" not in str(caught.value)
