"""The page of the manual about the kit, as the project of a user."""

from __future__ import annotations

import secrets
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.examples import python_blocks

from .plugins import WITHOUT

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/testing-python.md").read_text(encoding="utf-8")

# In place of pytest-django and pytest-playwright: a running site, and a browser.
CONFTEST = """
import secrets
import socket
import threading
from types import SimpleNamespace

import pytest
import uvicorn
from app import make_app


@pytest.fixture
def live_server(portier_broker):
    app = make_app(secrets.token_urlsafe(), portier_broker.origin)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    listener = socket.create_server(("localhost", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield SimpleNamespace(url=f"http://localhost:{listener.getsockname()[1]}")
    server.should_exit = True
    thread.join()


@pytest.fixture
def context():
    cookies = []
    yield SimpleNamespace(add_cookies=cookies.extend)
    assert "portier-session" in [cookie["name"] for cookie in cookies]
"""


def test_the_tests_of_the_manual_pass(tmp_path: Path) -> None:
    for block in python_blocks(PAGE):
        name, _, text = block.partition("\n")
        (tmp_path / name.removeprefix("# ")).write_text(text, encoding="utf-8")
    with (tmp_path / "conftest.py").open("a", encoding="utf-8") as file:
        file.write(CONFTEST)
    assert "9 passed" in output_of_tests_in(tmp_path)


def test_the_test_of_the_page_for_tornado_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SESSION_SECRET", secrets.token_urlsafe(32))
    monkeypatch.setenv("ASYNC_TEST_TIMEOUT", "45")  # Tornado's own limit is 5 seconds
    blocks = python_blocks((ROOT / "docs/frameworks/tornado.md").read_text(encoding="utf-8"))
    (tmp_path / "app.py").write_text("\n".join(blocks[:-1]), encoding="utf-8")
    (tmp_path / "test_app.py").write_text(blocks[-1], encoding="utf-8")
    assert "1 passed" in output_of_tests_in(tmp_path)


def output_of_tests_in(folder: Path) -> str:
    """Runs the tests of a project, which must pass; returns what pytest prints."""
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *WITHOUT, "-pno:asyncio", "-pno:xdist"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=50,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
