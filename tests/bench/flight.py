"""Measures many concurrent logins, in one event loop and in several threads; prints JSON.

The load of the loop is the processor time of its thread, as a share of the elapsed time. A login in
the memory store completes when its coroutine first runs, so the loop is busy all the time. A login
in Redis waits outside of the loop.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from common import EMAIL, LOGINS, REDIRECT_URI, median, rotated
from servers import redis_server

from portier_client import Client
from portier_client.testing import DevBroker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ROUNDS = int(os.environ.get("ROUNDS", "7"))
IN_FLIGHT = (1, 8, 64, 512)
THREADS = (1, 2, 4)


async def walk(
    call: Callable[[str], Awaitable[str]], arguments: list[str], limit: int
) -> list[str]:
    """Calls the function for all arguments, always with this number of calls in flight."""
    left = iter(arguments)
    results: list[str] = []

    async def visitor() -> None:
        results.extend([await call(argument) for argument in left])

    await asyncio.gather(*(visitor() for _ in range(limit)))
    return results


async def in_flight(client: Client, broker: DevBroker, limit: int) -> dict[str, float]:
    """Microseconds for each half of a login, and the load of the loop."""
    count = max(LOGINS, limit)
    start, held = time.perf_counter(), time.thread_time()
    urls = await walk(client.authenticate, [EMAIL] * count, limit)
    seconds, held = time.perf_counter() - start, time.thread_time() - held
    tokens = [broker.mint(url) for url in urls]
    start, held_again = time.perf_counter(), time.thread_time()
    emails = await walk(client.verify, tokens, limit)
    seconds_again, held_again = time.perf_counter() - start, time.thread_time() - held_again
    if emails != [EMAIL] * count:
        raise AssertionError("a login failed")
    return {
        "authenticate": seconds / count * 1e6,
        "verify": seconds_again / count * 1e6,
        "held": (held + held_again) / (seconds + seconds_again),
    }


async def measure_loops(broker: DevBroker, redis: str | None) -> dict[str, Any]:
    """Runs all measures in every round, so that a busy moment affects all of them."""
    urls = {"memory": "memory:", **({"redis": redis} if redis else {})}
    clients = {
        name: Client(REDIRECT_URI, broker=broker.origin, store=url) for name, url in urls.items()
    }
    for client in clients.values():
        await client.warm()
    samples: dict[str, dict[int, list[dict[str, float]]]] = {name: {} for name in clients}
    for number in range(ROUNDS + 1):
        for name, client in rotated(clients, number).items():
            for limit in IN_FLIGHT:
                measured = await in_flight(client, broker, limit)
                if number:  # the first round only warms up
                    samples[name].setdefault(limit, []).append(measured)
    for client in clients.values():
        await client.aclose()
    return {
        name: {limit: medians(rounds) for limit, rounds in limits.items()}
        for name, limits in samples.items()
    }


def medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: median([measured[name] for measured in rounds]) for name in rounds[0]}


def in_threads(client: Client, tokens: list[str], count: int) -> float:
    """Seconds in which threads, each with its own loop, complete all logins."""
    ready = threading.Barrier(count)
    times: list[float] = []
    failures: list[BaseException] = []

    async def complete(share: list[str]) -> None:
        ready.wait()
        times.append(time.perf_counter())
        for token in share:
            await client.verify(token)
        times.append(time.perf_counter())

    def run(share: list[str]) -> None:
        try:
            asyncio.run(complete(share))
        except BaseException as failure:  # set below, by the thread that knows it
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(tokens[first::count],)) for first in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    # From the first start to the last end.
    return max(times) - min(times)


def measure_threads(broker: DevBroker) -> dict[int, float]:
    """Logins per second of threads that share one client."""
    client = Client(REDIRECT_URI, broker=broker.origin)
    rates: dict[int, list[float]] = {count: [] for count in THREADS}

    async def start() -> list[str]:
        urls = [await client.authenticate(EMAIL) for _ in range(LOGINS)]
        return [broker.mint(url) for url in urls]

    asyncio.run(client.warm())
    for _ in range(ROUNDS):
        for count in THREADS:
            tokens = asyncio.run(start())
            rates[count].append(len(tokens) / in_threads(client, tokens, count))
    return {count: median(values) for count, values in rates.items()}


def main() -> int:
    """Measures with its own Redis server, if there is one."""
    gc.disable()
    with DevBroker() as broker, redis_server() as socket:
        redis = f"redis+unix://{socket}" if socket else None
        loops = asyncio.run(measure_loops(broker, redis))
        threads = measure_threads(broker)
    print(json.dumps({"rounds": ROUNDS, "in_flight": loops, "threads": threads}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
