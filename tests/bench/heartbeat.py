"""Measures how long many waiting verifications block an event loop; prints JSON.

A timer fires once a millisecond on the loop. A gap is the time between two timer events. Everything
above a millisecond was time for which the loop was blocked. `idle` is the gap without any
work. On a busy machine, `processor` tells more: it is the processor time of the loop's thread
between two beats.

heartbeat.py asyncio|uvloop
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from typing import TYPE_CHECKING

from portier_client import Client
from portier_client.testing import DevBroker

if TYPE_CHECKING:
    from collections.abc import Awaitable

CALLS = int(os.environ.get("CROWD", "1000"))
# As many requests as a server gets between two turns of its loop.
AT_A_TIME = 10
ROUNDS = min(int(os.environ.get("ROUNDS", "7")), 7)
BEAT = 0.001
WHILE = 0.3
KEYS = "/keys.json"


Gap = tuple[float, float]
"""Elapsed time and processor time, in seconds."""


class Heart:
    """Beats on the loop it was made in."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._last = time.perf_counter(), time.thread_time()
        self._worst = (0.0, 0.0)
        self._timer = self._loop.call_later(BEAT, self._beat)

    def _beat(self) -> None:
        now = time.perf_counter(), time.thread_time()
        gap, processor = now[0] - self._last[0], now[1] - self._last[1]
        self._worst = max(self._worst[0], gap), max(self._worst[1], processor)
        self._last = now
        self._timer = self._loop.call_later(BEAT, self._beat)

    async def worst(self, during: Awaitable[object]) -> Gap:
        """The longest gap during the work, and the most processor time in one gap."""
        await asyncio.sleep(BEAT * 5)
        self._worst = (0.0, 0.0)
        await during
        # The last gap ends with the next beat.
        await asyncio.sleep(BEAT * 2)
        return self._worst

    def stop(self) -> None:
        """Stops beating."""
        self._timer.cancel()


async def round_of(broker: DevBroker) -> dict[str, Gap]:
    """The worst gaps of one cold client."""
    client = Client("https://example.com/verify", broker=broker.origin)
    before = broker.requests()
    urls = [await client.authenticate(f"u{number}@example.com") for number in range(CALLS)]
    tokens = [broker.mint(url) for url in urls]
    tasks: list[asyncio.Task[str]] = []

    async def start() -> None:
        for token in tokens:
            tasks.append(asyncio.create_task(client.verify(token)))
            if len(tasks) % AT_A_TIME == 0:
                await asyncio.sleep(0)

    async def answer() -> None:
        broker.release(KEYS)
        await asyncio.gather(*tasks)

    gc.collect()
    heart = Heart()
    broker.hold(KEYS)
    gaps = {
        "idle": await heart.worst(asyncio.sleep(WHILE)),
        "while_they_start": await heart.worst(start()),
        "while_they_wait": await heart.worst(asyncio.sleep(WHILE)),
        "while_they_are_answered": await heart.worst(answer()),
    }
    heart.stop()
    asked = {path: count - before.get(path, 0) for path, count in broker.requests().items()}
    if sum(asked.values()) != 2:
        raise RuntimeError(f"more than two requests: {asked}")
    return gaps


async def main() -> dict[str, object]:
    """Medians and maxima of the rounds."""
    with DevBroker(mode="accept") as broker:
        broker.key_id()
        rounds = [await round_of(broker) for _ in range(ROUNDS)]
    summary: dict[str, object] = {"calls": CALLS, "requests": 2, "rounds": ROUNDS}
    for phase in rounds[0]:
        summary[phase] = {
            clock: summary_of([gaps[phase][number] for gaps in rounds])
            for number, clock in enumerate(["wall", "processor"])
        }
    return summary


def summary_of(seconds: list[float]) -> dict[str, float]:
    """In milliseconds."""
    in_order = [round(gap * 1000, 2) for gap in sorted(seconds)]
    return {"median": in_order[ROUNDS // 2], "worst": in_order[-1]}


if __name__ == "__main__":
    if sys.argv[1:] == ["uvloop"]:
        import uvloop

        outcome = uvloop.run(main())
    else:
        outcome = asyncio.run(main())
    print(json.dumps({"worst_gap_milliseconds": outcome}))
