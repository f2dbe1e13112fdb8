"""Builds everything that is published into target/packages, as far as this machine can.

Usage: build.py [--only PLATFORM ...] [--without-checks] [--twice]
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import checks
import environment
import interpreters
import logins
import toolchains
import twice
import zig
from targets import ROOT, Target, all_targets
from zopfli import ZipFile as ZopfliFile

if TYPE_CHECKING:
    from pathlib import Path

OUT = ROOT / "target" / "packages"
CARGO = os.environ.get("CARGO", "cargo")
NODE = os.environ.get("NODE", "node")
# The addon and the module share compiled dependencies.
FEATURES = ["--features", "packages"]


def main() -> int:
    """Builds, checks, and prints what there is; returns 1 if a check or a login fails."""
    names = [target.name for target in all_targets()]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", metavar="PLATFORM", choices=names, default=names)
    parser.add_argument("--without-checks", action="store_true")
    parser.add_argument("--twice", action="store_true", help="build again in another folder")
    arguments = parser.parse_args()
    if arguments.twice and twice.changes():
        parser.error(f"commit these first, so that both builds have them:\n{twice.changes()}")

    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    left_out: dict[str, str] = {}
    addons: dict[str, Path] = {}
    for target in all_targets():
        if target.name not in arguments.only:
            continue
        try:
            toolchain = toolchains.find(target)
        except toolchains.MissingError as error:
            left_out[f"addon and wheels for {target.name}"] = str(error)
            continue
        say(f"{target.name}: with {toolchain.name}")
        addons[target.name] = build_addon(target, toolchain)
        build_wheels(target, toolchain)
    say("Source distribution, crate, npm packages")
    build_sources()
    pack_npm(addons)

    findings: list[str] = []
    if not arguments.without_checks:
        say("Checks")
        findings = checks.run_all(OUT)
        say("Logins")
        tried = logins.run_all(OUT, list(addons))
        print("\n".join(tried.done))
        findings += tried.failures
        left_out |= {f"login with the {name}": why for name, why in tried.not_tried.items()}
    report(left_out)
    if arguments.twice:
        say("The same in another folder")
        findings += twice.findings(OUT, list(addons))
    print("\n".join(f"FAILED {finding}" for finding in findings))
    return 1 if findings else 0


def build_addon(target: Target, toolchain: toolchains.Toolchain) -> Path:
    """Builds the addon of Node, for the same C library as the wheel; returns its folder."""
    build = ["--release", "--locked", "--quiet", "-p", "portier-client-node", *FEATURES]
    run([CARGO, *cargo_build(target), *build], variables(target, toolchain))
    library = {
        "linux": "libportier_client_node.so",
        "darwin": "libportier_client_node.dylib",
        "win32": "portier_client_node.dll",
    }[target.os]
    folder = ROOT / "target" / "addons" / target.name
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "target" / target.rust / "release" / library, folder / "portier-client.node")
    write_third_party("portier-client-node", target, folder)
    return folder


def write_third_party(crate: str, target: Target, folder: Path) -> None:
    """Writes the notices of what is linked, and the bill of materials."""
    command = [sys.executable, "scripts/third_party.py", crate, "--target", target.rust]
    files = {"--notices": "THIRD-PARTY-NOTICES.txt", "--sbom": "sbom.cdx.json"}
    for option, name in files.items():
        command += [option, str(folder / name)]
    run(command)


def cargo_build(target: Target) -> list[str]:
    """The command of Cargo for a platform: zig has the C libraries of all versions of Linux."""
    if target.os != "linux":
        return ["build", "--target", target.rust]
    return ["zigbuild", "--target", zig.triple(target)]


def build_wheels(target: Target, toolchain: toolchains.Toolchain) -> None:
    """Builds the wheel for all versions of CPython, and those for free threading."""
    command = [sys.executable, "-m", "maturin", "build", "--release", "--locked"]
    command += ["--target", target.rust, "--compatibility", target.compatibility, *FEATURES]
    if target.os == "linux":
        command += ["--zig"]
    folder = ROOT / "target" / "addons" / f"{target.name}-python"
    folder.mkdir(parents=True, exist_ok=True)
    write_third_party("portier-client-python", target, folder)
    command += ["--sbom-include", str(folder / "sbom.cdx.json")]
    # Maturin takes licences from the root alone.
    shutil.copy(folder / "THIRD-PARTY-NOTICES.txt", ROOT)
    wheels = folder / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    command += ["--out", str(wheels)]
    for wheel in interpreters.WHEELS:
        run([*command, *wheel.arguments(target)], variables(target, toolchain))
    (ROOT / "THIRD-PARTY-NOTICES.txt").unlink()
    for path in wheels.glob("*.whl"):
        compress(path, OUT / path.name)


def compress(wheel: Path, smaller: Path) -> None:
    """Compresses the files of a wheel by Zopfli, 3 % smaller than by the best level of zlib."""
    with zipfile.ZipFile(wheel) as read, ZopfliFile(smaller, "w", zipfile.ZIP_DEFLATED) as written:
        for entry in read.infolist():
            written.writestr(entry, read.read(entry))


def variables(target: Target, toolchain: toolchains.Toolchain) -> dict[str, str]:
    """The variables of a build."""
    programs = zig.programs(target) if target.os == "linux" else {}
    return {**environment.of(target), **programs, **toolchain.variables}


def build_sources() -> None:
    """Builds the source distribution and the crate."""
    time = {"SOURCE_DATE_EPOCH": environment.time_of_the_sources()}
    run([sys.executable, "-m", "maturin", "sdist", "--out", str(OUT)], time)
    # The compiler sees the crate in the tests.
    run(
        [
            CARGO,
            "package",
            "--locked",
            "--quiet",
            "--no-verify",
            "--allow-dirty",
            "-p",
            "portier-client",
        ]
    )
    for crate in (ROOT / "target" / "package").glob("portier-client-*.crate"):
        shutil.copy(crate, OUT)


def pack_npm(addons: dict[str, Path]) -> None:
    """Packs `portier-client` for npm, and the package of each platform."""
    pairs = [f"{name}={folder / 'portier-client.node'}" for name, folder in addons.items()]
    run([NODE, str(ROOT / "node" / "scripts" / "pack.mjs"), str(OUT), *pairs])


def report(left_out: dict[str, str]) -> None:
    """Prints each artefact with its size and digest, and what is missing; writes SHA256SUMS."""
    lines = []
    say(f"Packages in {OUT.relative_to(ROOT)}")
    for artefact in sorted(path for path in OUT.iterdir() if path.name != "SHA256SUMS"):
        digest = hashlib.sha256(artefact.read_bytes()).hexdigest()
        lines.append(f"{digest}  {artefact.name}\n")
        print(f"{artefact.stat().st_size:>10,} {digest}  {artefact.name}")
    (OUT / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")
    if left_out:
        say("Left out")
    for what, why in left_out.items():
        print(f"{what}: {why}")


def say(text: str) -> None:
    """Prints a heading."""
    print(f"\n==> {text}", flush=True)


def run(command: list[str], more: dict[str, str] | None = None) -> None:
    """Runs a program that has to succeed."""
    subprocess.run(command, cwd=ROOT, env={**os.environ, **(more or {})}, check=True)


if __name__ == "__main__":
    sys.exit(main())
