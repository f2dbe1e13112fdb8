"""Logins that start in one worker of a site and complete in another."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from .servers import NODE, PATIENCE, free_port, wait_for_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from portier_client.testing import DevBroker

SITES = Path(__file__).parent / "sites"
Command = tuple[list[str], dict[str, str]]


def tornado_forks(ports: list[int], broker: str, store: str) -> Command:
    return [sys.executable, str(SITES / "tornado_forks.py"), str(ports[0]), broker, store], {}


def gunicorn_preload(ports: list[int], broker: str, store: str) -> Command:
    command = [sys.executable, "-m", "gunicorn", "--preload", "--workers=2"]
    command += ["--worker-class=gthread", f"--bind=127.0.0.1:{ports[0]}", f"--chdir={SITES}"]
    command += ["--log-level=error", "--no-control-socket", "gunicorn_preload:application"]
    return command, {"BROKER": broker, "STORE": store}


def node_cluster(ports: list[int], broker: str, store: str) -> Command:
    return [NODE, str(SITES / "node_cluster.mjs"), str(ports[0]), broker, store], {}


def node_threads(ports: list[int], broker: str, store: str) -> Command:
    return [NODE, str(SITES / "node_threads.mjs"), *map(str, ports), broker, store], {}


@contextmanager
def running(command: Command, ports: list[int]) -> Iterator[None]:
    """Runs a site until the block ends."""
    arguments, variables = command
    environment = {**os.environ, **variables}
    process = subprocess.Popen(arguments, env=environment, start_new_session=True)
    try:
        for port in ports:
            wait_for_port(port, process)
        yield
    finally:
        # Its workers as well.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def connections(ports: list[int]) -> Iterator[list[HTTPConnection]]:
    """A connection to each of two workers, whichever the system gives new ones to."""
    workers: dict[str, HTTPConnection] = {}
    deadline = time.monotonic() + PATIENCE
    with ExitStack() as stack:
        for port in itertools.cycle(ports):
            connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            stack.callback(connection.close)
            workers.setdefault(ask(connection, "GET", "/who"), connection)
            if len(workers) == 2:
                break
            assert time.monotonic() < deadline, "the site has no second worker"
        yield list(workers.values())


def ask(connection: HTTPConnection, method: str, path: str, **form: str) -> str:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request(method, path, urlencode(form), headers)
    response = connection.getresponse()
    assert response.status == 200, path
    return response.read().decode()


@pytest.mark.parametrize(
    ("site", "count"),
    [(tornado_forks, 1), (gunicorn_preload, 1), (node_cluster, 1), (node_threads, 2)],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_nst_20_ffi_08_logins_go_through_two_workers(
    broker: DevBroker,
    store: str,
    site: Callable[[list[int], str, str], Command],
    count: int,
) -> None:
    ports = [free_port() for _ in range(count)]
    command = site(ports, broker.origin, store)
    with running(command, ports), connections(ports) as (one, other):
        for first, second in [(one, other), (other, one), (one, other)]:
            token = broker.mint(ask(first, "POST", "/start"))
            assert ask(second, "POST", "/verify", id_token=token) == "alice@example.com"
            assert ask(first, "POST", "/verify", id_token=token) == "session_used"
            assert ask(second, "POST", "/verify", id_token=token) == "session_used"
