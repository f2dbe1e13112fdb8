"""Programs that run beside the tests."""

from __future__ import annotations

import subprocess
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SECONDS_TO_WAIT = 60
SECONDS_TO_STOP = 30


class Program:
    """A server as a process, which is ready once it has printed a certain text."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], ready: str) -> None:
        self.printed: list[str] = []
        self._news = threading.Condition()
        self._ended = False
        self._process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.wait_for(ready)
        except BaseException:
            self.stop()
            raise

    def wait_for(self, text: str, times: int = 1) -> None:
        """Wait until it has printed this number of lines with a text."""

        def is_printed() -> bool:
            return sum(text in line for line in self.printed) >= times

        with self._news:
            self._news.wait_for(lambda: self._ended or is_printed(), SECONDS_TO_WAIT)
            if not is_printed():
                raise RuntimeError(f"never printed: {text}\n{''.join(self.printed)}")

    def stop(self) -> None:
        """End it like an operator does."""
        self._process.terminate()
        try:
            self._process.wait(SECONDS_TO_STOP)
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                with self._news:
                    self.printed.append(line)
                    self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()
