"""Checks that a folder has every package of the version that is published.

Usage: complete.py FOLDER
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from interpreters import WHEELS
from targets import ROOT, all_targets

BINDINGS = ("portier-client-node", "portier-client-python")


def main() -> int:
    """Prints what is missing; returns 1 if anything is."""
    command = [sys.executable, str(ROOT / "scripts/check_versions.py"), "--print"]
    version = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    missing = check({path.name for path in Path(sys.argv[1]).iterdir()}, version)
    print("\n".join(f"missing: {name}" for name in missing) or "every package is there")
    return 1 if missing else 0


def check(names: set[str], version: str) -> list[str]:
    """The packages that are missing among the names of files."""
    python = version.replace("-rc.", "rc")
    exact = [f"portier_client-{python}.tar.gz", f"portier-client-{version}.tgz"]
    exact.append(f"portier-client-{version}.crate")
    missing = []
    for target in all_targets():
        exact.append(f"portier-client-{target.name}-{version}.tgz")
        exact += [f"{binding}-{target.name}.cdx.json" for binding in BINDINGS]
        for wheel in WHEELS:
            # The name of a wheel may list several platforms.
            start = f"portier_client-{python}-{wheel.tag}-"
            wheels = [name.removeprefix(start) for name in names if name.startswith(start)]
            if not any(target.wheel in name.removesuffix(".whl").split(".") for name in wheels):
                missing.append(f"{start}{target.wheel}.whl")
    return [name for name in exact if name not in names] + missing


if __name__ == "__main__":
    sys.exit(main())
