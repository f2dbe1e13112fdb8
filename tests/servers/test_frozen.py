"""Logins of a program that PyInstaller has frozen."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from portier_client.testing import DevBroker

# Without a token, it starts a login; with one, it completes it, as after a restart of the site.
SITE = """
import asyncio, sys
from portier_client import Client, PortierError

async def main():
    origin, store, *token = sys.argv[1:]
    client = Client("https://example.com/verify", broker=origin, store=f"sqlite:///{store}")
    if not token:
        return await client.authenticate("alice@example.com")
    try:
        return (await client.complete({"id_token": token[0]})).email
    except PortierError as error:
        return error.code

print(asyncio.run(main()))
"""


@pytest.fixture
def frozen(tmp_path: Path) -> Path:
    """The program, in a folder with all that it needs."""
    (tmp_path / "site.py").write_text(SITE)
    folders = [f"--{name}path={tmp_path / name}" for name in ("dist", "work", "spec")]
    done = subprocess.run(
        [sys.executable, "-m", "PyInstaller", "--log-level=WARN", *folders, "site.py"],
        cwd=tmp_path,
        env={**os.environ, "PYINSTALLER_CONFIG_DIR": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if "PythonLibraryNotFoundError" in done.stderr:
        pytest.skip("this Python has no shared library")
    assert done.returncode == 0, done.stderr
    return tmp_path / "dist" / "site" / "site"


def test_a_frozen_program_completes_a_login_once(
    frozen: Path, broker: DevBroker, tmp_path: Path
) -> None:
    def run(*arguments: str) -> str:
        command = [str(frozen), broker.origin, str(tmp_path / "logins.db"), *arguments]
        # Without `PATH` and other variables, it finds no Python.
        done = subprocess.run(
            command, env={}, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    token = broker.mint(run())
    assert run(token) == "alice@example.com"
    assert run(token) == "session_used"
