"""zig, which compiles and links for any version of Linux's C libraries."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

from targets import ROOT

if TYPE_CHECKING:
    from targets import Target

PRINTS_VARIABLES = ROOT / "release" / "print_variables.sh"
PROGRAMS = re.compile(r"(CC|CXX|AR|RANLIB|CMAKE_TOOLCHAIN_FILE)_\w+|CARGO_TARGET_\w+_LINKER")


def triple(target: Target) -> str:
    """The name of a platform with the version of its C library: `x86_64-unknown-linux-gnu.2.17`."""
    if target.libc != "glibc":
        return target.rust
    _, major, minor, *_ = target.wheel.split("_")
    return f"{target.rust}.{major}.{minor}"


def programs(target: Target) -> dict[str, str]:
    """The variables that name zig's programs.

    Maturin contains a cargo-zigbuild of its own, whose programs have other names. Cargo would
    compile C code again for them, and every crate that depends on it.
    """
    command = ["cargo-zigbuild", "zigbuild", "--release", "--target", triple(target)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "CARGO": str(PRINTS_VARIABLES)},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    variables = dict(entry.split("=", 1) for entry in done.stdout.split("\0") if "=" in entry)
    return {name: value for name, value in variables.items() if PROGRAMS.fullmatch(name)}
