"""Pending logins in an SQLite file, for processes that are forked."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from portier_client import Client, ConfigError, SessionUsed, blocking

if TYPE_CHECKING:
    from collections.abc import Callable

    from portier_client.testing import DevBroker

REDIRECT_URI = "https://example.com/verify"
PROCESSES = 8
LOGINS = 25

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
# Newer Pythons warn about what is tested here.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The URL of a file that is not there yet."""
    tmp_path.chmod(0o700)
    return f"sqlite:///{tmp_path}/logins.db"


def fork(work: Callable[[], object]) -> int:
    """Runs this in a forked child, whose process id it returns."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return child


def join(child: int) -> int:
    """The exit status of a child."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@needs_fork
def test_nst_20_a_child_completes_what_its_parent_started(url: str, broker: DevBroker) -> None:
    client = blocking.Client(REDIRECT_URI, broker=broker.origin, store=url)
    client.warm()
    for _ in range(5):
        # The parent has used its store a moment ago, when the child comes into being.
        token = broker.mint(client.authenticate("alice@example.com"))

        def complete(token: str = token) -> None:
            assert client.verify(token) == "alice@example.com"
            # The parent's documents are in the store.
            assert client.stats()["keys"]["requests"] == 0
            client.authenticate("bob@example.com")

        assert join(fork(complete)) == 0
        with pytest.raises(SessionUsed):
            client.verify(token)
    client.close()


@needs_fork
def test_nst_20_forked_workers_share_a_client_that_was_made_before(
    url: str, tmp_path: Path, broker: DevBroker
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

    children = [fork(lambda n=number: asyncio.run(work(n))) for number in range(PROCESSES)]
    assert [join(child) for child in children] == [0] * PROCESSES
    won = [int((tmp_path / f"won-{number}").read_text()) for number in range(PROCESSES)]
    assert sum(won) == LOGINS
    with sqlite3.connect(tmp_path / "logins.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    database.close()


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:////nowhere/at/all/logins.db"]
)
def test_a_url_of_no_file_is_refused_when_the_client_is_made(url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Client(REDIRECT_URI, store=url)
    assert refused.value.code == "invalid_option"
    assert "nowhere" not in str(refused.value)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the system has no list of files")
def test_ffi_22_clients_that_are_not_used_hold_nothing_open(url: str) -> None:
    clients = [Client(REDIRECT_URI, store=url) for _ in range(200)]
    names = [path.readlink().name for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    assert not [name for name in names if name.startswith("logins.db")]
    assert len(clients) == 200
