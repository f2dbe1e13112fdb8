"""The effects of an import."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from portier_client import _native

from . import sandbox

IN_A_SANDBOX = pytest.mark.skipif(
    sys.platform != "linux" or not sandbox.NUMBERS, reason="system calls are refused by seccomp"
)


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
def test_an_import_starts_no_thread() -> None:
    count = "import os, portier_client; {}; print(len(os.listdir('/proc/self/task')))"
    assert run(count.format("None")) == "1\n"
    assert run(count.format("portier_client.Client('https://example.com/')")) == "1\n"


@IN_A_SANDBOX
def test_an_import_works_without_threads_and_network() -> None:
    code = """
import socket, threading, sandbox
sandbox.refuse((*sandbox.THREADS, *sandbox.NETWORK), sandbox.KILL)
{}
import portier_client
portier_client.Client("https://example.com/")
print(portier_client.normalize_email("Alice@example.com"))
"""
    assert run(code.format("")) == "alice@example.com\n"
    # Either of these calls would have killed the process.
    for attempt in ("threading.Thread(target=print).start()", "socket.socket()"):
        with pytest.raises(subprocess.CalledProcessError) as died:
            run(code.format(attempt))
        assert died.value.returncode == -signal.SIGSYS


@IN_A_SANDBOX
def test_a_call_without_threads_is_an_internal_error() -> None:
    code = """
import asyncio, errno, sandbox
from portier_client import Client, InternalError, blocking
sandbox.refuse(sandbox.THREADS, sandbox.fail_with(errno.EAGAIN))
for call in (
    lambda: asyncio.run(Client("https://example.com/").warm()),
    lambda: asyncio.run(Client("https://example.com/").authenticate("alice@example.com")),
    blocking.Client("https://example.com/").warm,
) * 2:
    try:
        call()
    except InternalError as error:
        print(error.code, error, type(error.__cause__).__name__)
"""
    refused = "internal the system gives the process no threads or file descriptors Exception\n"
    assert run(code) == refused * 6


def test_an_import_loads_no_heavy_modules() -> None:
    heavy = {"asyncio", "dataclasses", "datetime", "inspect", "json", "re", "ssl", "typing"}
    code = f"import sys, portier_client; print(sorted({heavy!r} & set(sys.modules)))"
    before = run(f"import sys; print(sorted({heavy!r} & set(sys.modules)))")
    assert run(code) == before


IN_ANOTHER_INTERPRETER = """
import sys
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
kind, first = {kind!r}, {first!r}
if first == "main":
    import portier_client
try:
    other = interpreters.create(kind)
except TypeError:
    other = interpreters.create(isolated=kind == "isolated")
code = f'''
import sys
sys.path = {{sys.path!r}}
try:
    import portier_client
except ImportError as error:
    print(error, flush=True)
'''
for _ in range(3):
    assert interpreters.run_string(other, code) is None
interpreters.destroy(other)
import portier_client
print(portier_client.normalize_email("Alice@example.com"))
"""


@pytest.mark.parametrize("first", ["main", "other"])
@pytest.mark.parametrize("kind", ["legacy", "isolated"])
def test_an_import_in_a_subinterpreter_is_refused(kind: str, first: str) -> None:
    *refusals, last = run(IN_ANOTHER_INTERPRETER.format(kind=kind, first=first)).splitlines()
    assert last == "alice@example.com"
    # Newer Pythons refuse isolated subinterpreters themselves.
    ours = (
        "portier_client works in the main interpreter only, and this is a sub-interpreter; "
        "with mod_wsgi, set WSGIApplicationGroup %{GLOBAL}"
    )
    theirs = "module portier_client._native does not support loading in subinterpreters"
    assert refusals in ([ours] * 3, [theirs] * 3)


def test_the_module_may_be_imported_again() -> None:
    again = "del sys.modules['portier_client._native']; import portier_client._native"
    assert run(f"import sys, portier_client; {again}") == ""


@pytest.mark.skipif(sys.platform != "linux", reason="the file is read with nm of binutils")
def test_the_module_exports_only_its_entry_point() -> None:
    command = ["nm", "--dynamic", "--defined-only", "--format=posix", _native.__file__]
    symbols = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert [line.split()[0] for line in symbols.splitlines()] == ["PyInit__native"]
