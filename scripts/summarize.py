"""Runs a command, passes its output on, and repeats at the end what failed.

    summarize.py make suites

The log of all suites has thousands of lines. Of a long log, only the start and the end may be kept.
"""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOST = 60
"""The largest number of lines of the list."""

HEADING = re.compile(r"==> ")
# What says that something failed.
FAILED = re.compile(
    "|".join(
        [
            r"(FAILED|ERROR) (\S+::|\S+\.py)",  # pytest
            r"test .+ \.\.\. FAILED$|thread '.+' .*panicked at ",  # Rust
            r"\s*✖ ",  # `node:test`
            r"\(fail\) ",  # Bun
            r".+ => \./\S+:\d+:\d+$",  # Deno
            r"  FAILED \S+ \./",  # `node/scripts/test.mjs`
            r"error(\[\w+\])?: ",  # Cargo, and others
            r"make(\[\d+\])?: \*\*\* .+",
        ]
    )
)
REASON = re.compile(r"\s+(\S*(Error|Exception|Failed)\b.*|(code|message): .+)|error: |E  ")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def main() -> int:
    """Returns the status of the command."""
    command = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    failures = list(what_failed(passed_on(command)))
    status = command.wait()
    if status:
        shown = failures[:MOST]
        print("\n==> What failed:", *shown, sep="\n")
        if left := len(failures) - len(shown):
            print(f"  and {left} more lines like these")
        sys.stdout.flush()
    return status


def passed_on(command: subprocess.Popen[bytes]) -> Iterator[str]:
    """The lines of the output. Shows it as it comes, also dots without the end of a line.

    Ends with the command: a process that it has left behind may keep its output open.
    """
    assert command.stdout is not None
    line = b""
    while True:
        if not select.select([command.stdout], [], [], 1)[0]:
            if command.poll() is None:
                continue
            break
        if not (piece := os.read(command.stdout.fileno(), 65_536)):
            break
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        *lines, line = (line + piece).split(b"\n")
        yield from (line.decode(errors="replace") for line in lines)
    yield line.decode(errors="replace")


def what_failed(lines: Iterable[str]) -> Iterator[str]:
    """The lines that say what failed, below the headings of their suites; each line once."""
    heading: str | None = None
    said = set()
    follows = False
    for coloured in lines:
        line = COLOUR.sub("", coloured).rstrip()
        if HEADING.match(line):
            heading = line
        is_failure = FAILED.match(line) is not None
        if (is_failure or (follows and REASON.match(line))) and line not in said:
            if heading is not None:
                yield heading
                heading = None
            said.add(line)
            yield f"  {line.strip()}"
        # The reason is in one of the next lines.
        follows = is_failure or (follows and not line.strip())


if __name__ == "__main__":
    sys.exit(main())
