"""Counts the instructions of a login in Rust, beside those of its signature; needs valgrind.

`instructions.py` compares the counts with `instructions.json`: a quarter more is an error. A debug
build is enough, since the amount of work is compared and not the speed. `instructions.py --write`
writes the file; `instructions.py --release` prints the counts of a release build as JSON. The part
of AWS-LC is left out, because it depends on the processor.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COUNTS = Path(__file__).with_suffix(".json")
ARCHITECTURE = "x86_64"
MARGIN = 1.25
# Logins that are bound to a browser, in both flows; counted in release builds only, to save time.
MODES = [
    f"{mode}_{flow}_{half}"
    for flow in ("implicit", "code")
    for half in ("authenticate", "complete")
    for mode in ("memory", "sealed")
]
OPERATIONS = ["verify", "authenticate", "callback"]


def main() -> int:
    """Returns the exit status: 1 if a login needs too many instructions."""
    missing = what_is_missing()
    if missing:
        print(f"LEFT OUT: instructions of a login were not counted: {missing}", file=sys.stderr)
        # In CI a skipped check would never run anywhere.
        return 1 if os.environ.get("CI") and platform.machine() == ARCHITECTURE else 0
    arguments = sys.argv[1:]
    is_release = arguments == ["--release"]
    program = build("bench" if is_release else "dev")
    operations = [*OPERATIONS, *MODES] if is_release else OPERATIONS
    # The counts do not depend on what else runs.
    with ThreadPoolExecutor(os.cpu_count()) as processes:
        found = processes.map(lambda operation: count(program, operation), operations)
        counts = dict(zip(operations, found, strict=True))
    if is_release:
        print(json.dumps(counts))
        return 0
    if arguments == ["--write"]:
        COUNTS.write_text(json.dumps(counts, indent=2) + "\n", encoding="utf-8")
        return 0
    return compare(counts, json.loads(COUNTS.read_text(encoding="utf-8")))


def what_is_missing() -> str | None:
    if platform.machine() != ARCHITECTURE:
        return f"the counts are for {ARCHITECTURE}"
    if shutil.which("valgrind") is None:
        return "valgrind is missing: apt-get install valgrind"
    return None


def build(profile: str) -> Path:
    """The program that logs in, with its symbols."""
    cargo = os.environ.get("CARGO", "cargo")
    command = [cargo, "bench", "--locked", "--quiet", "--profile", profile]
    command += ["--bench", "instructions", "--no-run"]
    command.append("--message-format=json-render-diagnostics")
    messages = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    built = [json.loads(line) for line in messages.stdout.splitlines()]
    (program,) = (
        message["executable"]
        for message in built
        if message["reason"] == "compiler-artifact" and message["target"]["name"] == "instructions"
    )
    return Path(program)


def count(program: Path, operation: str) -> int:
    """Instructions of one call, without those of AWS-LC's verification."""
    with tempfile.TemporaryDirectory() as folder:
        out = f"{folder}/counts"
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"]
        command += ["--collect-atstart=no", "--toggle-collect=*instructions*counted*"]
        ran = subprocess.run(
            [*command, str(program), operation], check=False, capture_output=True, text=True
        )
        if ran.returncode != 0:
            raise RuntimeError(f"the login failed operation={operation}\n{ran.stderr}")
        annotate = ["callgrind_annotate", "--inclusive=yes", "--threshold=100", "--auto=no", out]
        table = subprocess.run(annotate, check=True, capture_output=True, text=True).stdout
    calls = int(ran.stdout)
    total = instructions(table, r"PROGRAM TOTALS")
    verifies = not operation.endswith("authenticate")
    signatures = instructions(table, r"\S*_EVP_DigestVerify \[") if verifies else 0
    if total <= signatures:
        raise RuntimeError(f"nothing was counted total={total} signatures={signatures}")
    return (total - signatures) // calls


def instructions(table: str, row: str) -> int:
    found = re.search(rf"^\s*([\d,]+) \([\d. ]+%\)\s+{row}", table, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"callgrind did not count row={row}")
    return int(found[1].replace(",", ""))


def compare(counts: dict[str, int], before: dict[str, int]) -> int:
    status = 0
    for operation, instructions in counts.items():
        limit = int(before[operation] * MARGIN)
        print(f"{operation}: instructions={instructions} limit={limit}")
        if instructions > limit:
            print(
                f"{operation} has become more work; if it has to be, run "
                "tests/bench/instructions.py --write",
                file=sys.stderr,
            )
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
