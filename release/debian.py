"""Packages of Debian for any processor, unpacked into a directory. The system stays as it is."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

from targets import ROOT

if TYPE_CHECKING:
    from pathlib import Path

STATE = ROOT / ".tools" / "apt"
ARCHITECTURES = ("amd64", "arm64")


def architecture() -> str:
    """Debian's name of this machine's processor."""
    return output(["dpkg", "--print-architecture"]).strip()


def unpack(packages: list[str], directory: Path, also: str | None = None) -> bool:
    """Downloads packages and unpacks them; returns whether Debian has all of them.

    With `also`, dependencies whose name matches the pattern are unpacked too.
    """
    try:
        update()
        wanted = set(packages)
        if also is not None:
            wanted |= dependencies(wanted, re.compile(also))
        archives = STATE / "archives"
        archives.mkdir(exist_ok=True)
        output([*apt("apt-get"), "download", *sorted(wanted)], archives)
        directory.mkdir(parents=True, exist_ok=True)
        for name in wanted:
            package, _, processor = name.partition(":")
            for archive in archives.glob(f"{package}_*_{processor}.deb"):
                output(["dpkg", "-x", str(archive), str(directory)])
    except subprocess.CalledProcessError as error:
        sys.stderr.write(error.stderr[-2000:])
        return False
    return True


def update() -> None:
    """Makes the lists of packages, once."""
    if (STATE / "updated").exists():
        return
    for name in ("lists/partial", "cache/archives/partial"):
        (STATE / name).mkdir(parents=True, exist_ok=True)
    (STATE / "status").touch()
    output([*apt("apt-get"), "update"])
    (STATE / "updated").touch()


def dependencies(packages: set[str], pattern: re.Pattern[str]) -> set[str]:
    """The dependencies that match, direct or not, each with its processor."""
    found = set()
    for name in packages:
        processor = name.partition(":")[2]
        listed = output([*apt("apt-cache"), "depends", "--recurse", "--important", name])
        for dependency in re.findall(r"^ +(?:Pre)?Depends: ([^<\s]+)$", listed, re.MULTILINE):
            found.add(dependency if ":" in dependency else f"{dependency}:{processor}")
    return {name for name in found if pattern.search(name)}


def apt(program: str) -> list[str]:
    """The program with its own state, and with the packages for all processors."""
    options = {
        "Dir::State": STATE,
        "Dir::State::status": STATE / "status",
        "Dir::Cache": STATE / "cache",
        # Downloads run as the user, who may write here.
        "APT::Sandbox::User": "",
    }
    arguments = [f"--option={name}={value}" for name, value in options.items()]
    arguments += [f"--option=APT::Architectures::={name}" for name in ARCHITECTURES]
    return [program, *arguments]


def output(command: list[str], directory: Path | None = None) -> str:
    """The output of a program that has to succeed."""
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True)
    return done.stdout
