"""The variables with which everything that is published is compiled.

The same sources give the same bytes in every folder, no path of the machine is in them, and C code
is compiled with protection against overflows.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from targets import ROOT, Target

CARGO_HOME = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))

# Level 3 of the last one needs a newer C library than the wheels promise.
PROTECTION = [
    "-fstack-protector-strong",
    "-fstack-clash-protection",
    "-U_FORTIFY_SOURCE",
    "-D_FORTIFY_SOURCE=2",
]

# No panic passes through C code, so it needs no tables for unwinding.
WITHOUT_TABLES = ["-fno-asynchronous-unwind-tables", "-fno-unwind-tables"]


def of(target: Target) -> dict[str, str]:
    """The variables for a platform."""
    rust = [f"--remap-path-prefix={old}={new}" for old, new in renamed_folders()]
    # Cargo strips only debug information from crates with an `opt-level` of their own.
    rust += ["-Cstrip=symbols"]
    if target.libc == "musl":
        # A library that others load is not linked statically.
        # Maturin adds the same, unless it finds it as two words.
        rust += ["-C", "target-feature=-crt-static"]
    variables = {
        # Cargo separates these by an unusual character, so that a path may contain spaces.
        "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(rust),
        "SOURCE_DATE_EPOCH": time_of_the_sources(),
        **auditable(),
    }
    if target.os != "win32":
        c = [f"-ffile-prefix-map={old}={new}" for old, new in renamed_folders()]
        if target.os == "linux":
            c += [*PROTECTION, *WITHOUT_TABLES]
        variables[f"CFLAGS_{target.rust.replace('-', '_')}"] = " ".join(c)
    return variables


def auditable() -> dict[str, str]:
    """The variables with which `cargo auditable`, if it is installed, adds the list of all crates.

    They are those that it sets itself. `cargo auditable` cannot run Maturin.
    """
    program = shutil.which("cargo-auditable")
    if program is None:
        return {}
    arguments = {"offline": False, "locked": True, "frozen": False, "config": []}
    return {
        "RUSTC_WORKSPACE_WRAPPER": program,
        "CARGO_AUDITABLE_ORIG_ARGS": json.dumps(arguments),
    }


def renamed_folders() -> list[tuple[Path, str]]:
    """Folders of this machine, with their names in what is compiled. Later ones win."""
    folders = [(CARGO_HOME, "/cargo"), (ROOT, "/portier-client"), (ROOT / "target", "/target")]
    # Each registry has a folder with a name of its own.
    folders += [(path, "/crates") for path in sorted(CARGO_HOME.glob("registry/src/*"))]
    return folders


def time_of_the_sources() -> str:
    """The time of the last commit, which archives give to their files."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return given
    command = ["git", "log", "-1", "--format=%ct"]
    return subprocess.run(
        command, cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()
