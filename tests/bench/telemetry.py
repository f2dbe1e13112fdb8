"""What metrics and traces cost in Python: a call of a client without them, and with them.

`bare` is a client that is not instrumented. `api` is instrumented while no SDK is configured,
`sdk` while one collects everything in memory. The call waits for nobody, so that the difference
is all theirs. All values are in microseconds.
"""

from __future__ import annotations

import json
import secrets
import time
from typing import TYPE_CHECKING

from common import EMAIL, LOGINS, REDIRECT_URI, ROUNDS, median, rotated
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider

from portier_client import blocking
from portier_client.metrics import exposition
from portier_client.opentelemetry import instrument
from portier_client.testing import DevBroker

if TYPE_CHECKING:
    from collections.abc import Callable

# A secret of a browser, without which a sealed login of the implicit flow is refused.
BROWSER = "b" * 43


def main() -> None:
    """Prints the medians as JSON."""
    secret = secrets.token_urlsafe()
    with DevBroker() as broker:

        def client() -> blocking.Client:
            made = blocking.Client(REDIRECT_URI, broker=broker.origin, secret=secret)
            made.warm()
            return made

        bare, api, sdk = client(), client(), client()
        instrument(api)
        instrument(
            sdk,
            meter_provider=MeterProvider([InMemoryMetricReader()]),
            tracer_provider=TracerProvider(),
        )
        measured: dict[str, Callable[[], object]] = {
            "bare": lambda: bare.authenticate(EMAIL, browser=BROWSER),
            "api": lambda: api.authenticate(EMAIL, browser=BROWSER),
            "sdk": lambda: sdk.authenticate(EMAIL, browser=BROWSER),
            "exposition": lambda: exposition(bare),
            "health": bare.health,
        }
        times: dict[str, list[float]] = {name: [] for name in measured}
        for round_ in range(ROUNDS):
            for name, call in rotated(measured, round_).items():
                times[name].append(_microseconds(call))
    print(json.dumps({name: median(values) for name, values in times.items()}))


def _microseconds(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    for _ in range(LOGINS):
        call()
    return (time.perf_counter() - begun) / LOGINS * 1e6


if __name__ == "__main__":
    main()
