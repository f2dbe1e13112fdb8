"""The programs of the sites end with the tests."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from e2e.ports import Port
from faces.served import ServedSite
from faces.table import SITES, Face

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import os, sys, time
open(sys.argv[1], "w").write(str(os.getpid()))
print("ready", *sys.argv[2:], flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("ports", [["{port}", "{closed}"], ["{port}"]], ids=["closed", "missing"])
def test_a_program_that_cannot_be_controlled_is_stopped(
    ports: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = Port()
    words = [word.replace("{closed}", str(closed.number)) for word in ports]
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "pid"), *words]
    monkeypatch.setitem(SITES, "silent", Face(command))
    with pytest.raises((OSError, ValueError)):
        ServedSite("silent")
    closed.release()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
