"""Checks that every file that repeats the version of the project has that of Cargo's workspace.

With `--print`, it prints that version instead.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Prints one line for each finding; returns 1 if there is any."""
    if sys.argv[1:] == ["--print"]:
        print(workspace(ROOT)["package"]["version"])
        return 0
    findings = check(ROOT)
    print("\n".join(findings) or "no findings")
    return 1 if findings else 0


def check(root: Path) -> list[str]:
    """The places whose version differs."""
    version = workspace(root)["package"]["version"]
    return [
        f"{place}: another version than Cargo.toml found={found} expected={version}"
        for place, found in versions(root)
        if found != version
    ]


def versions(root: Path) -> Iterator[tuple[str, str | None]]:
    """Every place that repeats the version, and what it says there."""
    for member in workspace(root)["members"]:
        package = toml(root / member / "Cargo.toml")["package"]
        name = package["name"]
        # The wheel has the version of its binding, which is not published as a crate.
        if package.get("version") != {"workspace": True}:
            yield f"{member}/Cargo.toml", package.get("version")
        locked = [
            it["version"] for it in toml(root / "Cargo.lock")["package"] if it["name"] == name
        ]
        yield f"Cargo.lock ({name})", locked[0] if locked else None
    for path in [*root.glob("pyproject.toml"), *root.glob("python/pyproject.toml")]:
        project = toml(path).get("project")
        if project is not None and "version" not in project.get("dynamic", []):
            yield path.relative_to(root).as_posix(), project.get("version")
    yield from npm(root / "node")
    yield "CHANGELOG.md (newest version)", newest(root / "CHANGELOG.md")


def npm(folder: Path) -> Iterator[tuple[str, str | None]]:
    """The versions in the manifest of the npm package, in its lock file, and of its platforms."""
    manifest = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    lock = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))
    yield "node/package.json", manifest["version"]
    yield "node/package-lock.json", lock["version"]
    yield "node/package-lock.json (packages)", lock["packages"][""]["version"]
    for name, version in manifest.get("optionalDependencies", {}).items():
        if name.startswith("@portier-client/"):
            yield f"node/package.json ({name})", version


def newest(changelog: Path) -> str | None:
    """The version of the first section that has one."""
    found = re.search(r"^## \[(\d.*?)\]", changelog.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else None


def workspace(root: Path) -> dict[str, dict[str, str]]:
    """The workspace in the manifest of Cargo."""
    found: dict[str, dict[str, str]] = toml(root / "Cargo.toml")["workspace"]
    return found


def toml(path: Path) -> dict[str, dict[str, dict[str, str]]]:
    """A file as its tables."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(main())
