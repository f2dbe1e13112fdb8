"""Makes the pages of the reference of the Python package, one for each module."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from pages import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = ROOT / "python/portier_client"


def modules() -> dict[str, Path]:
    """The public modules of the package, with their source."""
    sources = [*PACKAGE.glob("*.py"), *PACKAGE.glob("*/__init__.py")]
    return {name_of(path): path for path in sorted(sources) if not private(path)}


def private(path: Path) -> bool:
    """Whether a module is not for users."""
    return path.parent == PACKAGE and path.name != "__init__.py" and path.stem.startswith("_")


def name_of(path: Path) -> str:
    """The name of a module."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def page(name: str) -> str:
    """The page of a module."""
    if name != PACKAGE.name:
        return f"::: {name}\n"
    # The errors have a page of their own.
    names = ["Client", "Login", "Key", "Store", "normalize_email", "safe_next"]
    return f"::: {name}\n    options:\n      members: {names}\n"


def summary(path: Path) -> str:
    """The first line of the docstring of a module."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0]


def index() -> str:
    """The page that leads to the references of all languages."""
    rows = "\n".join(
        f"| [`{name}`](python/{name}.md) | {plain(summary(path))} |"
        for name, path in modules().items()
    )
    return f"""# References of the code

These references are made from the source of this version.

- **Node**: [every entry point of the npm package](node/index.html)
- **Rust**: [the crate `portier_client`](rust/portier_client/index.html)
- **Python**: the modules of the package

| module | contents |
|---|---|
{rows}
"""


def plain(text: str) -> str:
    """The text of a docstring without references."""
    return re.sub(r":\w+:(`[^`]+`)", r"\1", text)
