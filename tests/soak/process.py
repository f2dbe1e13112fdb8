"""A process under test: its output, and what the system reports about it every second."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).resolve().parent

# glibc makes up to eight arenas for each processor, and adjusts its threshold for releasing memory
# by itself. Both change the resident memory for other reasons than leaks.
MALLOC = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "131072"}
# V8 collects garbage only when it must. With gigabytes of heap, garbage looks like a leak; this
# limit is large enough here. The program also calls `gc` itself.
NODE = ["--max-old-space-size=64", "--max-semi-space-size=2", "--expose-gc"]

COMMANDS = {
    "python": [sys.executable, "-W", "error", str(HERE / "subject.py")],
    "node": [os.environ.get("NODE", "node"), *NODE, str(HERE / "subject.mjs")],
}


@dataclass(frozen=True)
class Sample:
    """A sample of the process, with the seconds since the first login."""

    seconds: float
    logins: int
    resident_kib: int
    threads: int
    descriptors: int
    own: dict[str, int]


class Subject:
    """Runs from `start` until `end`."""

    def __init__(self, language: str, settings: Mapping[str, Any]) -> None:
        self.language = language
        self.samples: list[Sample] = []
        self.odd: list[dict[str, Any]] = []
        self.late: list[tuple[float, float]] = []
        self.counts: dict[str, int] = {}
        self.logins = 0
        self.errors = ""
        self.ready = threading.Event()
        self.done = threading.Event()
        self._own: dict[str, int] = {}
        self.begun = 0.0
        self._process = subprocess.Popen(
            [*COMMANDS[language], json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **MALLOC},
        )
        self._listening = [
            threading.Thread(target=work, daemon=True) for work in (self._listen, self._worry)
        ]
        for thread in self._listening:
            thread.start()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def sample(self) -> Sample:
        """Takes a sample of the process."""
        folder = Path(f"/proc/{self._process.pid}")
        status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        sample = Sample(
            seconds=round(time.monotonic() - self.begun, 1),
            logins=self.logins,
            resident_kib=int(status["VmRSS"].split()[0]),
            threads=int(status["Threads"]),
            descriptors=len(list((folder / "fd").iterdir())),
            own=self._own,
        )
        self.samples.append(sample)
        return sample

    def end(self, patience: float) -> int:
        """Ends the process, and returns its status."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            status = self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        for thread in self._listening:
            thread.join(patience)
        return status

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout:
            for line in self._process.stdout:
                told = json.loads(line)
                if "odd" in told:
                    self.odd.append(told["odd"])
                if "late" in told:
                    self.late.append(tuple(told["late"]))
                if "counts" in told:
                    self.counts, self.logins = told["counts"], told["logins"]
                    self._own = told["own"]
                if "ready" in told:
                    self.begun = time.monotonic()
                    self.ready.set()
                if "done" in told:
                    self.done.set()

    def _worry(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr:
            for line in self._process.stderr:
                self.errors += line
