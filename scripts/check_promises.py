"""Checks that every promise and every situation has tests, and that the tests exist.

The pages are SECURITY.md, docs/security.md and tests/situations.md. A promise is a row of a table
whose header begins with `| promise |`; a situation is one below `| situation |`. The links in a row
are its tests. The text of a link is the name of a test, or of a case, in the file of the link.
"""

from __future__ import annotations

import json
import re
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "SECURITY.md", ROOT / "docs" / "security.md", ROOT / "tests" / "situations.md"]
HEADERS = ("| promise |", "| situation |")

NAMES = {
    ".rs": re.compile(
        r"#\[(?:tokio::)?test[^\]]*\]\s*(?:#\[[^\]]*\]\s*)*(?:async )?fn (\w+)",
    ),
    ".py": re.compile(r"\bdef test_(\w+)"),
    # If a name ends with a value, the link has the part before the colon.
    ".mjs": re.compile(r"\b(?:test|describe)\(\s*(?:\"([^\"\n]+)\"|`([^`:$\n]+))"),
}


def main() -> int:
    """Prints one line for each finding; returns 1 if there is any."""
    findings = [finding for page in PAGES for finding in check(page)]
    print("\n".join(findings) or "no findings")
    return 1 if findings else 0


def check(page: Path) -> Iterator[str]:
    """The findings of a page."""
    found = 0
    for row in rows_of(page):
        found += 1
        links = re.findall(r"\[([^\]]+)\]\(([^)#\s]+)\)", row)
        tests = [(name, page.parent / target) for name, target in links]
        tests = [(name, path) for name, path in tests if path.suffix in {*NAMES, ".json"}]
        if not tests:
            yield f"{page.name}: a row without a test: {row}"
        for name, path in tests:
            if not path.is_file() or plain(name) not in names_in(path):
                yield f"{page.name}: there is no such test name={name} file={path.name}"
    if not found:
        yield f"{page.name}: no rows were found"


def rows_of(page: Path) -> Iterator[str]:
    """The rows of the tables of promises and situations."""
    is_inside = False
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith(HEADERS):
            is_inside = True
        elif not line.startswith("|"):
            is_inside = False
        elif is_inside and not line.startswith("|---"):
            yield line


@cache
def names_in(path: Path) -> set[str]:
    """The tests of a file, or the cases in it, in plain words."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return {case["id"] for case in json.loads(text)["cases"]}
    found = NAMES[path.suffix].finditer(text)
    return {plain(next(filter(None, name.groups()))) for name in found}


def plain(name: str) -> str:
    """A name as it stands in a sentence."""
    return name.replace("_", " ").strip()


if __name__ == "__main__":
    sys.exit(main())
