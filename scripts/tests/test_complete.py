"""Tests of the check that a release has every package."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "release"))

import complete
from targets import all_targets


def release(version: str, python: str) -> set[str]:
    names = {f"portier_client-{python}.tar.gz"}
    names |= {f"portier-client-{version}.tgz", f"portier-client-{version}.crate", "SHA256SUMS"}
    for target in all_targets():
        names.add(f"portier-client-{target.name}-{version}.tgz")
        names |= {f"{binding}-{target.name}.cdx.json" for binding in complete.BINDINGS}
        older = ".manylinux2014_x86_64" if target.name == "linux-x64-gnu" else ""
        for wheel in complete.WHEELS:
            names.add(f"portier_client-{python}-{wheel.tag}-{target.wheel}{older}.whl")
    return names


@pytest.mark.parametrize(("version", "python"), [("0.1.0", "0.1.0"), ("0.1.0-rc.1", "0.1.0rc1")])
def test_a_release_with_every_package_is_complete(version: str, python: str) -> None:
    assert complete.check(release(version, python), version) == []


@pytest.mark.parametrize("name", sorted(release("0.1.0", "0.1.0") - {"SHA256SUMS"}))
def test_each_package_that_is_missing_is_found(name: str) -> None:
    missing = complete.check(release("0.1.0", "0.1.0") - {name}, "0.1.0")
    assert missing == [name.replace(".manylinux2014_x86_64", "")]


def test_packages_of_another_version_do_not_count() -> None:
    missing = complete.check(release("0.1.1", "0.1.1"), "0.1.0")
    bills = len(complete.BINDINGS) * len(all_targets())  # their names have no version
    assert len(missing) == len(release("0.1.0", "0.1.0") - {"SHA256SUMS"}) - bills
