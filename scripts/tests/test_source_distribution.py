"""The source distribution of Python has what it is built and tested with."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Of the workspace, only these crates are in it, so its description is changed.
CHANGED = {
    "Cargo.toml",
    "Cargo.lock",
    "PKG-INFO",
    "bindings/python/Cargo.toml",
    "core/Cargo.toml",
    "pyproject.toml",
}


def build(folder: Path) -> Path:
    """Builds the source distribution, as it would be built from a commit of some time ago."""
    command = [sys.executable, "-m", "maturin", "sdist", "--out", str(folder)]
    variables = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
    subprocess.run(command, cwd=ROOT, env=variables, check=True, capture_output=True, timeout=300)
    (archive,) = folder.glob("*.tar.gz")
    return archive


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution."""
    return build(tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def files(archive: Path) -> dict[str, bytes]:
    """The contents of the source distribution."""
    found = {}
    with tarfile.open(archive) as packed:
        for member in packed:
            content = packed.extractfile(member)
            assert content is not None, member.name
            found[member.name.partition("/")[2]] = content.read()
    return found


def tracked(*paths: str) -> list[str]:
    """Files under version control, and new files that are not ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *paths]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return [name for name in listing.stdout.split("\0") if (ROOT / name).is_file()]


def test_it_has_the_settings_of_the_build(files: dict[str, bytes]) -> None:
    assert files[".cargo/config.toml"] == (ROOT / ".cargo" / "config.toml").read_bytes()
    workspace = (ROOT / "Cargo.toml").read_text(encoding="utf-8")
    profiles = workspace[workspace.index("[profile.dev]") :]
    assert profiles in files["Cargo.toml"].decode()


def test_it_builds_with_the_versions_of_the_repository(archive: Path, tmp_path: Path) -> None:
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    settings = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))
    # Cargo removes the crates that only other members of the workspace use.
    locked = ["--locked"] if settings["tool"]["maturin"].get("locked") else []
    command = ["cargo", "update", "--workspace", "--offline", *locked]
    done = subprocess.run(command, cwd=source, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lock, original = (
        {(crate["name"], crate["version"]) for crate in tomllib.loads(text)["package"]}
        for text in [
            (folder / "Cargo.lock").read_text(encoding="utf-8") for folder in (source, ROOT)
        ]
    )
    assert lock <= original


@pytest.mark.parametrize(
    "path",
    ["core/src", "core/templates", "bindings/python", "python", "tests/keys", "tests/vectors"],
)
def test_it_has_every_source_and_every_test(files: dict[str, bytes], path: str) -> None:
    expected = set(tracked(path)) - CHANGED
    assert expected
    assert sorted(expected - files.keys()) == []
    assert [name for name in sorted(expected) if files[name] != (ROOT / name).read_bytes()] == []


def test_everything_in_it_is_under_version_control(files: dict[str, bytes]) -> None:
    linked = {
        name for name in files if name.startswith(("core/vectors/", "core/keys/", "core/docs/"))
    }
    assert sorted(files.keys() - set(tracked()) - linked - {"PKG-INFO"}) == []


def test_building_it_again_gives_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    assert build(tmp_path).read_bytes() == archive.read_bytes()
