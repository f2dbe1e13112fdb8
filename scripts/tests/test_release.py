"""How packages are compiled, and what is compared when they are compiled twice."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "release"))

import emulation
import environment
import interpreters
import musl_python
import targets
import twice
import zig
from targets import ROOT

HERE = next((target for target in targets.all_targets() if target.is_here), None)


def variables() -> dict[str, str]:
    if HERE is None:
        pytest.skip("no package is built for this platform")
    return environment.of(HERE)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that is named in code: the sources are under the repository's."""
    path = ROOT / "target" / "release-tests" / str(os.getpid())
    path.mkdir(parents=True, exist_ok=True)
    yield path
    shutil.rmtree(path)


def test_rust_code_does_not_name_the_folder_it_was_compiled_in(folder: Path) -> None:
    source, program = folder / "paths.rs", folder / "rust"
    source.write_text('fn main() { print!("{}", file!()) }\n', encoding="utf-8")
    flags = variables()["CARGO_ENCODED_RUSTFLAGS"].split("\x1f")
    subprocess.run(["rustc", *flags, "-o", program, source], check=True)
    named = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    assert named == f"/target/release-tests/{os.getpid()}/paths.rs"
    assert str(ROOT).encode() not in program.read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="the flags are those of Linux")
def test_c_code_does_not_name_the_folder_it_was_compiled_in_and_is_protected(folder: Path) -> None:
    source, program = folder / "paths.c", folder / "c"
    source.write_text(
        "#include <stdio.h>\n#include <string.h>\n"
        "int main(int count, char **words) {\n"
        "  char name[64];\n"
        "  strcpy(name, words[count - 1]);\n"
        '  return printf("%s %s", __FILE__, name) < 0;\n}\n',
        encoding="utf-8",
    )
    assert HERE is not None
    flags = shlex.split(variables()[f"CFLAGS_{HERE.rust.replace('-', '_')}"])
    subprocess.run(["cc", "-O2", *flags, "-o", program, source], check=True)
    done = subprocess.run([program, "word"], check=True, capture_output=True, text=True)
    assert done.stdout == f"/target/release-tests/{os.getpid()}/paths.c word"
    # The word is longer than the buffer.
    longer = subprocess.run([program, "x" * 200], check=False, capture_output=True, text=True)
    assert "buffer overflow detected" in longer.stderr


def test_the_sources_of_a_dependency_have_the_same_name_on_every_machine() -> None:
    names = [name for folder, name in environment.renamed_folders() if "registry" in str(folder)]
    assert set(names) <= {"/crates"}
    # The last one that fits is used, so the folder of everything comes first.
    assert environment.renamed_folders()[0] == (environment.CARGO_HOME, "/cargo")


def test_archives_have_the_time_of_the_last_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    command = ["git", "log", "-1", "--format=%ct"]
    committed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert environment.time_of_the_sources() == committed.stdout.strip()


def test_a_package_that_differs_or_is_missing_is_found(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for path in (first, second):
        path.mkdir()
        (path / "same.whl").write_text("same", encoding="utf-8")
        (path / "other.whl").write_text(path.name, encoding="utf-8")
    (first / "alone.tgz").write_text("alone", encoding="utf-8")
    found = twice.differences(twice.digests(first), twice.digests(second))
    assert [finding.split(":")[0] for finding in found] == ["alone.tgz", "other.whl"]
    assert twice.differences(twice.digests(first), twice.digests(first)) == []


def test_maturin_finds_the_flags_that_it_would_add() -> None:
    musl = next(target for target in targets.all_targets() if target.libc == "musl")
    flags = environment.of(musl)["CARGO_ENCODED_RUSTFLAGS"].split("\x1f")
    # Otherwise it gives other flags than Cargo, and everything is compiled again.
    assert "target-feature=-crt-static" in flags


@pytest.mark.skipif(shutil.which("sh") is None, reason="needs a shell")
def test_the_programs_of_zig_are_taken_from_cargo_zigbuild(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "cargo-zigbuild"
    program.write_text(
        '#!/bin/sh\nexport CC_x="/cache/cc $4" CARGO_TARGET_X_LINKER=/cache/cc ZIG=other\n'
        'exec "$CARGO" build\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    for name in [name for name in os.environ if zig.PROGRAMS.fullmatch(name)]:
        monkeypatch.delenv(name)
    target = next(target for target in targets.all_targets() if target.libc == "glibc")
    assert zig.programs(target) == {
        "CC_x": f"/cache/cc {target.rust}.2.17",
        "CARGO_TARGET_X_LINKER": "/cache/cc",
    }


@pytest.mark.skipif(sys.platform != "linux", reason="programs for musl run on Linux")
def test_a_login_is_left_out_where_cpython_for_musl_cannot_be_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = next(target for target in targets.all_targets() if target.name == "linux-x64-musl")
    if target.is_here:
        pytest.skip("this machine's CPython is for musl")
    monkeypatch.setattr(emulation, "musl_loader", lambda: tmp_path / "libc.so")
    monkeypatch.setattr(musl_python, "FOLDER", tmp_path)
    monkeypatch.setattr(musl_python.debian, "unpack_source", lambda *_: False)
    with pytest.raises(emulation.MissingError, match="CPython"):
        emulation.python_for(target, interpreters.WHEELS[0])
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").touch()
    command = emulation.python_for(target, interpreters.WHEELS[0])
    assert command.arguments[:2] == [str(tmp_path / "libc.so"), str(tmp_path / "bin" / "python3")]
