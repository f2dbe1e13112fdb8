"""Measures logins without the broker's documents in the cache; prints JSON."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from common import EMAIL, REDIRECT_URI, median

from portier_client import Client
from portier_client.testing import DevBroker

ROUNDS = int(os.environ.get("ROUNDS", "7"))
CROWD = int(os.environ.get("CROWD", "1000"))
FIRST_LOGIN = Path(__file__).with_name("first_login.py")


class Nonces:
    """A store in Python, which two clients can share."""

    def __init__(self) -> None:
        self._records: dict[str, str] = {}

    def put(self, nonce: str, record: str, ttl: float) -> None:
        self._records[nonce] = record

    def take(self, nonce: str) -> str | None:
        return self._records.pop(nonce, None)

    def contains(self, nonce: str) -> bool:
        return nonce in self._records


def new_process(broker: DevBroker) -> dict[str, float]:
    """The figures of a new process for its first login."""
    program = [sys.executable, str(FIRST_LOGIN), broker.origin]
    with subprocess.Popen(
        program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        print(broker.mint(url), file=process.stdin, flush=True)
        result: dict[str, float] = json.loads(process.stdout.readline())
    return result


async def crowd(broker: DevBroker) -> dict[str, float]:
    """Many concurrent logins that one client completes without documents in its cache."""
    store = Nonces()
    async with Client(REDIRECT_URI, broker=broker.origin, store=store) as client:
        urls = [await client.authenticate(EMAIL) for _ in range(CROWD)]
        tokens = [broker.mint(url) for url in urls]
    before = sum(broker.requests().values())
    async with Client(REDIRECT_URI, broker=broker.origin, store=store) as client:
        heart = asyncio.create_task(worst_gap())
        await asyncio.sleep(0.05)
        start = time.perf_counter()
        emails = await asyncio.gather(*(client.verify(token) for token in tokens))
        seconds = time.perf_counter() - start
        heart.cancel()
        gap = await heart
    if emails != [EMAIL] * CROWD:
        raise AssertionError("a login failed")
    requests = sum(broker.requests().values()) - before
    return {"seconds": seconds, "worst_gap_seconds": gap, "requests": requests}


async def worst_gap() -> float:
    """The longest time in which the loop ran nothing else, until the task is cancelled."""
    worst, last = 0.0, time.perf_counter()
    try:
        while True:
            await asyncio.sleep(0)
            now = time.perf_counter()
            worst, last = max(worst, now - last), now
    except asyncio.CancelledError:
        return worst


async def measure(broker: DevBroker) -> dict[str, Any]:
    crowds = [await crowd(broker) for _ in range(ROUNDS)]
    processes = [new_process(broker) for _ in range(ROUNDS)]
    return {
        "rounds": ROUNDS,
        "first_login_seconds": median([process["seconds"] for process in processes]),
        "bare_bytes": median([process["bare_bytes"] for process in processes]),
        "added_bytes": median([process["added_bytes"] for process in processes]),
        "crowd": CROWD,
        "crowd_seconds": median([crowd["seconds"] for crowd in crowds]),
        "crowd_requests": max(crowd["requests"] for crowd in crowds),
        "worst_gap_seconds": median([crowd["worst_gap_seconds"] for crowd in crowds]),
    }


def main() -> int:
    """Measures with its own broker."""
    gc.disable()
    with DevBroker() as broker:
        print(json.dumps(asyncio.run(measure(broker))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
