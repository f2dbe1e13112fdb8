"""Tests of the check of versions, on small projects."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import check_versions

FILES = {
    "Cargo.toml": '[workspace]\nmembers = ["core"]\n[workspace.package]\nversion = "1.2.3"\n',
    "core/Cargo.toml": '[package]\nname = "it"\nversion.workspace = true\n',
    "Cargo.lock": '[[package]]\nname = "it"\nversion = "1.2.3"\n',
    "python/pyproject.toml": '[project]\nname = "it"\ndynamic = ["version"]\n',
    "node/package.json": json.dumps({"name": "it", "version": "1.2.3"}),
    "node/package-lock.json": json.dumps(
        {"version": "1.2.3", "packages": {"": {"version": "1.2.3"}}}
    ),
    "CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-01-01\n\n## [1.2.2]\n",
}


def project(folder: Path) -> Path:
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_a_project_with_one_version_has_no_findings(tmp_path: Path) -> None:
    assert check_versions.check(project(tmp_path)) == []


@pytest.mark.parametrize("name", [name for name in FILES if name != "python/pyproject.toml"])
def test_another_version_in_one_file_is_found(tmp_path: Path, name: str) -> None:
    path = project(tmp_path) / name
    text = path.read_text().replace("version.workspace = true", 'version = "1.2.4"')
    path.write_text(text.replace("1.2.3", "1.2.4", 1))
    assert check_versions.check(tmp_path)


def test_another_version_of_a_member_that_is_not_published_is_found(tmp_path: Path) -> None:
    text = '[package]\nname = "it"\nversion = "1.2.4"\npublish = false\n'
    (project(tmp_path) / "core/Cargo.toml").write_text(text)
    assert check_versions.check(tmp_path) == [
        "core/Cargo.toml: another version than Cargo.toml found=1.2.4 expected=1.2.3"
    ]


@pytest.mark.parametrize("dynamic", ["", "dynamic = []\n"])
def test_a_version_of_its_own_in_the_python_package_is_found(tmp_path: Path, dynamic: str) -> None:
    text = f'[project]\nname = "it"\nversion = "1.2.4"\n{dynamic}'
    (project(tmp_path) / "python/pyproject.toml").write_text(text)
    assert check_versions.check(tmp_path) == [
        "python/pyproject.toml: another version than Cargo.toml found=1.2.4 expected=1.2.3"
    ]


def test_another_version_of_a_platform_package_is_found(tmp_path: Path) -> None:
    manifest = {
        "version": "1.2.3",
        "optionalDependencies": {"@portier-client/linux-x64-gnu": "1.2.2"},
    }
    (project(tmp_path) / "node/package.json").write_text(json.dumps(manifest))
    assert check_versions.check(tmp_path) == [
        "node/package.json (@portier-client/linux-x64-gnu): another version than Cargo.toml "
        "found=1.2.2 expected=1.2.3"
    ]
