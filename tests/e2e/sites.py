"""The example sites, as processes on this machine."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Self

from .broker import ROOT
from .ports import Port
from .program import Program

if TYPE_CHECKING:
    from types import TracebackType

_NODE = os.environ.get("NODE", "node")

COMMANDS = {
    "tornado": [sys.executable, str(ROOT / "python" / "examples" / "tornado" / "app.py")],
    "fastify": [_NODE, str(ROOT / "node" / "examples" / "fastify" / "app.mjs")],
    "express": [_NODE, str(ROOT / "node" / "examples" / "express" / "app.mjs")],
}
SITES = list(COMMANDS)

# The sites of the tests in a browser. The library sends the same bytes to every site, as the tests
# over HTTP show; what a browser does with them is tested with one site. The pages of the example
# sites are written once for each language.
ONE_SITE = ["tornado"]
ONE_OF_EACH_LANGUAGE = ["tornado", "fastify"]


class Site:
    """An example site that logs in with the broker at `broker`.

    `options` are what the examples read from the environment, such as `response_mode="fragment"`,
    `algorithms="EdDSA"` or `store="sqlite:///…"`.
    """

    def __init__(self, name: str, broker: str, **options: str) -> None:
        self.name = name
        self._port = Port()
        self.origin = f"http://localhost:{self._port.number}"
        self._options = {"broker": broker, "port": str(self._port.number), **options}
        self._program: Program | None = None

    def start(self) -> None:
        """Start it, and return when it accepts requests."""
        assert self._program is None
        options = {name.upper(): value for name, value in self._options.items()}
        environment = {**os.environ, "NODE_ENV": "production", **options}
        self._program = Program(COMMANDS[self.name], environment, ready="Open http")

    def stop(self) -> None:
        """Stop it, and return when it has ended; does nothing if it does not run."""
        if self._program is not None:
            self._program.stop()
            self._program = None

    @property
    def log(self) -> str:
        """Its output since the start."""
        return "" if self._program is None else "".join(self._program.printed)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._port.release()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self._port.release()


def can_run(name: str) -> bool:
    """Whether the program that runs the site is installed."""
    return shutil.which(COMMANDS[name][0]) is not None
