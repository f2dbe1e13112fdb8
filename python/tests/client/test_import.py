"""What an import does, and does not do."""

from __future__ import annotations

import subprocess
import sys

import pytest


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
def test_an_import_starts_no_thread() -> None:
    count = "import os, portier_client; {}; print(len(os.listdir('/proc/self/task')))"
    assert run(count.format("None")) == "1\n"
    assert run(count.format("portier_client.Client('https://example.com/')")) == "1\n"


def test_an_import_loads_nothing_heavy() -> None:
    heavy = {"asyncio", "dataclasses", "datetime", "inspect", "json", "re", "ssl", "typing"}
    code = f"import sys, portier_client; print(sorted({heavy!r} & set(sys.modules)))"
    before = run(f"import sys; print(sorted({heavy!r} & set(sys.modules)))")
    assert run(code) == before
