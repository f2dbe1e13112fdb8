"""The broker and the Redis server of a soak. Both can be killed, stopped and restarted."""

from __future__ import annotations

import json
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import redis

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

HERE = Path(__file__).resolve().parent
# Seconds until a server listens, also on a busy machine.
PATIENCE = 600


class Environment:
    """Both servers, on fixed ports."""

    def __init__(self, share_of_faults: float) -> None:
        self.share_of_faults = share_of_faults
        self.broker_port, self.mint_port, self.redis_port = free_ports(3)
        self.broker_told: list[dict[str, Any]] = []
        self._generation = 0
        self._folder = tempfile.TemporaryDirectory()
        self._faulty = False

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.broker_port}"

    def redis_url(self, prefix: str) -> str:
        return f"redis://127.0.0.1:{self.redis_port}/0?prefix={prefix}:"

    def __enter__(self) -> Self:
        self.start_redis()
        self.start_broker()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill_broker()
        self.kill_redis(signal.SIGKILL)
        self._folder.cleanup()

    def start_broker(self, *, other_keys: bool = False) -> None:
        if other_keys:
            self._generation += 10_000
        numbers = (self.broker_port, self.mint_port, self._generation, self._share())
        command = [sys.executable, str(HERE / "broker.py"), *map(str, numbers)]
        self.broker = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        listens = threading.Event()
        threading.Thread(target=self._listen, args=(self.broker, listens), daemon=True).start()
        if not listens.wait(PATIENCE):
            raise TimeoutError("the broker does not listen")

    def kill_broker(self) -> None:
        end(self.broker, signal.SIGKILL)

    def command(self, line: str) -> None:
        """Sends a command to the broker. Rotations of its keys survive a restart."""
        if line == "rotate":
            self._generation += 1
        elif line == "forget":
            self._generation += 100
        assert self.broker.stdin is not None
        self.broker.stdin.write(f"{line}\n")
        self.broker.stdin.flush()

    def begin_faults(self) -> None:
        """Makes the broker fail its share of the requests from now on."""
        self._faulty = True
        self.command(f"faults {self._share()}")

    def end_faults(self) -> None:
        self._faulty = False
        self.command("faults 0")

    def start_redis(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise FileNotFoundError("there is no redis-server here; see `make redis`")
        options = ["--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", ""]
        self.redis = subprocess.Popen(
            [program, *options, "--dir", self._folder.name], stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + PATIENCE
        while not self._redis_answers():
            if self.redis.poll() is not None or time.monotonic() > deadline:
                raise TimeoutError("redis-server does not listen")
            time.sleep(0.02)

    def kill_redis(self, how: signal.Signals) -> None:
        end(self.redis, how)

    def drop_redis_connections(self) -> None:
        with redis.Redis(port=self.redis_port) as client:
            client.client_kill_filter(_type="normal", skipme=True)

    @staticmethod
    @contextmanager
    def stopped(process: subprocess.Popen[Any]) -> Iterator[None]:
        """A stopped process whose connections stay open."""
        process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            process.send_signal(signal.SIGCONT)

    def _share(self) -> float:
        return self.share_of_faults if self._faulty else 0

    def _redis_answers(self) -> bool:
        with redis.Redis(port=self.redis_port) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

    def _listen(self, broker: subprocess.Popen[str], listens: threading.Event) -> None:
        assert broker.stdout is not None
        with broker.stdout:
            for line in broker.stdout:
                self.broker_told.append(json.loads(line))
                listens.set()


def end(process: subprocess.Popen[Any], how: signal.Signals) -> None:
    """Ends a process and its input."""
    process.send_signal(how)
    process.wait()
    if process.stdin is not None:
        process.stdin.close()


def free_ports(count: int) -> list[int]:
    """Ports without a listener, outside of the range that the system uses for connections."""
    range_of_the_system = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii")
    first = int(range_of_the_system.split()[0])
    ports: list[int] = []
    # Another program may look for ports at the same time, and ours are not always in use.
    while len(ports) < count:
        port = random.randrange(first // 2, first)
        with suppress(OSError), socket.socket() as listener:
            listener.bind(("127.0.0.1", port))
            ports.append(port)
    return ports
