"""Checks that source files are short and contain no paths of one machine."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = {".rs", ".py", ".pyi", ".ts", ".mts", ".js", ".mjs", ".cjs", ".sh"}
MOST_LINES = 400


def main() -> int:
    """Prints one line for each finding; returns 1 if there is any."""
    findings = [finding for path in tracked() for finding in check(path)]
    print("\n".join(findings) or "no findings")
    return 1 if findings else 0


def tracked() -> list[Path]:
    """The files under version control, and new files that are not ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    paths = (ROOT / name for name in listing.stdout.split("\0") if name)
    return [path for path in paths if path.is_file()]


def check(path: Path) -> list[str]:
    """The findings of one file."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return []
    name = path.relative_to(ROOT)
    findings = []
    if path.suffix in SOURCE and len(lines) >= MOST_LINES:
        findings.append(f"{name}: the file is too long lines={len(lines)} limit={MOST_LINES}")
    stray = stray_path()
    findings += [
        f"{name}:{number}: a path of one machine"
        for number, line in enumerate(lines, start=1)
        if stray.search(line)
    ]
    return findings


def stray_path() -> re.Pattern[str]:
    """Home directories, and the directory of this clone."""
    homes = [r"/home/\w", r"/Users/\w", r"[A-Z]:\\+Users", r"/root/\.", re.escape(f"{ROOT}/")]
    return re.compile(r"(?<![\w.:~-])(?:" + "|".join(homes) + ")")


if __name__ == "__main__":
    sys.exit(main())
