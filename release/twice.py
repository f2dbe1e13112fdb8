"""Builds again in another folder, and compares: the same sources have to give the same bytes."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

from targets import ROOT

# What is installed here, and needs no second time.
SHARED = (".tools", "node/node_modules")


def findings(packages: Path, platforms: list[str]) -> list[str]:
    """Builds the last commit in another folder; returns what differs from the packages here."""
    with tempfile.TemporaryDirectory(prefix="portier-client-in-another-folder-") as folder:
        copy = Path(folder) / "copy"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(copy)], check=True)
        for name in SHARED:
            (copy / name).symlink_to(ROOT / name)
        command = [sys.executable, "release/build.py", "--without-checks", "--only", *platforms]
        subprocess.run(command, cwd=copy, check=True)
        return differences(digests(packages), digests(copy / "target" / "packages"))


def changes() -> str:
    """The files that are not as they were committed: a second build would not have them."""
    command = ["git", "status", "--porcelain"]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def digests(packages: Path) -> dict[str, str]:
    """The digest of each package."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(packages.iterdir())
    }


def differences(first: dict[str, str], second: dict[str, str]) -> list[str]:
    """The packages that are not equal, or that only one build has; prints all of them."""
    found = []
    for name in sorted(first.keys() | second.keys()):
        here, there = first.get(name, "missing"), second.get(name, "missing")
        print(f"{'same' if here == there else 'DIFFERS':8}{here}  {name}", flush=True)
        if here != there:
            found.append(f"{name}: the second build gave {there}")
    return found
