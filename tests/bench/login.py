"""Measures awaited logins against the bare verification of the same signatures; prints JSON.

`login.py asyncio` or `login.py uvloop`; `make bench` runs both.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time

from portier_client import Client
from portier_client.testing import DevBroker

ROUNDS = 45
LOGINS = 200

Samples = dict[str, list[float]]


async def measure(broker: DevBroker) -> Samples:
    """Every round takes all measures, so that a busy moment of the machine meets all of them."""
    samples: Samples = {"bare": [], "verify": [], "authenticate": []}
    async with Client("http://localhost:8888/verify", broker=broker.origin) as client:
        await client.warm()
        await one_round(client, broker)
        for number in range(ROUNDS):
            measured = await one_round(client, broker, bare_first=number % 2 == 0)
            for name, seconds in measured.items():
                samples[name].append(seconds / LOGINS)
    return samples


async def one_round(
    client: Client, broker: DevBroker, *, bare_first: bool = True
) -> dict[str, float]:
    """Some logins: how many seconds their parts took, and their signatures alone."""
    urls = []
    start = time.perf_counter()
    for _ in range(LOGINS):
        urls.append(await client.authenticate("alice@example.com"))  # noqa: PERF401
    authenticate = time.perf_counter() - start

    tokens = [broker.mint(url) for url in urls]
    bare = broker._native.time_signatures(tokens) if bare_first else 0
    start = time.perf_counter()
    for token in tokens:
        await client.verify(token)
    verify = time.perf_counter() - start
    bare = bare or broker._native.time_signatures(tokens)
    return {"bare": bare, "verify": verify, "authenticate": authenticate}


def figures(samples: Samples) -> dict[str, dict[str, float]]:
    """Medians, and the medians of the ratios within each round."""
    return {
        name: {
            "microseconds": median(times) * 1e6,
            "ratio": median(
                [time / bare for time, bare in zip(times, samples["bare"], strict=True)]
            ),
        }
        for name, times in samples.items()
    }


def median(values: list[float]) -> float:
    """The one in the middle."""
    return sorted(values)[len(values) // 2]


def main() -> int:
    """Measures in the event loop that the argument names."""
    loop_factory = None
    if sys.argv[1:] == ["uvloop"]:
        import uvloop

        loop_factory = uvloop.new_event_loop
    gc.disable()
    with DevBroker() as broker, asyncio.Runner(loop_factory=loop_factory) as runner:
        samples = runner.run(measure(broker))
    print(json.dumps({"rounds": ROUNDS, "logins_per_round": LOGINS, **figures(samples)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
