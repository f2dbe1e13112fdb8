"""Measures whole requests: the example sites under load, beside the same sites with other packages.

Prints JSON. A login is two requests here: the login form and the callback. The broker's part is not
measured.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from common import EMAIL, median, rotated
from load import Response, drive

from portier_client.testing import DevBroker

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
NODE = os.environ.get("NODE", "node")
ROUNDS = int(os.environ.get("ROUNDS", "7"))
LOGINS = int(os.environ.get("LOGINS", "500"))

SITES = {
    "tornado": [sys.executable, str(ROOT / "python/examples/tornado/app.py")],
    "tornado_asyncio_portier": [sys.executable, str(HERE / "peer_site.py")],
    "fastify": [NODE, str(ROOT / "node/examples/fastify/app.mjs")],
    "fastify_portier": [NODE, str(HERE / "peer_site.mjs")],
}


class Site(NamedTuple):
    """A running site, and the fields and cookies for its form."""

    port: int
    cookies: dict[str, str]
    fields: dict[str, str]


def start(stack: ExitStack, command: list[str], broker: DevBroker) -> int:
    """Starts a site; returns its port."""
    with asyncio.Runner() as runner:
        port = runner.run(free_port())
    says = {"PORT": str(port), "BROKER": broker.origin, "FLOW": "implicit"}
    environment = {**os.environ, **says}
    site = stack.enter_context(
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    )
    stack.callback(site.kill)
    assert site.stdout is not None
    if not site.stdout.readline().startswith("Open "):
        raise RuntimeError(f"the site did not start command={command}")
    return port


async def free_port() -> int:
    server = await asyncio.start_server(lambda *_: None, "localhost", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    return port


async def open_form(port: int) -> Site:
    """Loads the form like a browser, and remembers its cookies and hidden fields."""
    _, (response,) = await drive(port, [request("GET", "/login", port, {})])
    inputs = re.findall(r"<input[^>]*hidden[^>]*>", response.body.decode())
    fields = {}
    for text in inputs:
        name, value = (re.search(rf'{of}="([^"]*)"', text) for of in ("name", "value"))
        if name:
            fields[name[1]] = value[1] if value else ""
    return Site(port, response.cookies, fields)


def request(
    method: str, path: str, port: int, cookies: dict[str, str], form: dict[str, str] | None = None
) -> bytes:
    body = urlencode(form or {})
    lines = [f"{method} {path} HTTP/1.1", f"Host: localhost:{port}"]
    if cookies:
        lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in cookies.items()))
    if form is not None:
        lines.append("Content-Type: application/x-www-form-urlencoded")
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


async def one_round(broker: DevBroker, site: Site) -> float:
    """Logins per second."""
    form = {**site.fields, "email": EMAIL}
    send = request("POST", "/login", site.port, site.cookies, form)
    seconds, redirects = await drive(site.port, [send] * LOGINS)
    answers = []
    for redirect in redirects:
        expect(redirect, broker.origin)
        answer = {"id_token": broker.mint(redirect.headers["location"]), "state": ""}
        cookies = {**site.cookies, **redirect.cookies}
        answers.append(request("POST", "/verify", site.port, cookies, answer))
    seconds_again, arrivals = await drive(site.port, answers)
    for arrival in arrivals:
        expect(arrival, "/")
    return LOGINS / (seconds + seconds_again)


def expect(response: Response, place: str) -> None:
    if response.status != 303 or not response.headers["location"].startswith(place):
        raise AssertionError(f"a login failed status={response.status} {response.body[:2000]!r}")


async def measure(broker: DevBroker, ports: dict[str, int]) -> dict[str, list[float]]:
    """Runs all measures in every round, so that a busy moment affects all of them."""
    sites = {name: await open_form(port) for name, port in ports.items()}
    rates: dict[str, list[float]] = {name: [] for name in sites}
    for number in range(ROUNDS + 1):
        for name, site in rotated(sites, number).items():
            rate = await one_round(broker, site)
            if number:  # the first round only warms up
                rates[name].append(rate)
    return rates


def main() -> int:
    """Measures all sites. All of them run, and they are measured one after the other."""
    begun = time.perf_counter()
    with DevBroker() as broker, ExitStack() as stack:
        ports = {name: start(stack, command, broker) for name, command in SITES.items()}
        rates = asyncio.run(measure(broker, ports))
    figures = {name: median(values) for name, values in rates.items()}
    seconds = time.perf_counter() - begun
    print(json.dumps({"rounds": ROUNDS, "logins": LOGINS, "seconds": seconds, **figures}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
