"""Compilers for the platforms of the packages."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import standard_library

if TYPE_CHECKING:
    from targets import Target

RUSTC = os.environ.get("RUSTC", "rustc")


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
    if has_standard_library(target, RUSTC):
        return Toolchain("this machine's Rust", {})
    if target.os == "linux" and sys.platform == "linux":
        rustc = standard_library.compiler_for(target, RUSTC)
        if rustc is not None and has_standard_library(target, rustc):
            name = "this machine's Rust, and its standard library from Debian's sources"
            return Toolchain(name, {"RUSTC": rustc})
    message = (
        f"no standard library of Rust for {target.rust}: run `rustup target add {target.rust}`"
    )
    raise MissingError(message)


def has_standard_library(target: Target, rustc: str) -> bool:
    """Whether the compiler has the libraries of a platform."""
    command = [rustc, "--print", "target-libdir", "--target", target.rust]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode == 0 and any(Path(done.stdout.strip()).glob("libstd-*.rlib"))
