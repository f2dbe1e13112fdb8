"""Searches the output of the suites, at the most verbose level, for secrets; prints their places.

scan.py FOLDER. The patterns of secrets are here. Secrets without a pattern are read from the suites
themselves, where they are constants.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SUITES = ["core/tests", "core/src", "python/tests", "node/tests", "tests"]
SOURCES = {".rs", ".py", ".mjs"}

LOOKS = {
    "a token": r"eyJ[A-Za-z0-9_-]{16,}",
    "a nonce": r"[?&]nonce=[A-Za-z0-9_%-]{16,}",
    "an address": r"[A-Za-z0-9._+-]+(?:@|%40)(?:[\w-]+\.)*(?:example|com|org|net)\b",
    "a password in a URL": r"\b[a-z][a-z+]*://[^/\s@:{]*:[^/\s@{]+@",
}
EXAMPLES = {
    "a token": "refused eyJhbGciOiJSUzI1NiJ9.eyJlbWFpbCI6",
    "a nonce": "GET /auth?scope=openid&nonce=0123456789abcdefABCDEF_-",
    "an address": "login_hint=alice%40sub.example.com",
    "a password in a URL": "rediss://user:pa55word@localhost",
}
CONSTANT = re.compile(
    r"\b(?:PASSWORD|WRONG_PASSWORD|BROWSER|ELSEWHERE|HERE|THERE|SECRET)(?:: [^=\n]*)? = "
    r"[\"']([^\"'\n:]{8,})[\"'];?$",
    re.MULTILINE,
)
# The logs of the suites, one for each language.
HEARD = ("rust.log", "python.log", "node.log")
# A line with this text has a secret on purpose, to show that the search finds it.
ON_PURPOSE = "on purpose"
# The access log of a refused request: the test itself has put the token into the URL, where no
# broker puts one.
REFUSED = re.compile(r"tornado\.(?:access|general):\S+ 40[35] [A-Z]+ /verify\?id_token=")

# Lines with the name of a test; some names contain an address.
NAMED = re.compile(r"\s*[✔▶] |PASSED tests/|_+ \w+\[.*\] _+$")


def main(folder: Path) -> int:
    """Prints one line for each secret; returns 1 if there is any."""
    looks = {what: re.compile(pattern) for what, pattern in LOOKS.items()}
    blind = [what for what, example in EXAMPLES.items() if not looks[what].search(example)]
    values = sorted(known())
    if blind or not values:
        print(f"it would not find {blind or 'any secret of the suites'}")
        return 1
    looks["a secret of the suites"] = re.compile("|".join(map(re.escape, values)))
    silent = [path.name for path in map(folder.joinpath, HEARD) if not heard(path)]
    if silent:
        print(f"nothing was heard in {', '.join(silent)}")
        return 1
    found = lines = 0
    for path in sorted(folder.iterdir()):
        with path.open(encoding="utf-8", errors="replace") as text:
            for number, line in enumerate(text, 1):
                lines += 1
                if ON_PURPOSE in line or REFUSED.search(line) or NAMED.match(line):
                    continue
                for what, pattern in looks.items():
                    if match := pattern.search(line):
                        found += 1
                        print(f"{path.name}:{number}: {what}: {match[0]}: {line.strip()[:200]}")
    print(f"{lines} lines, {len(values)} secrets known by their value, {found} found")
    return 1 if found else 0


def heard(path: Path) -> bool:
    """Whether a log is there and has anything in it."""
    return path.is_file() and path.stat().st_size > 0


def known() -> set[str]:
    """What the suites call a secret."""
    paths = [path for suite in SUITES for path in (ROOT / suite).rglob("*")]
    sources = [
        path for path in paths if path.suffix in SOURCES and "node_modules" not in path.parts
    ]
    texts = [path.read_text(encoding="utf-8") for path in sources]
    return {value for text in texts for value in CONSTANT.findall(text)}


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
