"""The demonstration: one command, one address to open, one key to stop it."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from .conftest import EXAMPLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .visitor import Visitor

COMMAND = [sys.executable, str(EXAMPLE / "demo.py"), "--port"]
Demo = tuple["subprocess.Popen[str]", str]


@pytest.fixture(params=["memory:", "sqlite:///{}/logins.db"], ids=["memory", "sqlite"])
def demo(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Demo]:
    """The running demonstration, and the one address it printed; from two processes with SQLite."""
    process = subprocess.Popen(
        [*COMMAND, "0", "--store", request.param.format(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    printed = ""
    while "Ctrl-C" not in printed:
        line = process.stdout.readline()
        assert line, "the demonstration ended early"
        printed += line
    assert "For development only" in printed
    (url,) = re.findall(r"http\S+", printed)
    yield process, url
    process.kill()
    process.communicate()


def test_a_visitor_logs_in_to_the_demo(demo: Demo, visitor: Visitor) -> None:
    _, url = demo
    asked = visitor.submit(visitor.get(url), "/login", email="alice@example.com")
    callback = visitor.submit(asked, answer="continue", follow=False).headers["Location"]
    greeting = visitor.get(callback)
    assert greeting.url == f"{url}/"
    assert "alice@example.com" in greeting.text
    assert visitor.get(callback).url == f"{url}/"
    visitor.cookies.clear()
    assert visitor.get(callback).status == 400


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_stops_without_a_word(
    demo: Demo, visitor: Visitor, number: signal.Signals
) -> None:
    process, url = demo
    assert visitor.get(url).status == 200
    process.send_signal(number)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (0, "", "")


def test_a_store_that_cannot_be_is_said_in_one_line() -> None:
    ended = subprocess.run(
        [*COMMAND, "0", "--store", "sqlite:////nowhere/at/all.db"],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert re.fullmatch(r"demo: .+\n", ended.stderr)


def test_a_taken_port_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [*COMMAND, str(port)], check=False, capture_output=True, text=True, timeout=30
        )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert f"port {port} is taken" in ended.stderr
