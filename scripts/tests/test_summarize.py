"""What is repeated at the end of all suites."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

SUMMARIZE = Path(__file__).parents[1] / "summarize.py"

LOG = """
==> Rust: every feature
test a::works ... ok
test a::breaks ... FAILED
thread 'a::breaks' (12) panicked at core/src/a.rs:7:5:
==> Python: tests
..F.
FAILED tests/client/test_a.py::test_b[x] - AssertionError: no
ERROR tests/client/test_c.py - ImportError: gone
==> Parity of Rust and Python and Node
==> Node: tests
✖ failing tests:
✖ a site that never answers (122ms)
  AssertionError [ERR_ASSERTION]: 1 !== 2
✔ a site that answers: error: none (12ms)
==> Node: tests on other runtimes
  ok node ./tests/client/login.test.mjs 1.0 s
  FAILED deno ./tests/client/login.test.mjs 1.0 s
a login => ./tests/client/login.test.mjs:11:1
\x1b[31merror\x1b[0m: Promise resolution is still pending
  FAILED deno ./tests/client/login.test.mjs 1.0 s
make[1]: *** [Makefile:9: test-node] Error 1
"""

EXPECTED = """
==> What failed:
==> Rust: every feature
  test a::breaks ... FAILED
  thread 'a::breaks' (12) panicked at core/src/a.rs:7:5:
==> Python: tests
  FAILED tests/client/test_a.py::test_b[x] - AssertionError: no
  ERROR tests/client/test_c.py - ImportError: gone
==> Node: tests
  ✖ failing tests:
  ✖ a site that never answers (122ms)
  AssertionError [ERR_ASSERTION]: 1 !== 2
==> Node: tests on other runtimes
  FAILED deno ./tests/client/login.test.mjs 1.0 s
  a login => ./tests/client/login.test.mjs:11:1
  error: Promise resolution is still pending
  make[1]: *** [Makefile:9: test-node] Error 1
"""


def summarize(log: str, status: int) -> subprocess.CompletedProcess[str]:
    program = f"import sys; print(sys.argv[1], end=''); sys.exit({status})"
    command = [sys.executable, str(SUMMARIZE), sys.executable, "-c", program, log]
    return subprocess.run(command, capture_output=True, check=False, encoding="utf-8")


def test_what_failed_is_repeated_at_the_end() -> None:
    done = summarize(LOG, 3)
    assert done.returncode == 3
    assert done.stdout == LOG + EXPECTED


def test_nothing_is_added_if_all_is_well() -> None:
    done = summarize(LOG, 0)
    assert (done.returncode, done.stdout) == (0, LOG)


def test_the_list_has_an_end() -> None:
    done = summarize("".join(f"FAILED a.py::test_{number}\n" for number in range(100)), 1)
    last = done.stdout.splitlines()[-2:]
    assert last == ["  FAILED a.py::test_59", "  and 40 more lines like these"]


def test_a_process_that_is_left_behind_is_not_waited_for() -> None:
    left = "import subprocess; print(subprocess.Popen(['sleep', '60']).pid, flush=True)"
    done = subprocess.run(
        [sys.executable, str(SUMMARIZE), sys.executable, "-c", left],
        capture_output=True,
        check=True,
        encoding="utf-8",
        timeout=50,
    )
    os.kill(int(done.stdout), signal.SIGKILL)
