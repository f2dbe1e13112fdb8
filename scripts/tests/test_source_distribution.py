"""The source distribution of Python has what it is built and tested with."""

from __future__ import annotations

import subprocess
import sys
import tarfile
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


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The contents of the source distribution."""
    folder = tmp_path_factory.mktemp("sdist")
    build = [sys.executable, "-m", "maturin", "sdist", "--out", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=300)
    (archive,) = folder.glob("*.tar.gz")
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
