"""Programs that end, whatever they were doing."""

from __future__ import annotations

import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from portier_client.testing import DevBroker

PROCESSES = 200
AT_A_TIME = 4

PRELUDE = """
import asyncio, sys, threading
from portier_client import Client, blocking

async def start(client, calls=100):
    tasks = [asyncio.ensure_future(client.warm()) for _ in range(calls)]
    await asyncio.sleep(0)
    return tasks

origin = sys.argv[1]
"""

# Each ends with answers under way, at a moment of its own.
ENDS = {
    "loop-left-behind": """
loop = asyncio.new_event_loop()
tasks = loop.run_until_complete(start(Client("https://example.com/", broker=origin)))
for task in tasks:
    task._log_destroy_pending = False
""",
    "cancelled-by-run": """
async def main():
    await start(Client("https://example.com/", broker=origin))
asyncio.run(main())
""",
    "sys-exit": """
async def main():
    await start(Client("https://example.com/", broker=origin))
    sys.exit(0)
asyncio.run(main())
""",
    "store-under-way": """
class Stuck:
    async def put(self, nonce, record, ttl):
        await asyncio.sleep(3600)
    async def take(self, nonce):
        pass
async def begin():
    client = Client("https://example.com/", broker=origin, store=Stuck())
    tasks = [asyncio.ensure_future(client.authenticate(None)) for _ in range(100)]
    await asyncio.wait(tasks, timeout=0.02)
    return tasks
asyncio.run(begin())
loop = asyncio.new_event_loop()
for task in loop.run_until_complete(begin()):
    task._log_destroy_pending = False
for task in asyncio.all_tasks(loop):
    task._log_destroy_pending = False
""",
    "daemon-thread": """
def call():
    try:
        blocking.Client("https://example.com/", broker=origin).warm()
    except Exception:
        pass
threading.Thread(target=call, daemon=True).start()
""",
    "daemon-loop": """
started = threading.Event()
async def main():
    tasks = await start(Client("https://example.com/", broker=origin))
    started.set()
    await asyncio.wait(tasks)
threading.Thread(target=lambda: asyncio.run(main()), daemon=True).start()
started.wait()
""",
}


@pytest.mark.parametrize("end", ENDS)
def test_programs_end_silently_with_calls_under_way(end: str, broker: DevBroker) -> None:
    def run(number: int) -> tuple[int, bytes, bytes]:
        # Answers may come at once, or only after the end.
        origin = broker.origin if number % 2 else silent
        command = [sys.executable, "-W", "error", "-c", PRELUDE + ENDS[end], origin]
        done = subprocess.run(command, capture_output=True, timeout=30, check=False)
        return done.returncode, done.stdout, done.stderr

    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        ThreadPoolExecutor(AT_A_TIME) as pool,
    ):
        silent = f"http://127.0.0.1:{listener.getsockname()[1]}"
        outcomes = list(pool.map(run, range(PROCESSES // len(ENDS))))
    assert outcomes == [(0, b"", b"")] * len(outcomes)
