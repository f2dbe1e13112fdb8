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


def unpack(
    packages: list[str], directory: Path, also: str | None = None, release: str | None = None
) -> bool:
    """Downloads packages and unpacks them; returns whether Debian has all of them.

    A package is a name with a processor, and maybe a version: `python3:arm64`, `rust-src:all=1.95`.
    With `also`, dependencies whose name matches the pattern are unpacked too. With `release`, the
    packages are those of that release of Debian: `trixie`.
    """
    try:
        apt = Apt(release)
        apt.update()
        wanted = set(packages)
        if also is not None:
            wanted |= dependencies(apt, wanted, re.compile(also))
        archives = apt.state / "archives"
        archives.mkdir(exist_ok=True)
        output([*apt.command("apt-get"), "download", *sorted(wanted)], archives)
        directory.mkdir(parents=True, exist_ok=True)
        for name in wanted:
            package, _, processor = name.partition("=")[0].partition(":")
            for archive in archives.glob(f"{package}_*_{processor}.deb"):
                output(["dpkg", "-x", str(archive), str(directory)])
    except subprocess.CalledProcessError as error:
        sys.stderr.write(error.stderr[-2000:])
        return False
    return True


def unpack_source(package: str, directory: Path, release: str) -> bool:
    """Downloads the sources of a package and unpacks them; returns whether Debian has them.

    They are those of its authors, without Debian's changes.
    """
    try:
        apt = Apt(release, kind="deb-src")
        apt.update()
        archives = apt.state / "archives"
        archives.mkdir(exist_ok=True)
        output([*apt.command("apt-get"), "source", "--download-only", package], archives)
        directory.mkdir(parents=True, exist_ok=True)
        (archive,) = archives.glob(f"{package}_*.orig.tar.xz")
        output(["tar", "-xf", str(archive), "--strip-components=1"], directory)
    except subprocess.CalledProcessError as error:
        sys.stderr.write(error.stderr[-2000:])
        return False
    return True


def version_of(package: str, pattern: str, release: str) -> str | None:
    """The version of a package that matches a pattern in a release of Debian, if there is one."""
    try:
        apt = Apt(release)
        apt.update()
        listed = output([*apt.command("apt-cache"), "madison", package])
    except subprocess.CalledProcessError as error:
        sys.stderr.write(error.stderr[-2000:])
        return None
    versions = re.findall(r"\| *(\S+) *\|", listed)
    return next((version for version in versions if re.match(pattern, version)), None)


class Apt:
    """Debian's programs with a state of their own, and with the packages for all processors."""

    def __init__(self, release: str | None, kind: str = "deb") -> None:
        self.release = release
        self.kind = kind
        self.state = STATE / ("sources" if kind == "deb-src" else release or "system")

    def update(self) -> None:
        """Makes the lists of packages, once."""
        if (self.state / "updated").exists():
            return
        for name in ("lists/partial", "cache/archives/partial"):
            (self.state / name).mkdir(parents=True, exist_ok=True)
        (self.state / "status").touch()
        if self.release is not None:
            (self.state / "sources.list").write_text(self.source(), encoding="utf-8")
        output([*self.command("apt-get"), "update"])
        (self.state / "updated").touch()

    def source(self) -> str:
        """The system's mirror, with another release."""
        listing = ["apt-get", "indextargets", "--format", "$(REPO_URI)"]
        mirrors = output([*listing, "Created-By: Packages", "Label: Debian"])
        return f"{self.kind} {mirrors.splitlines()[0]} {self.release} main\n"

    def command(self, program: str) -> list[str]:
        """A program with its options."""
        options = {
            "Dir::State": self.state,
            "Dir::State::status": self.state / "status",
            "Dir::Cache": self.state / "cache",
            # Downloads run as the user, who may write here.
            "APT::Sandbox::User": "",
        }
        if self.release is not None:
            options["Dir::Etc::sourcelist"] = self.state / "sources.list"
            options["Dir::Etc::sourceparts"] = "/dev/null"
        arguments = [f"--option={name}={value}" for name, value in options.items()]
        arguments += [f"--option=APT::Architectures::={name}" for name in ARCHITECTURES]
        return [program, *arguments]


def dependencies(apt: Apt, packages: set[str], pattern: re.Pattern[str]) -> set[str]:
    """The dependencies that match, direct or not, each with its processor."""
    found = set()
    for name in packages:
        processor = name.partition(":")[2]
        command = [*apt.command("apt-cache"), "depends", "--recurse", "--important", name]
        for dependency in re.findall(
            r"^ +(?:Pre)?Depends: ([^<\s]+)$", output(command), re.MULTILINE
        ):
            found.add(dependency if ":" in dependency else f"{dependency}:{processor}")
    return {name for name in found if pattern.search(name)}


def output(command: list[str], directory: Path | None = None) -> str:
    """The output of a program that has to succeed."""
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True)
    return done.stdout
