"""Memory after many logins, successful or not. `LOGINS=1000000` tries more of them."""

from __future__ import annotations

import faulthandler
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

USUAL = 3600
LOGINS = int(os.environ.get("LOGINS", USUAL))
ROUNDS = 4
# A login with each of three stores, a failure, a cancelled call, and a client.
TIMES = LOGINS // ROUNDS // 3


@pytest.mark.skipif(sys.platform != "linux", reason="memory and threads are counted in /proc")
def test_logins_leave_no_memory_behind() -> None:
    if LOGINS > USUAL:
        # There is no time limit.
        faulthandler.cancel_dump_traceback_later()
    program = Path(__file__).with_name("leaks.py")
    command = [sys.executable, str(program), str(ROUNDS), str(TIMES)]
    environment = {**os.environ, "MALLOC_ARENA_MAX": "2"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stderr == ""
    rounds = [json.loads(line) for line in done.stdout.splitlines()]
    print(done.stdout)
    # In the first round, caches fill.
    _, second, *_, last = rounds
    times = TIMES * (ROUNDS - 2)
    # A leak of one object for each login would add this number.
    assert last["blocks"] - second["blocks"] < times * 3 // 4
    # The number of Python objects stays exactly the same, if Python counts them.
    assert last["references"] - second["references"] < times // 10
    assert last["threads"] <= second["threads"] + 1
    # Some connections to the broker are being closed.
    assert last["descriptors"] <= second["descriptors"] + 8
    # The smallest allocation is 16 bytes, or 32 with the overhead of the allocator.
    assert last["resident_kib"] - second["resident_kib"] < 1024 + times * 32 // 1024
