"""Reads the examples in the README, in the manual and in docstrings as code."""

from __future__ import annotations

import ast
import re
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType


def examples_in(text: str, name: str) -> Iterator[CodeType]:
    """The ```python blocks of a text."""
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if line == "```python"]
    for start in starts:
        end = lines.index("```", start)
        # Line numbers are kept, so that a traceback points to the page.
        yield compiled("\n" * (start + 1) + "\n".join(lines[start + 1 : end]), name)


def python_blocks(text: str) -> list[str]:
    """The ```python blocks of a text, as text."""
    return re.findall(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def literal_blocks_in(text: str, name: str) -> Iterator[CodeType]:
    """The indented blocks of a docstring after a line that ends with `::`."""
    for block in re.findall(r"::\n\n((?:(?: {4}.*)?\n)+)", text):
        yield compiled(textwrap.dedent(block), name)


def compiled(source: str, name: str) -> CodeType:
    """Compiles code with `await` at the top level."""
    return compile(source, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)


def section_of(page: str, heading: str) -> str:
    """The text under a heading of the second level."""
    (text,) = [text for text in page.split("\n## ") if text.startswith(f"{heading}\n")]
    return text
