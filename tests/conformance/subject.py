"""A client under test: the process of an adapter, and what is said to it and by it."""

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

# For an answer, in seconds; a healthy client needs milliseconds.
LIMIT = 30


@dataclass(frozen=True)
class Answer:
    """One line: whether it went well, and what came of it."""

    ok: bool
    values: tuple[str, ...]

    @property
    def code(self) -> str:
        """The error's code, or what shows best that there is none."""
        return f"ok: {self.values}" if self.ok else self.values[0].partition(":")[0]


class Subject:
    """Runs until it is closed. Commands may be sent ahead of reading their answers."""

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
        """The end of the input ends the client, quietly and at once."""
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
        """Sends a command and gives its answer."""
        self.send([fields])
        return self.answer()

    def send(self, commands: Iterable[tuple[str, ...]]) -> None:
        """Sends commands at once."""
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
        """Waits until a `mark` was read, and with it all commands before it."""
        assert self._marks.get(timeout=LIMIT) == text

    def start(self, email: str, *state: str) -> str:
        """Starts a login and gives its URL."""
        answer = self.ask("auth", email, *state)
        assert answer.ok, answer
        return answer.values[0]

    def verify(self, token: str) -> str:
        """The code with which a token is refused, or what shows that it was not."""
        return self.ask("verify", token).code


def _lines_of(stream: IO[str] | None) -> queue.SimpleQueue[str | None]:
    """The lines as they come; `None` is the end."""
    assert stream is not None
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        with stream:
            for line in stream:
                lines.put(line.rstrip("\n"))
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    return lines
