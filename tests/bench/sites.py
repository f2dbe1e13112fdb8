"""Measures whole logins: each example site, beside the same site with another package.

Prints JSON. `sites.py NAME...` measures some of the pairs only. In the code flow, a login is two
requests of the browser, the login form and the callback, and the site's request for the token. In
the implicit flow, it is the two requests of the browser. The pages of the broker are not measured.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlencode, urlsplit

from common import EMAIL, median
from load import Response, ask, drive
from pairs import FORM, PAIRS, Pair, Start, left_out
from site_broker import SiteBroker

ROUNDS = int(os.environ.get("ROUNDS", "7"))
# The most in a round. A slow site has fewer of them, so that each round takes about as long.
LOGINS = int(os.environ.get("LOGINS", "500"))
SECONDS = 0.3

# Django's databases are in memory if possible: the disk would hide everything else.
MEMORY = {"TMPDIR": "/dev/shm"} if os.access("/dev/shm", os.W_OK) else {}

# The headers of a browser.
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en-US,en;q=0.5",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Upgrade-Insecure-Requests": "1",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-User": "?1",
}


@dataclass
class Site:
    """A running site, and the cookies and fields of its form."""

    process: asyncio.subprocess.Process
    log: IO[bytes]
    port: int
    start: Start
    cookies: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"

    async def open_form(self) -> None:
        """Loads the form like a browser."""
        response = await ask(self.port, self.request("GET", "/login"))
        self.cookies = response.cookies
        for text in re.findall(r"<input[^>]*hidden[^>]*>", response.body.decode()):
            name, value = (re.search(rf'{of}="([^"]*)"', text) for of in ("name", "value"))
            if name:
                self.fields[name[1]] = value[1] if value else ""

    def first_request(self) -> bytes:
        """The request that starts a login."""
        if self.start.method == "GET":
            return self.request("GET", f"{self.start.path}?{urlencode({'email': EMAIL})}")
        form = {**self.fields, "email": EMAIL}
        return self.request("POST", self.start.path, self.cookies, form, self.origin)

    def second_request(self, broker: SiteBroker, redirect: Response) -> bytes:
        """The callback, after the redirect to the broker."""
        expect(redirect, broker.origin)
        callback = broker.sign_in(redirect.headers["location"])
        cookies = {**self.cookies, **redirect.cookies}
        method = "GET" if callback.form is None else "POST"
        return self.request(method, callback.target, cookies, callback.form, broker.origin)

    def request(
        self,
        method: str,
        target: str,
        cookies: dict[str, str] | None = None,
        form: dict[str, str] | None = None,
        origin: str | None = None,
    ) -> bytes:
        """A request of a browser, whose page is of the origin."""
        body = urlencode(form or {})
        headers = {"Host": f"localhost:{self.port}", **BROWSER}
        headers["Sec-Fetch-Site"] = "same-origin" if origin in (None, self.origin) else "same-site"
        if cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        if form is not None:
            headers["Origin"] = origin or self.origin
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["Content-Length"] = str(len(body))
        lines = [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([f"{method} {target} HTTP/1.1", *lines, "", body]).encode()

    def said(self) -> str:
        """The last lines that the site has written."""
        self.log.seek(0)
        return b"".join(self.log.readlines()[-30:]).decode()

    def processor_seconds(self) -> float:
        """The time of the processor that the site has used, where the system says it."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


async def start(stack: AsyncExitStack, command: list[str], environment: dict[str, str]) -> Site:
    """Starts a site."""
    port = await free_port()
    log = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115, the stack closes it
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **environment, "PORT": str(port)},
        stdout=asyncio.subprocess.PIPE,
        stderr=log,
    )
    stack.push_async_callback(end, process)
    site = Site(process, log, port, FORM)
    assert process.stdout is not None
    if not (await process.stdout.readline()).startswith(b"Open "):
        raise RuntimeError(f"the site did not start command={command}\n{site.said()}")
    return site


async def end(process: asyncio.subprocess.Process) -> None:
    """Ends a site."""
    if process.returncode is None:
        process.kill()
    await process.wait()


async def free_port() -> int:
    """A port on which nothing listens."""
    server = await asyncio.start_server(lambda *_: None, "localhost", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    return port


async def one_round(broker: SiteBroker, site: Site, logins: int) -> tuple[float, float]:
    """Logins per second, and the processor time of the site for each."""
    before = site.processor_seconds()
    seconds, redirects = await drive(site.port, [site.first_request()] * logins)
    processor = site.processor_seconds() - before
    answers = [site.second_request(broker, redirect) for redirect in redirects]
    before = site.processor_seconds()
    seconds_again, arrivals = await drive(site.port, answers)
    processor += site.processor_seconds() - before
    for arrival in arrivals:
        expect(arrival, "/", site.origin)
    return logins / (seconds + seconds_again), processor / logins


async def check(broker: SiteBroker, site: Site) -> None:
    """Logs in once, and looks at a page."""
    redirect = await ask(site.port, site.first_request())
    arrival = await ask(site.port, site.second_request(broker, redirect))
    cookies = {**site.cookies, **redirect.cookies, **arrival.cookies}
    page = await ask(site.port, site.request("GET", "/", cookies))
    if EMAIL not in page.body.decode():
        raise AssertionError(f"nobody is signed in status={page.status} {page.body[:2000]!r}")


def expect(response: Response, *places: str) -> None:
    """Checks that a response leads to one of the places."""
    place = response.headers.get("location", "")
    if response.status not in (302, 303) or not place.startswith(places):
        raise AssertionError(
            f"a login failed status={response.status} place={urlsplit(place).path} "
            f"{response.body[:2000]!r}"
        )


async def warm_up(broker: SiteBroker, site: Site, pair: Pair) -> int:
    """Returns the number of logins in a round."""
    rate = 0.0
    for _ in range(max(1, pair.warm_up // 100) if LOGINS >= 100 else 1):
        rate, _ = await one_round(broker, site, min(LOGINS, 100))
    return min(LOGINS, max(32, round(rate * SECONDS)))


async def compare(broker: SiteBroker, pair: Pair) -> dict[str, Any]:
    """Measures both sites in every round, so that a busy moment affects both of them."""
    async with AsyncExitStack() as stack:
        says = {"BROKER": broker.origin, "FLOW": pair.flow, "NODE_ENV": "production", **MEMORY}
        sites = dict(
            zip(
                ("ours", "theirs"),
                await asyncio.gather(
                    start(stack, pair.ours, says), start(stack, pair.theirs, says)
                ),
                strict=True,
            )
        )
        sites["theirs"].start = pair.their_start
        rates: dict[str, list[float]] = {name: [] for name in sites}
        processor: dict[str, list[float]] = {name: [] for name in sites}
        for site in sites.values():
            await site.open_form()
            try:
                await check(broker, site)
            except AssertionError as error:
                error.add_note(site.said())
                raise
        logins = {name: await warm_up(broker, site, pair) for name, site in sites.items()}
        for number in range(ROUNDS):
            for name in sites if number % 2 else reversed(sites):
                rate, seconds = await one_round(broker, sites[name], logins[name])
                rates[name].append(rate)
                processor[name].append(seconds)
    ratios = [ours / theirs for ours, theirs in zip(rates["ours"], rates["theirs"], strict=True)]
    return {
        **{name: median(values) for name, values in rates.items()},
        "ratio": median(ratios),
        "least": min(ratios),
        "most": max(ratios),
        "processor_milliseconds": {
            name: median(values) * 1000 for name, values in processor.items()
        },
    }


async def measure(names: list[str]) -> dict[str, Any]:
    """Measures one pair after the other."""
    broker = SiteBroker(await free_port())
    server = await broker.serve()
    try:
        return {name: await compare(broker, PAIRS[name]) for name in names}
    finally:
        server.close()
        broker.stop()


def main() -> int:
    """Measures the pairs of the command line, or all of them."""
    if missing := left_out():
        raise RuntimeError(f"there is no other site beside an example: {', '.join(missing)}")
    begun = time.perf_counter()
    pairs = asyncio.run(measure(sys.argv[1:] or list(PAIRS)))
    seconds = time.perf_counter() - begun
    print(json.dumps({"rounds": ROUNDS, "logins": LOGINS, "seconds": seconds, "pairs": pairs}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
