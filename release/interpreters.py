"""The versions of CPython that wheels are built for, and their interpreters."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from targets import Target


@dataclass(frozen=True)
class Wheel:
    """A wheel: its tag, the interpreter that Maturin builds it for, and features of pyo3."""

    tag: str
    interpreter: str | None = None
    features: str | None = None

    def arguments(self, target: Target) -> list[str]:
        """The arguments of Maturin. It knows the interpreters of Linux without having them."""
        found = []
        if self.interpreter is not None:
            installed = shutil.which(self.interpreter) if target.is_here else None
            found += ["--interpreter", installed or self.interpreter]
        if self.features is not None:
            found += ["--features", self.features]
        return found


# Versions with free threading need wheels of their own.
WHEELS = (
    Wheel("cp311-abi3"),
    Wheel("cp314-cp314t", "python3.14t"),
    Wheel("cp315-abi3.abi3t", "python3.15t", "pyo3/abi3t-py315"),
)
