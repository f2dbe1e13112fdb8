"""Runs a server, finds its workers, and sends requests to each of them."""

from __future__ import annotations

import itertools
import os
import random
import signal
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SITES = Path(__file__).parent / "sites"
# Longer than any of these servers needs on a busy machine.
PATIENCE = 60

# Below the range that systems use for outgoing connections; other processes of xdist use others.
_PROCESS = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_PORTS = range(16_384 + _PROCESS, 32_768, 16)


@dataclass(frozen=True)
class Server:
    """How a server is started, and how one of its workers is reached."""

    command: Callable[[list[int]], list[str]]
    """Makes the command line for these ports."""
    # The signal that ends the server cleanly, with its workers; `None` if there is none.
    stop: signal.Signals | None = signal.SIGTERM
    # The signal that loads the site again in new workers, without an interruption.
    reload: signal.Signals | None = None
    ports: int = 1
    workers: int = 2
    # To choose one of several workers that accept connections, the tests suspend the others. If
    # another process hands out connections in turn, the tests keep a connection to each worker.
    hands_out: bool = False
    # Workers that hold a lock while they wait cannot be suspended. Then the request names the
    # worker, other workers do nothing, and the request is repeated until that worker answers.
    repeats: bool = False
    variables: dict[str, str] = field(default_factory=dict)


class Site:
    """A site that is being served."""

    def __init__(
        self, server: Server, ports: list[int], process: subprocess.Popen[bytes], log: Path
    ) -> None:
        self._server = server
        self._process = process
        self._ports = ports
        self._log = log
        self._kept: dict[str, HTTPConnection] = {}
        self._stack = ExitStack()
        self.workers: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def find_workers(self, count: int) -> None:
        """Sends requests until `count` workers have answered."""
        self.workers = []
        deadline = time.monotonic() + PATIENCE
        for port in itertools.cycle(self._ports):
            worker = self._find_another(port)
            if worker not in self.workers:
                self.workers.append(worker)
            if len(self.workers) == count:
                return
            # Other workers may still be starting.
            assert time.monotonic() < deadline, f"only {self.workers} answered\n{self.log()}"
            time.sleep(0.01)

    def ask(self, worker: str, path: str, **form: str) -> str:
        """Sends a request to this worker."""
        if self._server.repeats:
            answered_by, answer = self._repeat(path, {**form, "worker": worker})
        else:
            with self.connection(worker) as connection:
                answered_by, answer = exchange(connection, path, form)
        assert answered_by == worker
        return answer

    @contextmanager
    def connection(self, worker: str) -> Iterator[HTTPConnection]:
        """A connection to this worker, for one request."""
        if self._server.hands_out:
            yield self._kept[worker]
            return
        others = [other for other in self.workers if other != worker]
        with self._suspended(others), self._connection(self._ports[0]) as connection:
            yield connection

    def reload(self) -> None:
        """Makes the server replace its workers, and waits until the old ones have ended."""
        assert self._server.reload is not None
        old = self.workers
        self._process.send_signal(self._server.reload)
        for worker in old:
            wait_until(lambda: has_ended(int(worker)), "an old worker goes on")  # noqa: B023
        self.find_workers(len(old))

    def replace(self, worker: str) -> None:
        """Sends requests to this worker until the server has replaced it."""
        deadline = time.monotonic() + PATIENCE
        with self._suspended(other for other in self.workers if other != worker):
            while self._reached(worker):
                assert time.monotonic() < deadline, f"{worker} is not replaced\n{self.log()}"
        wait_until(lambda: has_ended(int(worker)), "a replaced worker goes on")
        self.find_workers(len(self.workers))

    def log(self) -> str:
        """The output of the server and its workers so far."""
        # PM2 shows the output of its processes only when all of them run.
        files = [*self._log.parent.glob("pm2/logs/*.log")] or [self._log]
        return "".join(file.read_text(encoding="utf-8", errors="replace") for file in files)

    def _find_another(self, port: int) -> str:
        if self._server.repeats:
            return self._exchange(port, "/", {})[0]
        if not self._server.hands_out:
            with self._suspended(self.workers):
                return self._exchange(port, "/", {})[0]
        connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        worker = exchange(connection, "/", {})[0]
        if worker in self._kept:
            connection.close()
        else:
            self._stack.callback(connection.close)
            self._kept[worker] = connection
        return worker

    def _reached(self, worker: str) -> bool:
        """Whether this worker still accepts connections."""
        try:
            return self._exchange(self._ports[0], "/", {})[0] == worker
        except (ConnectionError, HTTPException):
            # An ending worker may close a connection without a response.
            return True

    def _repeat(self, path: str, form: dict[str, str]) -> tuple[str, str]:
        deadline = time.monotonic() + PATIENCE
        while True:
            answered_by, answer = self._exchange(self._ports[0], path, form)
            if answered_by == form["worker"]:
                return answered_by, answer
            assert time.monotonic() < deadline, f"{form['worker']} does not answer\n{self.log()}"

    def _exchange(self, port: int, path: str, form: dict[str, str]) -> tuple[str, str]:
        with self._connection(port) as connection:
            return exchange(connection, path, form)

    @contextmanager
    def _connection(self, port: int) -> Iterator[HTTPConnection]:
        connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def _suspended(self, workers: Iterator[str] | list[str]) -> Iterator[None]:
        """Suspends these processes, so that they accept no connections."""
        with ExitStack() as stack:
            for worker in workers:
                pid = int(worker)
                stack.callback(os.kill, pid, signal.SIGCONT)
                os.kill(pid, signal.SIGSTOP)
                wait_until(lambda pid=pid: is_suspended(pid), "a worker does not stop")  # type: ignore[misc]
            yield


@contextmanager
def serving(
    server: Server, folder: Path, *, broker: str, store: str, **more: str
) -> Iterator[Site]:
    """Serves a site until the block ends, and then ends the server with its own signal."""
    ports = [free_port() for _ in range(server.ports)]
    path = [str(SITES), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, path)),
        "BROKER": broker,
        "STORE": store,
        "PORTS": ",".join(map(str, ports)),
        **{name: value.format(folder=folder) for name, value in server.variables.items()},
        **more,
    }
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [word.format(folder=folder) for word in server.command(ports)],
            env=environment,
            cwd=SITES,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    site = Site(server, ports, process, log)
    try:
        for port in ports:
            wait_until(lambda port=port: listens(port, process, site), "no server listens")  # type: ignore[misc]
        with site:
            site.find_workers(server.workers)
            yield site
        if server.stop is not None:
            process.send_signal(server.stop)
            process.wait(timeout=PATIENCE)
    finally:
        end(process, site.workers)


def end(process: subprocess.Popen[bytes], workers: list[str]) -> None:
    """Kills all remaining processes."""
    pids = {int(worker.partition(".")[0]) for worker in workers}
    for kill, target in [(os.killpg, process.pid), *((os.kill, pid) for pid in pids)]:
        try:
            kill(target, signal.SIGKILL)
        except ProcessLookupError:
            continue
    process.wait()


def exchange(connection: HTTPConnection, path: str, form: dict[str, str]) -> tuple[str, str]:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", path, urlencode(form), headers)
    response = connection.getresponse()
    body = response.read().decode()
    assert response.status == 200, (response.status, body)
    worker, _, answer = body.partition(" ")
    return worker, answer


def free_port() -> int:
    """A port without a listener, which no other test gets."""
    while True:
        port = random.choice(_PORTS)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def listens(port: int, process: subprocess.Popen[bytes], site: Site) -> bool:
    assert process.poll() is None, f"the server ended before it listened\n{site.log()}"
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def has_ended(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def is_suspended(pid: int) -> bool:
    """Whether all threads of the process are stopped."""
    tasks = Path(f"/proc/{pid}/task").glob("*/stat")
    return all(task.read_text().rpartition(")")[2].split()[0] in "TtZ" for task in tasks)


def wait_until(condition: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.01)
