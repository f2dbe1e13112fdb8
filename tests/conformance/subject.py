"""A client under test: the process of an adapter, its input and its output."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import IO, Self

ROOT = Path(__file__).resolve().parents[2]
ADAPTERS = Path(__file__).resolve().parent / "adapters"
COMMANDS = {
    "rust": [str(ROOT / "target/debug/portier-client-conformance")],
    "python": [sys.executable, str(ADAPTERS / "python.py")],
    "node": [os.environ.get("NODE", "node"), str(ADAPTERS / "node.mjs")],
}

# The limit for an answer, in seconds; a client normally needs milliseconds.
LIMIT = 30


@dataclass(frozen=True)
class Answer:
    """One line of output: success or not, and the values."""

    ok: bool
    values: tuple[str, ...]

    @property
    def code(self) -> str:
        """The error's code, or a text that shows the success."""
        return f"ok: {self.values}" if self.ok else self.values[0].partition(":")[0]


class Subject:
    """A running adapter. Commands may be sent before earlier answers are read."""

    def __init__(self, language: str, broker: str, **settings: str) -> None:
        hidden = {"http_proxy", "https_proxy", "all_proxy"}
        environment = {k: v for k, v in os.environ.items() if k.lower() not in hidden}
        environment |= {f"CONFORMANCE_{name.upper()}": text for name, text in settings.items()}
        self._process = subprocess.Popen(
            [*COMMANDS[language], broker],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=environment,
        )
        assert self._process.stdin is not None
        self._input = self._process.stdin
        self._answers = _lines_of(self._process.stdout)
        self._marks = _lines_of(self._process.stderr)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Ends the input; the client must then end at once, without output."""
        if kind is not None:
            self._process.kill()
        self._input.close()
        try:
            status = self._process.wait(LIMIT)
        finally:
            self._process.kill()
        if kind is None:
            assert (status, list(iter(self._marks.get, None))) == (0, [])

    def ask(self, *fields: str) -> Answer:
        """Sends a command and returns its answer."""
        self.send([fields])
        return self.answer()

    def send(self, commands: Iterable[tuple[str, ...]]) -> None:
        """Sends several commands without waiting for answers."""
        self._input.write("".join("\t".join(fields) + "\n" for fields in commands))
        self._input.flush()

    def answer(self) -> Answer:
        """The next answer."""
        line = self._answers.get(timeout=LIMIT)
        assert line is not None, ("the client left", *iter(self._marks.get, None))
        result, *values = line.split("\t")
        assert result in {"ok", "err"}
        return Answer(result == "ok", tuple(values))

    def await_mark(self, text: str) -> None:
        """Waits until the client has read a `mark`, and so all commands before it."""
        assert self._marks.get(timeout=LIMIT) == text

    def start(self, email: str, *state: str) -> str:
        """Starts a login and returns its URL."""
        answer = self.ask("auth", email, *state)
        assert answer.ok, answer
        return answer.values[0]

    def verify(self, token: str) -> str:
        """The code with which a token is refused, or a text that shows the success."""
        return self.ask("verify", token).code


def _lines_of(stream: IO[str] | None) -> queue.SimpleQueue[str | None]:
    """The lines of output; `None` marks the end."""
    assert stream is not None
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        with stream:
            for line in stream:
                lines.put(line.rstrip("\n"))
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    return lines
