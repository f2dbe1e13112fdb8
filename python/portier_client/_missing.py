"""Explains why the compiled module of the package cannot be imported."""

from __future__ import annotations

import os
import sys

_NAME = "_native"


def explanation(places: list[str]) -> str:
    """Return the message of the error, for a package in ``places``."""
    message = f"the compiled part of portier_client, {_NAME}, is missing"
    for place in places:
        try:
            files = os.listdir(place)  # noqa: PTH208 - `pathlib` may be missing as well
        except OSError:
            return (
                f"{message}: Python does not load compiled modules from archives; unpack the "
                f"package into a directory path={place}"
            )
        others = sorted(
            file for file in files if file.startswith(f"{_NAME}.") and _is_compiled(file)
        )
        if others:
            return (
                f"{message} for this Python: install the wheel for it "
                f"python={sys.version_info.major}.{sys.version_info.minor} "
                f"platform={sys.platform} found={','.join(others)}"
            )
    return (
        f"{message}: install the package with pip, or make your packaging tool include its "
        f"compiled files path={','.join(places)}"
    )


def _is_compiled(file: str) -> bool:
    return file.endswith((".so", ".pyd"))
