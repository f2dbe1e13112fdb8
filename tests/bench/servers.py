"""Servers for measurements."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def redis_server() -> Iterator[Path | None]:
    """The socket of a Redis server without persistence, if the program is installed."""
    program = shutil.which("redis-server")
    if program is None:
        print("LEFT OUT: redis-server is missing: apt-get install redis-server", file=sys.stderr)
        yield None
        return
    with tempfile.TemporaryDirectory() as name:
        socket = Path(name) / "redis.sock"
        server = subprocess.Popen(
            [program, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", name],
            stdout=subprocess.DEVNULL,
        )
        try:
            while not socket.exists():
                if server.poll() is not None:
                    raise RuntimeError(f"redis-server has ended status={server.returncode}")
                time.sleep(0.01)
            yield socket
        finally:
            server.kill()
            server.wait()
