"""How Rust compiles for a platform on this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import debian
from targets import ROOT, Target

DEBIANS_RUST = ROOT / ".tools" / "rust-web"
# Debian's compiler for browsers, which is newer than its other one.
PACKAGES = ("rustc-web", "libstd-rust-web-dev")


@dataclass(frozen=True)
class Toolchain:
    """A compiler with the standard library of a platform."""

    name: str
    variables: dict[str, str]


class MissingError(Exception):
    """The platform cannot be built for on this machine; the message says why."""


def find(target: Target) -> Toolchain:
    """Finds the compiler for a platform, or raises `MissingError`."""
    if target.os != "linux" and not target.has_this_os:
        system = {"darwin": "macOS", "win32": "Windows"}[target.os]
        message = f"it is built on {system}, whose libraries may not be copied"
        raise MissingError(message)
    if has_standard_library(target, os.environ.get("RUSTC", "rustc")):
        return Toolchain("this machine's Rust", {})
    if target.libc == "glibc" and sys.platform == "linux":
        found = debians(target)
        if found is not None:
            return found
    message = (
        f"no standard library of Rust for {target.rust}: run `rustup target add {target.rust}`"
    )
    raise MissingError(message)


def has_standard_library(target: Target, rustc: str) -> bool:
    """Whether the compiler has the libraries of a platform."""
    command = [rustc, "--print", "target-libdir", "--target", target.rust]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode == 0 and any(Path(done.stdout.strip()).glob("libstd-*.rlib"))


def debians(target: Target) -> Toolchain | None:
    """Gets the compiler of Debian, with the libraries of this machine and of the platform."""
    if shutil.which("apt-get") is None:
        return None
    here, there = debian.architecture(), {"x64": "amd64", "arm64": "arm64"}[target.cpu]
    rustc = DEBIANS_RUST / "rustc"
    if not (rustc.exists() and has_standard_library(target, str(rustc))):
        wanted = [f"{name}:{here}" for name in PACKAGES] + [f"{PACKAGES[1]}:{there}"]
        # The compiler itself, and LLVM, have their versions in their names.
        if not debian.unpack(
            wanted, DEBIANS_RUST, also=rf"^(libstd-rust-web|libllvm)[\d.-]+:{here}$"
        ):
            return None
        write_wrapper(rustc)
    if not is_new_enough(rustc) or not has_standard_library(target, str(rustc)):
        return None
    return Toolchain("Debian's Rust", {"RUSTC": str(rustc)})


def write_wrapper(rustc: Path) -> None:
    """Writes a program that starts the compiler with its own libraries."""
    libraries = next(DEBIANS_RUST.glob("usr/lib/*-linux-gnu/libLLVM*")).parent
    rustc.write_text(
        f'#!/bin/sh\nLD_LIBRARY_PATH={libraries} exec {DEBIANS_RUST}/usr/bin/rustc "$@"\n'
    )
    rustc.chmod(0o755)


def is_new_enough(rustc: Path) -> bool:
    """Whether the compiler is of the version that the workspace needs, or newer."""
    needed = re.search(r'^rust-version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)
    done = subprocess.run([rustc, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"rustc (\d+)\.(\d+)", done.stdout)
    if needed is None or found is None:
        return False
    return [int(part) for part in found.groups()] >= [int(part) for part in needed[1].split(".")][
        :2
    ]
