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


def test_a_second_interpreter_of_a_process_is_refused() -> None:
    code = """
import portier_client, sys
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
other = interpreters.create()
code = f"import sys; sys.path = {sys.path!r}; import portier_client"
try:
    # Newer Pythons return the error, older ones raise it.
    print(interpreters.run_string(other, code))
except interpreters.RunFailedError as error:
    print(error)
"""
    assert "ImportError" in run(code)
    again = "del sys.modules['portier_client._native']; import portier_client._native"
    assert run(f"import sys, portier_client; {again}") == ""
