"""Logins that are pending in memory beside sealed ones, in both flows.

The transport answers from memory, so the time is that of the library, without a network.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

from common import EMAIL, LOGINS, REDIRECT_URI, ROUNDS, median, rotated

from portier_client.testing import ManualClock, MockTransport, mock_client

if TYPE_CHECKING:
    from portier_client import Client
    from portier_client.testing import DevBroker

BROWSER = "the secret of a browser"
MODES = {"memory": None, "sealed": "rN5yH8cV2bM7kX4zT9wQ1pL6sD3gF0jA"}
FLOWS = ("implicit", "code")


async def measure(broker: DevBroker) -> dict[str, dict[str, float]]:
    """The microseconds of both halves of a login, in each flow."""
    figures = {}
    for flow in FLOWS:
        logins = {mode: Logins(broker, flow, secret) for mode, secret in MODES.items()}
        samples: dict[str, list[tuple[float, float]]] = {mode: [] for mode in MODES}
        for number in range(ROUNDS + 1):
            for mode, each in rotated(logins, number).items():
                measured = await each.one_round()
                if number:  # the first round only warms up
                    samples[mode].append(measured)
        for index, half in enumerate(("authenticate", "complete")):
            memory, sealed = ([each[index] for each in samples[mode]] for mode in MODES)
            more = [here - there for here, there in zip(sealed, memory, strict=True)]
            figures[f"{flow}_{half}"] = {
                "memory": median(memory),
                "sealed": median(sealed),
                "more": median(more),
            }
    return figures


class Logins:
    """The logins of one mode and flow."""

    def __init__(self, broker: DevBroker, flow: str, secret: str | None) -> None:
        self._broker = broker
        self._transport = MockTransport()
        for path in ("/.well-known/openid-configuration", "/keys.json"):
            with urlopen(f"{broker.origin}{path}") as response:
                self._transport.respond(f"{broker.origin}{path}", response.read())
        self._client: Client = mock_client(
            REDIRECT_URI,
            broker=broker.origin,
            clock=ManualClock(time.time()),
            transport=self._transport,
            flow=flow,
            secret=secret,
        )

    async def one_round(self) -> tuple[float, float]:
        """The microseconds of both halves of a login."""
        client = self._client
        await client.warm()
        start = time.perf_counter()
        urls = [await client.authenticate(EMAIL, browser=BROWSER) for _ in range(LOGINS)]
        authenticate = time.perf_counter() - start
        tokens = [self._broker.mint(url) for url in urls]
        complete = 0.0
        for url, token in zip(urls, tokens, strict=True):
            form = self._arrive(url, token)
            start = time.perf_counter()
            await client.complete(form, BROWSER)
            complete += time.perf_counter() - start
        return authenticate / LOGINS * 1e6, complete / LOGINS * 1e6

    def _arrive(self, url: str, token: str) -> dict[str, str]:
        """What the browser brings back; the broker answers to the token request of its login."""
        query = parse_qs(urlsplit(url).query)
        if "state" not in query:
            return {"id_token": token}
        headers = [("content-type", "application/json")]
        answer = json.dumps({"id_token": token})
        self._transport.respond(f"{self._broker.origin}/token", answer, headers=headers)
        return {"code": "c", "state": query["state"][0]}
