"""Writes the results of the last runs into `docs/conformance.md`.

The results are in `target/conformance/*.json`: lists of objects with `suite`, `case`, `subject` and
`result`. Each suite has its own table. A suite that did not run, or skipped a case, keeps its old
table. With CI=true nothing is written, and a difference is an error.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "target/conformance"
DOCUMENT = ROOT / "docs/conformance.md"

BEGIN = "<!-- results: begin; written by scripts/conformance_table.py -->"
END = "<!-- results: end -->"

# Suites in the order of the page, with their titles. Others follow by name.
SUITES = {
    "public_tester": "What the public client tester checks",
    "beyond": "Beyond the public client tester",
    "provider": "Another OpenID provider: oidc-provider",
    "e2e_http": "Whole sites and the real broker, over HTTP",
    "e2e_identifiers": "Addresses and redirect URIs, beside the real broker",
    "e2e_browser": "Whole sites and the real broker, in a browser",
}
SUBJECTS = {"rust": "Rust", "python": "Python", "node": "Node"}

Tables = dict[str, str]


def main() -> int:
    """Returns 1 if the page is out of date and may not be written."""
    text = DOCUMENT.read_text(encoding="utf-8")
    start, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    tables = {**written(text[start:end]), **found()}
    body = "".join(f"\n\n### {title}\n\n{tables[title]}" for title in sorted(tables, key=place))
    new = f"{text[:start]}{body}\n\n{text[end:]}"
    if new == text:
        print(f"docs/conformance.md is up to date suites={len(tables)}")
        return 0
    if os.environ.get("CI") == "true":
        print(*difflib.unified_diff(text.splitlines(), new.splitlines(), lineterm=""), sep="\n")
        print("docs/conformance.md is out of date: run `make test` and commit it")
        return 1
    DOCUMENT.write_text(new, encoding="utf-8")
    print(f"docs/conformance.md was updated suites={len(tables)}")
    return 0


def written(body: str) -> Tables:
    """The tables of the page, by title."""
    pieces = re.split(r"^### (.+)$", body, flags=re.MULTILINE)[1:]
    return {title: table.strip() for title, table in zip(pieces[::2], pieces[1::2], strict=True)}


def found() -> Tables:
    """A table for each suite that ran, by title."""
    suites: dict[str, dict[str, dict[str, str]]] = {}
    for path in sorted(RESULTS.glob("*.json")):
        for row in json.loads(path.read_text(encoding="utf-8")):
            cases = suites.setdefault(row["suite"], {})
            cases.setdefault(row["case"], {})[row["subject"]] = row["result"]
    return {
        SUITES.get(suite, suite): table(cases)
        for suite, cases in suites.items()
        if not any("skipped" in results.values() for results in cases.values())
    }


def table(cases: dict[str, dict[str, str]]) -> str:
    """The cases in the order in which they ran, with their results."""
    subjects = sorted({subject for results in cases.values() for subject in results}, key=column)
    lines = [["case", *(SUBJECTS.get(subject, subject) for subject in subjects)]]
    lines.append(["---"] * len(lines[0]))
    for case, results in cases.items():
        lines.append([case, *(results.get(subject, "") for subject in subjects)])
    return "\n".join(f"| {' | '.join(cell(text) for text in line)} |" for line in lines)


def cell(text: str) -> str:
    """A text, escaped for a table."""
    return re.sub(r"([\\|<>*_`\[\]])", r"\\\1", text)


def place(title: str) -> tuple[int, str]:
    """The position of a suite."""
    known = list(SUITES.values())
    return (known.index(title) if title in known else len(known), title)


def column(subject: str) -> tuple[int, str]:
    """The position of a subject."""
    known = list(SUBJECTS)
    return (known.index(subject) if subject in known else len(known), subject)


if __name__ == "__main__":
    sys.exit(main())
