"""Builds and tests from the unpacked source distribution, and from the unpacked crate."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from targets import ROOT

CARGO = os.environ.get("CARGO", "cargo")
# Compiled code is kept for the next time.
BUILDS = ROOT / "target" / "sources"
# Vectors, whole logins, and what reads files of the manual.
TESTS = (
    "tests/client/test_vectors.py",
    "tests/client/test_login.py",
    "tests/client/test_metrics.py",
    "tests/stores/test_sqlite_store.py",
    "tests/web/test_login_flow.py",
    "tests/test_documentation.py",
)


def main() -> int:
    """Runs both; the first failure ends the program."""
    with tempfile.TemporaryDirectory() as folder:
        test_source_distribution(Path(folder) / "python")
        test_crate(Path(folder) / "rust")
    return 0


def test_source_distribution(folder: Path) -> None:
    """Compiles the module in the unpacked source distribution, and runs its tests there."""
    run([sys.executable, "-m", "maturin", "sdist", "--out", str(folder)], ROOT)
    source = unpack(next(folder.glob("*.tar.gz")), folder)
    environment = folder / "venv"
    run([sys.executable, "-m", "venv", str(environment)], folder)
    python = str(environment / "bin" / "python")
    requirements = source / "python" / "requirements-dev.txt"
    run([python, "-m", "pip", "install", "--quiet", "--requirement", str(requirements)], folder)
    variables = {
        "VIRTUAL_ENV": str(environment),
        "PYO3_PYTHON": python,
        "CARGO_TARGET_DIR": str(BUILDS / "python"),
    }
    run([python, "-m", "maturin", "develop"], source, variables)
    run([python, "-m", "pytest", "--quiet", *TESTS], source / "python", variables)


def test_crate(folder: Path) -> None:
    """Runs the tests in the unpacked crate, without and with its features."""
    package = [CARGO, "package", "--locked", "--quiet", "--no-verify", "--allow-dirty"]
    run([*package, "-p", "portier-client", "--target-dir", str(folder)], ROOT)
    crate = unpack(next((folder / "package").glob("*.crate")), folder)
    variables = {"CARGO_TARGET_DIR": str(BUILDS / "rust")}
    # Not part of the package, but of the workspace: without it, the tests take much longer.
    for name, level in {"AWS_LC_SYS": "1", "AWS_LC_RS": "3", "LIBSQLITE3_SYS": "1"}.items():
        variables[f"CARGO_PROFILE_DEV_PACKAGE_{name}_OPT_LEVEL"] = level
    run([CARGO, "test", "--locked", "--quiet", "--lib"], crate, variables)
    run([CARGO, "test", "--locked", "--quiet", "--all-features"], crate, variables)


def unpack(archive: Path, folder: Path) -> Path:
    """Unpacks an archive, and returns the directory in it."""
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
        (name,) = {member.name.split("/")[0] for member in packed.getmembers()}
    return folder / name


def run(command: list[str], directory: Path, more: dict[str, str] | None = None) -> None:
    """Runs a program that has to succeed."""
    print("$", *command, flush=True)
    subprocess.run(command, cwd=directory, env={**os.environ, **(more or {})}, check=True)


if __name__ == "__main__":
    sys.exit(main())
