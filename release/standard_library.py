"""Rust's standard library for another platform, compiled here from Debian's sources.

Debian has the sources of many versions. Those of this machine's compiler are taken, so the packages
are compiled by the same version as with `rustup target add`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import debian
from targets import ROOT, Target

CARGO = os.environ.get("CARGO", "cargo")
FOLDER = ROOT / ".tools" / "rust"
# The first one keeps older versions.
RELEASES = ("trixie-backports", "sid", "experimental")


def compiler_for(target: Target, rustc: str) -> str | None:
    """A program that starts the compiler with the library of a platform.

    `None` if Debian does not have the sources.
    """
    if shutil.which("apt-get") is None:
        return None
    details = output([rustc, "--version", "--verbose"])
    version, host = (
        re.findall(rf"^{name}: (.*)$", details, re.MULTILINE)[0] for name in ("release", "host")
    )
    folder = FOLDER / version
    library = folder / "lib" / "rustlib" / target.rust / "lib"
    if not library.exists():
        sources = folder / "sources"
        if not sources.exists() and not unpack(version, sources):
            return None
        compile_library(target, next(sources.glob("usr/src/rustc-*/library")), library)
    return write_program(folder, Path(output([rustc, "--print", "sysroot"]).strip()), host)


def unpack(version: str, sources: Path) -> bool:
    """Unpacks the sources of a version; returns whether Debian has them."""
    for release in RELEASES:
        found = debian.version_of("rust-src", rf"{re.escape(version)}\+", release)
        if found is not None:
            return debian.unpack([f"rust-src:all={found}"], sources, release=release)
    return False


def compile_library(target: Target, sources: Path, library: Path) -> None:
    """Compiles the library as Rust's own build does, without C code."""
    flags = [
        "-Zforce-unstable-if-unmarked",
        # For optimization across crates.
        "-Cembed-bitcode=yes",
        f"--remap-path-prefix={sources.parent}=/rustc",
        f"--remap-path-prefix={Path.home()}=/home",
    ]
    variables = {
        "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(flags),
        # The standard library uses unstable features of Rust. The packages themselves are compiled
        # without this variable.
        "RUSTC_BOOTSTRAP": "1",
        "__CARGO_DEFAULT_LIB_METADATA": "portier-client",
    }
    # A shared library would need a linker and a C library of the platform.
    manifest = sources / "std" / "Cargo.toml"
    manifest.write_text(manifest.read_text().replace('["dylib", "rlib"]', '["rlib"]'))
    with tempfile.TemporaryDirectory(dir=sources.parent) as built:
        command = [CARGO, "build", "--release", "--locked", "--quiet", "--target", target.rust]
        command += ["--features", "panic-unwind,backtrace", "--target-dir", built]
        command += ["--manifest-path", str(sources / "sysroot" / "Cargo.toml")]
        subprocess.run(command, env={**os.environ, **variables}, check=True)
        half = library.with_name("half")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True)
        for crate in Path(built, target.rust, "release", "deps").glob("*.rlib"):
            shutil.copy(crate, half)
        half.rename(library)


def write_program(folder: Path, sysroot: Path, host: str) -> str:
    """Writes the program, beside links to the compiler's own files."""
    for name in (f"lib/rustlib/{host}", "share"):
        link = folder / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(sysroot / name)
    program = folder / "rustc"
    program.write_text(f'#!/bin/sh\nexec "{sysroot}/bin/rustc" --sysroot "{folder}" "$@"\n')
    program.chmod(0o755)
    return str(program)


def output(command: list[str]) -> str:
    """The output of a program that has to succeed."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
