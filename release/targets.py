"""The platforms that packages are built for."""

from __future__ import annotations

import json
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Target:
    """A platform, with its name in npm, in Rust and in Python."""

    name: str
    os: str
    cpu: str
    rust: str
    wheel: str
    libc: str | None = None

    @property
    def is_here(self) -> bool:
        """Whether programs for it run on this machine."""
        libc = {"glibc": "glibc", "": "musl"}.get(platform.libc_ver()[0])
        return self.has_this_os and self.cpu == this_cpu() and self.libc in (None, libc)

    @property
    def has_this_os(self) -> bool:
        """Whether it has the operating system of this machine, on any processor."""
        return sys.platform == self.os

    @property
    def compatibility(self) -> str:
        """The tag of Python without the processor: `manylinux_2_17`."""
        return self.wheel.removesuffix("_x86_64").removesuffix("_aarch64")


def all_targets() -> list[Target]:
    """The list, which the npm package and the workflows read as well."""
    text = (ROOT / "release" / "targets.json").read_text(encoding="utf-8")
    return [Target(**fields) for fields in json.loads(text)]


def this_cpu() -> str:
    """The name of this machine's processor in npm."""
    machine = platform.machine().lower()
    return {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}.get(machine, machine)
