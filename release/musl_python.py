"""CPython for musl, which no registry has: compiled here by zig from Debian's sources."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import debian
from targets import ROOT

FOLDER = ROOT / ".tools" / "foreign" / "python-musl"
# The release of Debian that the C library is from.
PACKAGE, RELEASE = "python3.13", "trixie"
WITHOUT = ["--disable-test-modules", "--without-ensurepip", "--without-doc-strings"]


def interpreter(loader: Path) -> Path | None:
    """The interpreter, which a musl C library starts, or `None` if it cannot be made here."""
    program = FOLDER / "bin" / "python3"
    if program.exists():
        return program
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER.parent) as folder:
        sources = Path(folder)
        if not debian.unpack_source(PACKAGE, sources, RELEASE):
            return None
        try:
            build(sources, loader)
        except (OSError, subprocess.CalledProcessError):
            return None
    return program


def build(sources: Path, loader: Path) -> None:
    """Compiles and installs it, with no more optimization than a login needs."""
    zig = f"{sys.executable} -m ziglang"
    compiler = f"{zig} cc -target x86_64-linux-musl -Wl,--dynamic-linker={loader}"
    variables = {
        "CC": compiler,
        "CXX": compiler.replace(" cc ", " c++ "),
        "AR": f"{zig} ar",
        "OPT": "-O1",
        # zig stops programs that do what C does not define, and refuses to compile the time into
        # them. Without `-fPIC`, the program crashed when it started: something overwrote `environ`.
        "CFLAGS": "-fno-sanitize=all -Wno-date-time -fPIC -g0",
        # zig's default for musl is a static program, which could not load a module.
        "LDFLAGS": "-dynamic",
        # The libraries of this machine are for another C library.
        "PKG_CONFIG": "false",
    }
    run(["./configure", f"--prefix={FOLDER}", *WITHOUT], sources, variables)
    run(["make", f"-j{os.cpu_count()}"], sources, variables)
    run(["make", "install"], sources, variables)


def run(command: list[str], folder: Path, variables: dict[str, str]) -> None:
    """Runs a program that has to succeed; shows the end of its output if it fails."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.stderr.write(done.stdout[-2000:])
        done.check_returncode()
