"""Checks that what SECURITY.md and docs/security.md promise has tests, and that those exist.

A promise is a row of a table that begins with `| promise |` or `| id |`; its tests are the links in
it, whose words are the name of a test or the id of a case in the file they lead to. Every id of the
catalogue's web side is in a test's name, or in docs/security.md with why it is not.
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
PAGES = [ROOT / "SECURITY.md", ROOT / "docs" / "security.md"]
TESTS = ["core/src", "core/tests", "python/tests", "node/tests", "tests"]
WEB_IDS = [f"WEB-{number:02}" for number in range(1, 29)]

NAMES = {
    ".rs": re.compile(
        r"#\[(?:tokio::)?test[^\]]*\]\s*(?:#\[[^\]]*\]\s*)*(?:async )?fn (\w+)",
    ),
    ".py": re.compile(r"\bdef test_(\w+)"),
    # A name that goes on with a value is known by what comes before the colon.
    ".mjs": re.compile(r"\btest\(\s*(?:\"([^\"\n]+)\"|`([^`:$\n]+))"),
}


def main() -> int:
    """Prints one line for each finding; returns 1 if there is any."""
    findings = [finding for page in PAGES for finding in check(page)] + missing_ids()
    print("\n".join(findings) or "no findings")
    return 1 if findings else 0


def check(page: Path) -> Iterator[str]:
    """What is wrong with the promises of a page."""
    found = 0
    for kind, row in rows_of(page):
        found += 1
        links = re.findall(r"\[([^\]]+)\]\(([^)#\s]+)\)", row)
        tests = [(name, page.parent / target) for name, target in links]
        tests = [(name, path) for name, path in tests if path.suffix in {*NAMES, ".json"}]
        if kind == "promise" and not tests:
            yield f"{page.name}: a promise without a test: {row}"
        for name, path in tests:
            if not path.is_file() or plain(name) not in names_in(path):
                yield f"{page.name}: there is no such test name={name} file={path.name}"
    if not found:
        yield f"{page.name}: no promises were found"


def rows_of(page: Path) -> Iterator[tuple[str, str]]:
    """The rows of tables of promises, each with what its first column is called."""
    kind = ""
    for line in page.read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"\| (promise|id) \|", line):
            kind = heading[1]
        elif not line.startswith("|"):
            kind = ""
        elif kind and not line.startswith("|---"):
            yield kind, line


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


def missing_ids() -> list[str]:
    """What of the catalogue's web side is in no test's name, and not explained either."""
    tests = [path for folder in TESTS for path in (ROOT / folder).rglob("*")]
    tests = [path for path in tests if path.suffix in NAMES and "node_modules" not in path.parts]
    named = {
        f"WEB-{number}"
        for path in tests
        for name in names_in(path)
        for number in re.findall(r"\bweb (\d\d)\b", name)
    }
    page = PAGES[1].read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| (WEB-\d\d) \|", page, flags=re.MULTILINE))
    known = {*WEB_IDS}
    return [
        *(f"no test and no reason id={name}" for name in WEB_IDS if name not in named | explained),
        *(f"not in the catalogue id={name}" for name in sorted((named | explained) - known)),
    ]


if __name__ == "__main__":
    sys.exit(main())
