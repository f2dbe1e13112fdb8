"""Writes the test vectors that are made from the committed test keys, and their index.

It shares no code with the library. Tokens are made and signed here; the expected results are
written by hand, with the rule behind each. The output is the same on every run. `--check` writes
nothing, and fails if a committed file differs. The format of every file is checked, also of
handwritten ones.
"""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cases import (
    broken_documents,
    callbacks,
    configurations,
    key_sets,
    sealed,
    sealed_logins,
    tokens,
    web,
)
from index import page

HERE = Path(__file__).resolve().parent
DOCUMENTS: dict[str, Callable[[], dict[str, Any]]] = {
    "tokens.json": tokens.document,
    "key_sets.json": key_sets.document,
    "callbacks.json": callbacks.document,
    "configurations.json": configurations.document,
    "broken_documents.json": broken_documents.document,
    "web.json": web.document,
    "web_codes.json": web.codes,
    "web_sessions.json": web.sessions,
    "sealed_sessions.json": sealed.document,
    "sealed_logins.json": sealed_logins.document,
}
REQUIRED = ("id", "about", "expect", "basis")


def main() -> int:
    """Writes or checks every file; returns 1 if a check fails."""
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        print("usage: generate.py [--check]", file=sys.stderr)
        return 2
    differing = []
    made = {name: json.dumps(make(), indent=2) + "\n" for name, make in DOCUMENTS.items()}
    others = {path.name: path.read_text(encoding="utf-8") for path in HERE.glob("*.json")}
    files = {name: json.loads(text)["cases"] for name, text in sorted({**others, **made}.items())}
    for name, text in [*made.items(), ("README.md", page(files))]:
        path = HERE / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        differing.append(name)
        if not check:
            path.write_text(text, encoding="utf-8")
    for name in differing:
        print(f"{name}: {'differs from what generate.py writes' if check else 'written'}")
    findings = [finding for path in sorted(HERE.glob("*.json")) for finding in faults(path)]
    for finding in findings:
        print(finding)
    return 1 if findings or (check and differing) else 0


def faults(path: Path) -> list[str]:
    """The findings about the format of a file: its ids, and missing members."""
    cases: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cases"]
    findings = [] if cases else [f"{path.name}: there are no cases"]
    seen = set()
    for number, case in enumerate(cases):
        identifier = str(case.get("id", ""))
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", identifier):
            findings.append(f"{path.name}: id is not in kebab-case number={number} id={identifier}")
        if identifier in seen:
            findings.append(f"{path.name}: id is repeated id={identifier}")
        seen.add(identifier)
        missing = [member for member in REQUIRED if case.get(member, "") == ""]
        if case.get("steps"):
            # Each case has an expected result.
            missing.remove("expect")
        if path.name in DOCUMENTS and not case.get("family"):
            missing.append("family")
        if missing:
            findings.append(f"{path.name}: case lacks {', '.join(missing)} id={identifier}")
    return findings


if __name__ == "__main__":
    sys.exit(main())
