"""Programs that run beside the tests."""

from __future__ import annotations

import subprocess
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SECONDS_TO_START = 30
SECONDS_TO_STOP = 10


class Program:
    """A server as a process, which is ready once it has printed a certain text."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], ready: str) -> None:
        self.printed: list[str] = []
        self._ready = threading.Event()
        self._process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, args=(ready,), daemon=True)
        self._reader.start()
        self._wait(command[0], ready)

    def stop(self) -> None:
        """End it, as whoever runs a server does."""
        self._process.terminate()
        try:
            self._process.wait(SECONDS_TO_STOP)
        finally:
            self._process.kill()
            self._reader.join()

    def _read(self, ready: str) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self.printed.append(line)
                if ready in line:
                    self._ready.set()
        # The end, too, is something to wait for.
        self._ready.set()

    def _wait(self, name: str, ready: str) -> None:
        in_time = self._ready.wait(SECONDS_TO_START)
        if in_time and any(ready in line for line in self.printed):
            return
        self._process.kill()
        self._reader.join()
        raise RuntimeError(f"{name} did not start:\n{''.join(self.printed)}")
