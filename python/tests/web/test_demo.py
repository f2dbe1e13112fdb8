"""The demonstration: one command, one address to open, one key to stop it."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .visitor import Visitor

DEMO = Path(__file__).parents[2] / "examples" / "demo.py"
EXAMPLES = sorted(path.parent.name for path in DEMO.parent.glob("*/app.py"))
COMMAND = [sys.executable, str(DEMO), "tornado", "--port"]
Demo = tuple["subprocess.Popen[str]", str]


@pytest.fixture(params=EXAMPLES)
def demo(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Demo]:
    """The running demo of each framework, and its address."""
    process = subprocess.Popen(
        [
            sys.executable,
            str(DEMO),
            request.param,
            "--port=0",
            f"--store=sqlite:///{tmp_path}/a.db",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    printed = ""
    while "Open" not in printed:
        line = process.stdout.readline()
        assert line, "the demonstration ended early"
        printed += line
    assert "For development only" in printed
    (url,) = re.findall(r"http\S+", printed)
    yield process, url
    process.terminate()
    process.communicate(timeout=60)


def test_a_visitor_logs_in_to_the_demo_which_stops_when_it_is_told(
    demo: Demo, visitor: Visitor
) -> None:
    process, url = demo
    form = visitor.get(f"{url}/members")
    # Paths of Django end with a slash.
    assert form.url.startswith((f"{url}/login?next=", f"{url}/login/?next="))
    asked = visitor.submit(form, "/login", email="alice@example.com")
    callback = visitor.submit(asked, answer="continue", follow=False).headers["Location"]
    shelf = visitor.get(callback)
    assert shelf.url == f"{url}/members"
    assert "alice@example.com" in shelf.text
    assert "The shelf" in shelf.text
    assert visitor.get(callback).url == f"{url}/members"
    out = visitor.submit(shelf, "/logout")
    assert "alice@example.com" not in out.text
    assert visitor.get(f"{url}/members").url == form.url
    visitor.cookies.clear()
    assert visitor.get(callback).status == 400
    process.terminate()
    _, logged = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in logged


def test_the_demo_stops_without_a_word_at_a_key(demo: Demo, visitor: Visitor) -> None:
    process, url = demo
    assert visitor.get(url).status == 200
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (0, "", "")


def test_a_store_that_cannot_be_is_said_in_one_line() -> None:
    ended = subprocess.run(
        [*COMMAND, "0", "--store", "sqlite:////nowhere/at/all.db"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert re.fullmatch(r"demo: .+\n", ended.stderr)


def test_a_taken_port_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [*COMMAND, str(port)], check=False, capture_output=True, text=True, timeout=60
        )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert f"port {port} is taken" in ended.stderr
