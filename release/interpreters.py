"""The interpreters for which wheels of their own are built."""

from __future__ import annotations

import shutil

# `cp314-cp314t` and `cp315-abi3.abi3t`. All others take the wheel `cp311-abi3`.
FREE_THREADED = ("python3.14t", "python3.15t")


def find(name: str) -> str | None:
    """The path of an interpreter, if it is installed."""
    return shutil.which(name)
