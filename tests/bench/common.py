"""Shared code of the measurements in Python."""

from __future__ import annotations

import os
import resource
import urllib.request
from pathlib import Path
from typing import TypeVar

ROUNDS = int(os.environ.get("ROUNDS", "45"))
LOGINS = int(os.environ.get("LOGINS", "200"))
EMAIL = "alice@example.com"
REDIRECT_URI = "http://localhost:8888/verify"
CLIENT_ID = "http://localhost:8888"

T = TypeVar("T")


def rotated(parts: dict[str, T], number: int) -> dict[str, T]:
    """The items in rotated order, so that none is always first."""
    names = list(parts)
    first = number % len(names)
    return {name: parts[name] for name in names[first:] + names[:first]}


def median(values: list[float]) -> float:
    """The median."""
    return sorted(values)[len(values) // 2]


def resident_bytes() -> int:
    """The maximum resident memory of this process so far.

    On Linux, `ru_maxrss` includes that of the parent process until `exec`.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def get_text(url: str) -> str:
    """The response of a server."""
    with urllib.request.urlopen(url) as response:
        text: str = response.read().decode()
    return text
