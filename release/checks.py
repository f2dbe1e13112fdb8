"""What tools of packaging say about the packages."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import binaries
from targets import all_targets

TOOLS = Path(sys.executable).parent


def run_all(directory: Path) -> list[str]:
    """Runs every check; returns what they find."""
    wheels = sorted(directory.glob("*.whl"))
    sources = sorted(directory.glob("*.tar.gz"))
    findings = tool("twine", "check", "--strict", *map(str, wheels + sources))
    if wheels:
        findings += tool("check-wheel-contents", *map(str, wheels))
    for wheel in wheels:
        findings += stable_interface(wheel) + platform_of(wheel)
    for archive in sorted(directory.iterdir()):
        findings += stray_files(archive) + binaries.findings_in(archive)
    return findings


def tool(name: str, *arguments: str) -> list[str]:
    """The output of a tool that found something."""
    done = subprocess.run(
        [TOOLS / name, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    print(f"{name}: {'clean' if done.returncode == 0 else 'FAILED'}", flush=True)
    return [f"{name}:\n{done.stdout}"] if done.returncode != 0 else []


def stable_interface(wheel: Path) -> list[str]:
    """Whether a wheel for several versions of CPython uses only what all of them have."""
    if "-abi3" not in wheel.name:
        return []
    command = [TOOLS / "abi3audit", "--report", str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        (spec,) = json.loads(done.stdout)["specs"].values()
        results = [module["result"] for module in spec["wheel"]]
    except ValueError:
        return [f"abi3audit: {wheel.name}: {done.stdout} {done.stderr}"]
    # A module's own entry point, which 3.15 has introduced, is not a function of CPython.
    foreign = [
        symbol
        for result in results
        for symbol in [*result["non_abi3_symbols"], *result["future_abi3_objects"]]
        if symbol != "PyModExport__native"
    ]
    is_clean = bool(results) and not foreign
    print(f"abi3audit: {wheel.name}: {'clean' if is_clean else 'FAILED'}", flush=True)
    return [] if is_clean else [f"abi3audit: {wheel.name}: {foreign}"]


def platform_of(wheel: Path) -> list[str]:
    """Whether a wheel for Linux needs no newer system than its name says."""
    allowed = re.search(r"((?:many|musl)linux)_(\d+)_(\d+)_", wheel.name)
    if allowed is None:
        return []
    if allowed[1] == "musllinux":
        # auditwheel only knows the name that Alpine gives to the C library, which is `libc.so`.
        foreign = binaries.libraries(wheel) - {"libc.so"}
        print(f"libraries: {wheel.name}: {'FAILED' if foreign else 'clean'}", flush=True)
        return [f"{wheel.name}: needs {name}" for name in sorted(foreign)]
    command = [TOOLS / "auditwheel", "show", str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = " ".join(done.stdout.split())
    needed = re.search(r'platform tag: "((?:many|musl)linux)_(\d+)_(\d+)_', said)
    if needed is None or needed[1] != allowed[1] or version(needed) > version(allowed):
        print(f"auditwheel: {wheel.name}: FAILED", flush=True)
        return [f"auditwheel: {wheel.name}: {said} {done.stderr}"]
    print(f"auditwheel: {wheel.name}: needs {needed[1]} {needed[2]}.{needed[3]}", flush=True)
    return []


def version(found: re.Match[str]) -> tuple[int, int]:
    """The version of the C library in a tag."""
    return int(found[2]), int(found[3])


def stray_files(archive: Path) -> list[str]:
    """Compiled files of this machine, caches, and files that the package should not have."""
    stray = re.compile(r"__pycache__|\.pyc$|\.DS_Store|\.pdb$")
    names = files_of(archive)
    found = [name for name in names if stray.search(name)]
    compiled = [name for name in names if re.search(r"\.(so|pyd|dylib|dll|node)$", name)]
    expected = 1 if archive.suffix == ".whl" or platform_package(archive) else 0
    if len(compiled) != expected:
        found += compiled or ["no compiled module"]
    return [f"{archive.name}: unexpected file: {name}" for name in found]


def platform_package(archive: Path) -> bool:
    """Whether it is an npm package that has an addon."""
    return archive.suffix == ".tgz" and any(
        f"portier-client-{target.name}-" in archive.name for target in all_targets()
    )


def files_of(archive: Path) -> list[str]:
    """The names of the files in an archive."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as zipped:
            return zipped.namelist()
    if archive.name.endswith((".tar.gz", ".tgz", ".crate")):
        with tarfile.open(archive) as packed:
            return packed.getnames()
    return []
