"""Installations in which a part is missing, or disappears while the program runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import portier_client

PACKAGE = Path(portier_client.__file__).parent
SOURCES = sorted(PACKAGE.glob("*.py"))


def run(code: str, place: Path, *options: str) -> str:
    """Runs a program that finds the package in one place only."""
    start = f"import sys; sys.path.insert(0, {str(place)!r})\n"
    command = [sys.executable, "-I", "-S", "-W", "error", *options, "-c", start + code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """The package without its compiled module."""
    package = tmp_path / "portier_client"
    package.mkdir()
    for source in SOURCES:
        shutil.copy(source, package)
    return tmp_path


IMPORTED = """
try:
    import portier_client{}
except ModuleNotFoundError as error:
    assert error.name == "portier_client._native", error.name
    assert error.__cause__ is None and error.__suppress_context__
    print(error)
"""


@pytest.mark.parametrize("module", ["", ".blocking", ".testing", ".errors"])
def test_a_missing_compiled_module_is_named_in_the_error(sources: Path, module: str) -> None:
    message = run(IMPORTED.format(module), sources)
    assert message.startswith("the compiled part of portier_client, _native, is missing: install")
    assert f"path={sources / 'portier_client'}" in message


def test_a_compiled_module_for_another_python_is_named_in_the_error(sources: Path) -> None:
    name = "_native.cpython-39-riscv64-linux-gnu.so"
    (sources / "portier_client" / name).touch()
    (sources / "portier_client" / "_native.pyi").touch()
    message = run(IMPORTED.format(""), sources)
    assert message.startswith("the compiled part of portier_client, _native, is missing for this")
    assert f"found={name}\n" in message


def test_an_import_from_an_archive_is_named_in_the_error(sources: Path) -> None:
    archive = sources / "app.pyz"
    with zipfile.ZipFile(archive, "w") as zipped:
        for source in SOURCES:
            zipped.write(source, f"portier_client/{source.name}")
        zipped.write(portier_client._native.__file__, "portier_client/_native.abi3.so")
    message = run(IMPORTED.format(""), archive)
    assert "Python does not load compiled modules from archives" in message


def test_another_missing_module_keeps_its_own_error(sources: Path) -> None:
    (sources / "portier_client" / "_native.py").write_text("import nothing_of_the_kind")
    code = """
try:
    import portier_client
except ModuleNotFoundError as error:
    print(error.name)
"""
    assert run(code, sources) == "nothing_of_the_kind\n"


LOGINS = """
import asyncio, logging
from portier_client import Client, PortierError, blocking
from portier_client.testing import DevBroker
logging.basicConfig(level=1)
broker = DevBroker()
clients = [
    kind("https://example.com/verify", broker=broker.origin, store=store)
    for kind in (Client, blocking.Client) for store in ("memory:", {database!r})
]

class Gone:
    def find_spec(self, name, path=None, target=None):
        print("imported", name, sys._getframe(1).f_globals["__name__"], flush=True)

before = set(sys.modules)
sys.meta_path.insert(0, Gone())
sys.path.clear()

def done(result):
    return asyncio.run(wait(result)) if asyncio.iscoroutine(result) else result

async def wait(result):
    return await result

for client in clients:
    done(client.warm())
    token = broker.mint(done(client.authenticate("alice@example.com", browser="b" * 43)))
    for attempt in ("a" * 43, "b" * 43, "b" * 43):
        try:
            done(client.complete({{"id_token": token}}, attempt))
        except PortierError as error:
            repr(error)
    try:
        done(client.verify("junk"))
    except PortierError as error:
        repr(error)
    repr((done(client.keys()), done(client.discover()), client.stats()))
broker.stop()
print(sorted(name for name in set(sys.modules) - before))
"""


def test_a_login_imports_no_module_after_the_client_is_made(tmp_path: Path) -> None:
    """This happens after `chroot`, or if the files of a running program are replaced."""
    code = LOGINS.format(database=f"sqlite:///{tmp_path / 'logins.db'}")
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
    )
    assert done.stdout == "[]\n"


def test_the_package_works_from_read_only_files(sources: Path) -> None:
    package = sources / "portier_client"
    shutil.copy(portier_client._native.__file__, package)
    for path in (*package.iterdir(), package):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        code = "import portier_client; print(portier_client.normalize_email('A@example.com'))"
        assert run(code, sources, "-OO") == "a@example.com\n"
        # Root can write everywhere.
        if os.geteuid() != 0:
            assert not (package / "__pycache__").exists()
    finally:
        package.chmod(0o755)


def test_the_package_works_without_docstrings_and_assertions(tmp_path: Path) -> None:
    code = LOGINS.format(database=f"sqlite:///{tmp_path / 'logins.db'}")
    done = subprocess.run(
        [sys.executable, "-OO", "-c", f"import sys\n{code}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout == "[]\n"
