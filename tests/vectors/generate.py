"""Writes the test vectors of tokens and key sets, from the committed test keys.

It shares no code with the library: tokens are put together and signed here, and what each must
lead to is written down by hand, with the rule it rests on. The output is the same on every run.
`--check` writes nothing and fails when a committed file is not what would be written.
"""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cases import key_sets, tokens

HERE = Path(__file__).resolve().parent
DOCUMENTS: dict[str, Callable[[], dict[str, Any]]] = {
    "tokens.json": tokens.document,
    "key_sets.json": key_sets.document,
}


def main() -> int:
    """Writes or checks every file; returns 1 if a check fails."""
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        print("usage: generate.py [--check]", file=sys.stderr)
        return 2
    differing = []
    for name, make in DOCUMENTS.items():
        document = make()
        require_good_ids(name, document["cases"])
        text = json.dumps(document, indent=2) + "\n"
        path = HERE / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        differing.append(name)
        if not check:
            path.write_text(text, encoding="utf-8")
    for name in differing:
        print(f"{name}: {'differs from what generate.py writes' if check else 'written'}")
    return 1 if check and differing else 0


def require_good_ids(name: str, cases: list[dict[str, Any]]) -> None:
    """Raises an error when an id is used twice or is not in kebab-case."""
    seen = set()
    for case in cases:
        identifier = str(case["id"])
        if identifier in seen or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", identifier):
            raise ValueError(f"{name}: an id is repeated or not in kebab-case id={identifier}")
        seen.add(identifier)


if __name__ == "__main__":
    sys.exit(main())
