"""Servers for store tests."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def redis_server(*options: str) -> Iterator[Path]:
    """A Redis server for one test; yields its socket."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("there is no redis-server here")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "redis.sock"
        command = [program, "--port", "0", "--unixsocket", str(path), "--save", "", *options]
        log = (Path(folder) / "log").open("wb")
        with log, subprocess.Popen(command, cwd=folder, stdout=log) as process:
            try:
                wait_for(path, process)
                yield path
            finally:
                process.terminate()


def wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    with redis.Redis(unix_socket_path=str(path)) as client:
        while True:
            try:
                client.ping()
            except redis.ConnectionError:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.01)
            else:
                return
