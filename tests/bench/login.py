"""Measures awaited logins against the bare verification of the same signatures; prints JSON.

`login.py asyncio` or `login.py uvloop`; `make bench` runs both. ROUNDS and LOGINS in the
environment measure more or less.
"""

from __future__ import annotations

import asyncio
import gc
import json
import secrets
import sys
import time
from inspect import isawaitable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import urlopen
from uuid import uuid4

import modes
from common import CLIENT_ID, EMAIL, LOGINS, REDIRECT_URI, ROUNDS, median, rotated
from peers import Peers

from portier_client import Client
from portier_client.testing import DevBroker, ManualClock, MockTransport, mock_client
from portier_client.web import LoginFlow, SessionCookie, Step, WebRequest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Samples = dict[str, list[float]]


async def measure(broker: DevBroker) -> Samples:
    """Runs all measures in every round, so that a busy moment affects all of them."""
    samples: Samples = {}
    async with Client(REDIRECT_URI, broker=broker.origin) as client:
        await client.warm()
        bench = Bench(broker, client)
        for number in range(ROUNDS + 1):
            measured = await bench.one_round(number)
            if number:  # the first round only warms up
                for name, seconds in measured.items():
                    samples.setdefault(name, []).append(seconds / LOGINS)
    return samples


class Bench:
    """The measures, each in seconds for the logins of a round."""

    def __init__(self, broker: DevBroker, client: Client) -> None:
        self._broker = broker
        self._client = client
        peers = Peers(broker.origin, CLIENT_ID)
        self._remember, asyncio_portier = peers.asyncio_portier()
        self._verifiers: dict[str, Callable[[str], Any]] = {
            "verify": client.verify,
            "asyncio_portier": asyncio_portier,
            **peers.all(),
        }
        self._by_hand = ByHand(f"{broker.origin}/auth")
        self._callbacks = Callbacks(broker, client)
        self._codes = CodeCallbacks(broker)

    async def one_round(self, number: int) -> dict[str, float]:
        """Runs some logins; returns the seconds of their parts, and those of other packages."""
        urls: list[str] = []
        parts = {
            "authenticate": lambda: timed(self._client.authenticate, [EMAIL] * LOGINS, urls),
            "authenticate_by_hand": lambda: timed(self._by_hand, [EMAIL] * LOGINS),
        }
        times = {name: await part() for name, part in rotated(parts, number).items()}

        tokens = [self._broker.mint(url) for url in urls]
        forms = await self._callbacks.forms(LOGINS)
        for url in urls:
            self._remember(parse_qs(urlsplit(url).query)["nonce"][0])
        parts = {
            "bare": lambda: self._bare(tokens),
            "callback": lambda: timed(self._callbacks.answer, forms),
            "callback_posted_again": lambda: timed(self._callbacks.post_again, forms),
            "callback_code": lambda: self._codes.time(LOGINS),
            "session_read": lambda: self._codes.time_sessions(LOGINS),
        }
        for name, verify in self._verifiers.items():
            parts[name] = lambda verify=verify: timed(verify, tokens)
        for name, part in rotated(parts, number).items():
            times[name] = await part()
        return times

    async def _bare(self, tokens: list[str]) -> float:
        seconds: float = self._broker._native.time_signatures(tokens)
        return seconds


class Callbacks:
    """The requests that a browser posts to the redirect URI, through the login flow."""

    def __init__(self, broker: DevBroker, client: Client) -> None:
        self._broker = broker
        self._flow = LoginFlow(client, flow="implicit")
        self._headers = {
            "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "Accept-Language": "en-US,en;q=0.5",
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": f"portier={'A' * 43}",
            "Origin": "null",
            "Sec-Fetch-Dest": "document",
            "Sec-Fetch-Mode": "navigate",
            "Sec-Fetch-Site": "same-origin",
        }

    async def forms(self, number: int) -> list[bytes]:
        """The bodies of this number of callbacks, one for each login."""
        start = WebRequest("POST", self._headers, b"")
        forms = []
        for _ in range(number):
            step = await self._flow.start(start, EMAIL)
            token = self._broker.mint(dict(step.reply.headers)["location"])
            forms.append(urlencode({"id_token": token, "state": ""}).encode())
        return forms

    async def answer(self, form: bytes) -> Step:
        """Completes a login without signing anybody in."""
        step = await self._flow.callback(WebRequest("POST", self._headers, form))
        assert step.login is not None
        return step

    async def post_again(self, form: bytes) -> Step:
        """Answers what the broker's page posts, without cookies: the page that posts again."""
        without = {name: value for name, value in self._headers.items() if name != "Cookie"}
        step = await self._flow.callback(WebRequest("POST", without, form))
        assert step.error is None
        return step


class CodeCallbacks:
    """Callbacks of the code flow, and requests of people who are signed in.

    The transport answers from memory, so the time is that of the library, without a network.
    """

    def __init__(self, broker: DevBroker) -> None:
        self._broker = broker
        self._transport = MockTransport()
        for path in ("/.well-known/openid-configuration", "/keys.json"):
            with urlopen(f"{broker.origin}{path}") as response:
                self._transport.respond(f"{broker.origin}{path}", response.read())
        client = mock_client(
            REDIRECT_URI,
            broker=broker.origin,
            clock=ManualClock(time.time()),
            transport=self._transport,
        )
        self._flow = LoginFlow(client, flow="code", secret=secrets.token_bytes(32))
        self._headers = {
            "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "Accept-Language": "en-US,en;q=0.5",
            "Cookie": f"portier={'A' * 43}",
            "Sec-Fetch-Dest": "document",
            "Sec-Fetch-Mode": "navigate",
            "Sec-Fetch-Site": "cross-site",
        }
        cookie = SessionCookie(client, secrets.token_bytes(32))
        self._sessions, self._cookie = cookie, cookie.start(EMAIL)[1].partition(";")[0]

    async def time(self, number: int) -> float:
        """Seconds for the callbacks of this number of logins."""
        seconds = 0.0
        for _ in range(number):
            step = await self._flow.start(WebRequest("POST", self._headers), EMAIL)
            url = dict(step.reply.headers)["location"]
            state = parse_qs(urlsplit(url).query)["state"][0]
            answer = json.dumps({"id_token": self._broker.mint(url)})
            self._transport.respond(
                f"{self._broker.origin}/token",
                answer,
                headers=[("content-type", "application/json")],
            )
            start = time.perf_counter()
            visit = WebRequest("GET", self._headers, query=f"code=c&state={state}")
            step = await self._flow.callback(visit)
            seconds += time.perf_counter() - start
            assert step.login is not None
        return seconds

    async def time_sessions(self, number: int) -> float:
        """Seconds for reading this number of session cookies; the mean of ten times as many."""
        read, cookie = self._sessions.read, self._cookie
        assert read(cookie) is not None
        start = time.perf_counter()
        for _ in range(10 * number):
            read(cookie)
        return (time.perf_counter() - start) / 10


class ByHand:
    """A handwritten handler that starts a login; its nonces are in a dictionary."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._nonces: dict[str, str] = {}

    def __call__(self, email: str) -> str:
        nonce = uuid4().hex
        self._nonces[nonce] = email
        query = {
            "login_hint": email,
            "scope": "openid email",
            "nonce": nonce,
            "response_type": "id_token",
            "response_mode": "form_post",
            "client_id": CLIENT_ID,
            "redirect_uri": REDIRECT_URI,
        }
        return f"{self._endpoint}?{urlencode(query)}"


async def timed(
    call: Callable[[Any], Awaitable[Any] | Any],
    arguments: list[Any],
    results: list[Any] | None = None,
) -> float:
    """Seconds for one call after the other; coroutines are awaited."""
    results = [] if results is None else results
    start = time.perf_counter()
    result = call(arguments[0])
    if isawaitable(result):
        results.append(await result)
        for argument in arguments[1:]:
            results.append(await call(argument))
    else:
        results.append(result)
        results.extend(call(argument) for argument in arguments[1:])
    return time.perf_counter() - start


def figures(samples: Samples) -> dict[str, dict[str, float]]:
    """Medians, and the medians of the ratios within each round."""
    return {
        name: {
            "microseconds": median(times) * 1e6,
            "ratio": median(
                [time / bare for time, bare in zip(times, samples["bare"], strict=True)]
            ),
            "to_verify": median(
                [time / ours for time, ours in zip(times, samples["verify"], strict=True)]
            ),
        }
        for name, times in samples.items()
    }


def main() -> int:
    """Measures in the event loop of the argument."""
    loop_factory = None
    if sys.argv[1:] == ["uvloop"]:
        import uvloop

        loop_factory = uvloop.new_event_loop
    gc.disable()
    with DevBroker() as broker, asyncio.Runner(loop_factory=loop_factory) as runner:
        samples = runner.run(measure(broker))
        in_modes = runner.run(modes.measure(broker))
    counts = {"rounds": ROUNDS, "logins_per_round": LOGINS}
    print(json.dumps({**counts, **figures(samples), "modes": in_modes}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
