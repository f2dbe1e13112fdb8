"""Pending logins in an SQLite file, for forked processes."""

from __future__ import annotations

import asyncio
import os
import secrets
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from portier_client import Client, ConfigError, SessionUsed, blocking

from ..forks import every_fork, in_child, join, needs_fork, start_child

if TYPE_CHECKING:
    from collections.abc import Callable

    from portier_client.testing import DevBroker

    from ..forks import Fork

REDIRECT_URI = "https://example.com/verify"
PROCESSES = 8
LOGINS = 25

# Newer Pythons warn about forks with threads, which are tested here.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The URL of a file that does not exist yet."""
    tmp_path.chmod(0o700)
    return f"sqlite:///{tmp_path}/logins.db"


@needs_fork
@every_fork
def test_a_forked_child_completes_a_login_of_its_parent(
    url: str, broker: DevBroker, fork: Fork
) -> None:
    client = blocking.Client(REDIRECT_URI, broker=broker.origin, store=url)
    client.warm()
    for _ in range(5):
        # The parent has just used its store when the child is forked.
        token = broker.mint(client.authenticate("alice@example.com"))

        def complete(token: str = token) -> None:
            assert client.verify(token) == "alice@example.com"
            # The parent's documents are in the store.
            assert client.stats()["keys"]["requests"] == 0
            client.authenticate("bob@example.com")

        assert in_child(complete, fork) == 0
        with pytest.raises(SessionUsed):
            client.verify(token)
    client.close()


@needs_fork
@every_fork
def test_forked_workers_share_a_client_made_before_the_fork(
    url: str, tmp_path: Path, broker: DevBroker, fork: Fork
) -> None:
    client = Client(REDIRECT_URI, broker=broker.origin, store=url)

    async def prepare() -> list[str]:
        urls = [await client.authenticate("alice@example.com") for _ in range(LOGINS)]
        return [broker.mint(url) for url in urls]

    tokens = asyncio.run(prepare())

    async def attempt(token: str) -> bool:
        try:
            return await client.verify(token) == "alice@example.com"
        except SessionUsed:
            return False

    async def work(number: int) -> None:
        won = await asyncio.gather(*(attempt(token) for token in tokens))
        (tmp_path / f"won-{number}").write_text(str(sum(won)))

    children = [
        start_child(lambda n=number: asyncio.run(work(n)), fork) for number in range(PROCESSES)
    ]
    assert [join(child) for child in children] == [0] * PROCESSES
    won = [int((tmp_path / f"won-{number}").read_text()) for number in range(PROCESSES)]
    assert sum(won) == LOGINS
    with sqlite3.connect(tmp_path / "logins.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    database.close()


@needs_fork
@every_fork
def test_a_child_that_is_forked_during_a_transaction_uses_the_store(
    url: str, tmp_path: Path, broker: DevBroker, fork: Fork
) -> None:
    client = Client(REDIRECT_URI, broker=broker.origin, store=url)

    def log_in() -> None:
        for other in (url, f"sqlite:///{tmp_path}/other.db"):
            fresh = blocking.Client(REDIRECT_URI, broker=broker.origin, store=other)
            token = broker.mint(fresh.authenticate("bob@example.com"))
            assert fresh.verify(token) == "bob@example.com"
        token = broker.mint(asyncio.run(client.authenticate("bob@example.com")))
        assert asyncio.run(client.verify(token)) == "bob@example.com"

    def log_in_and_fork() -> None:
        log_in()
        assert in_child(log_in, fork) == 0
        log_in()

    async def fork_while_it_writes() -> list[int]:
        over = False

        async def write() -> None:
            while not over:
                await client.authenticate("alice@example.com")

        writers = [asyncio.create_task(write()) for _ in range(20)]
        statuses = []
        for _ in range(10):
            await asyncio.sleep(0.01)
            statuses.append(await_child(log_in_and_fork))
        over = True
        await asyncio.gather(*writers)
        return statuses

    def await_child(work: Callable[[], None]) -> int:
        def outside_of_the_loop() -> None:
            asyncio.events._set_running_loop(None)
            work()

        return in_child(outside_of_the_loop, fork)

    assert asyncio.run(fork_while_it_writes()) == [0] * 10
    log_in()


@needs_fork
@every_fork
def test_a_fork_does_not_wait_for_a_file_that_another_process_has_locked(
    url: str, tmp_path: Path, broker: DevBroker, fork: Fork
) -> None:
    client = Client(REDIRECT_URI, broker=broker.origin, store=url)
    other = sqlite3.connect(tmp_path / "logins.db", isolation_level=None)

    def log_in() -> None:
        with blocking.Client(REDIRECT_URI, broker=broker.origin, store=f"{url}2") as client:
            client.authenticate("bob@example.com")

    async def start() -> None:
        await client.warm()
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(client.authenticate("alice@example.com"))
        await asyncio.sleep(0.05)
        before = time.monotonic()
        assert in_child(lambda: None, fork) == 0
        # The store would wait for two seconds.
        assert time.monotonic() - before < 1.5
        other.execute("COMMIT")
        other.close()
        await waiting

    asyncio.run(start())
    assert in_child(log_in, fork) == 0


@needs_fork
@every_fork
def test_a_daemon_that_forks_twice_uses_the_store(url: str, broker: DevBroker, fork: Fork) -> None:
    client = blocking.Client(REDIRECT_URI, broker=broker.origin, store=url)
    token = broker.mint(client.authenticate("alice@example.com"))
    outcome, report = os.pipe()

    def become_daemon() -> None:
        os.setsid()

        def serve() -> None:
            os.write(report, client.verify(token).encode())

        # The first child ends without waiting.
        start_child(serve, fork)

    assert in_child(become_daemon, fork) == 0
    os.close(report)
    with os.fdopen(outcome, "rb") as stream:
        assert stream.read() == b"alice@example.com"
    with pytest.raises(SessionUsed):
        client.verify(token)


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:////nowhere/at/all/logins.db"]
)
def test_a_url_without_a_usable_file_is_refused_when_the_client_is_made(url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Client(REDIRECT_URI, store=url)
    assert refused.value.code == "invalid_option"
    if "nowhere" in url:
        assert str(refused.value).endswith("directory=/nowhere/at/all")


@pytest.mark.skipif(os.name != "posix", reason="the system has other permissions")
def test_a_file_in_the_temporary_directory_of_the_system_works(broker: DevBroker) -> None:
    path = Path(tempfile.gettempdir()) / f"portier-client-{secrets.token_hex(8)}.db"
    try:
        with blocking.Client(
            REDIRECT_URI, broker=broker.origin, store=f"sqlite:///{path}"
        ) as client:
            token = broker.mint(client.authenticate("alice@example.com"))
            assert client.verify(token) == "alice@example.com"
            with pytest.raises(SessionUsed):
                client.verify(token)
    finally:
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()


@pytest.mark.skipif(os.name != "posix", reason="the system has other permissions")
def test_a_directory_that_others_may_write_is_refused_with_advice(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(ConfigError) as refused:
        Client(REDIRECT_URI, store=f"sqlite:///{tmp_path}/logins.db")
    assert refused.value.code == "invalid_option"
    assert "use a directory of its own, mode 0700" in str(refused.value)
    assert str(refused.value).endswith(f"owner={os.getuid()} user={os.geteuid()} mode=0777")
    assert "chmod" not in str(refused.value)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the system has no list of files")
def test_unused_clients_keep_no_file_open(url: str) -> None:
    clients = [Client(REDIRECT_URI, store=url) for _ in range(200)]
    names = [path.readlink().name for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    assert not [name for name in names if name.startswith("logins.db")]
    assert len(clients) == 200
