"""The programs of the suites share dependencies: each is compiled with one set of features."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OTHERS = {
    "default features": ["-p", "portier-client", "-p", "portier-client-features"],
    "fuzz targets": ["-p", "portier-client-fuzz", "-p", "portier-client-features"],
    "module": ["-p", "portier-client-python", "--features", "suites"],
    "addon": ["-p", "portier-client-node", "--features", "suites"],
}


# Release builds of them share dependencies, which are compiled for minutes.
PACKAGES = ("portier-client-node", "portier-client-python")


def features(*selected: str) -> dict[str, set[str]]:
    """The sets of features of each dependency; build scripts and macros may have another one."""
    command = ["cargo", "tree", "--locked", "--prefix=none", "--format={p}\t{f}", *selected]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    found: dict[str, set[str]] = {}
    for line in listing.stdout.splitlines():
        package, _, enabled = line.removesuffix(" (*)").partition("\t")
        if "portier-client" not in package and package:
            found.setdefault(package, set()).add(enabled)
    return found


@pytest.mark.parametrize("name", OTHERS)
def test_a_dependency_has_the_same_features_in_every_program(name: str) -> None:
    shared, others = features(), features(*OTHERS[name])
    different = {
        package: sorted(sets - shared[package])
        for package, sets in others.items()
        if package in shared and not sets <= shared[package]
    }
    assert not different, "add the features to tests/features/Cargo.toml"


def test_a_dependency_has_the_same_features_in_every_package() -> None:
    addon, module = (features("-p", name, "--features", "packages") for name in PACKAGES)
    different = {name for name in addon.keys() & module.keys() if addon[name] != module[name]}
    assert not different, "add the features to `packages` in bindings/*/Cargo.toml"
