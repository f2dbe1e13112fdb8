#!/usr/bin/env python3
"""The adapter of the Python package for client testers: reads commands, writes answers.

The protocol is in `docs/conformance.md`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from portier_client import BrokerError, Client, PortierError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

REDIRECT_URI = "http://imaginary-client.test/fake-verify-route"

LONGEST_LINE = 2**20

# The tester uses unknown logins on purpose; the warning would be output that fails the test.
logging.getLogger("portier_client").setLevel(logging.CRITICAL)


async def main(broker: str) -> None:
    """Starts each command when it is read, and answers in the order of the commands."""
    client = Client(broker=broker, **settings())
    started: asyncio.Queue[asyncio.Task[str] | None] = asyncio.Queue()
    async with asyncio.TaskGroup() as group:
        group.create_task(write(started))
        async for line in lines():
            started.put_nowait(group.create_task(answer(client, line.split("\t"))))
        started.put_nowait(None)


def settings() -> dict[str, Any]:
    """The options of the client under test, from the environment."""
    options: dict[str, Any] = {"redirect_uri": REDIRECT_URI}
    if redirect_uri := os.environ.get("CONFORMANCE_REDIRECT_URI"):
        options["redirect_uri"] = redirect_uri
    if flow := os.environ.get("CONFORMANCE_FLOW"):
        options["flow"] = flow
    if seconds := os.environ.get("CONFORMANCE_SESSION_TTL"):
        options["session_ttl"] = float(seconds)
    if algorithms := os.environ.get("CONFORMANCE_ALGORITHMS"):
        options["algorithms"] = algorithms.split(",")
    return options


async def lines() -> AsyncIterator[str]:
    """The lines of the standard input."""
    reader = asyncio.StreamReader(LONGEST_LINE)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async for line in reader:
        yield line.decode().rstrip("\n")


async def answer(client: Client, fields: list[str]) -> str:
    """The line that answers a command."""
    try:
        return f"ok\t{await value(client, fields)}"
    except PortierError as error:
        return f"err\t{description(error)}"


async def value(client: Client, fields: list[str]) -> str:
    """The result of a command."""
    match fields:
        case ["echo", text]:
            return text
        case ["mark", text]:
            print(text, file=sys.stderr, flush=True)
            return text
        case ["auth", email, *state]:
            return await client.authenticate(email, state=state[0] if state else None)
        case ["verify", id_token]:
            return await client.verify(id_token)
        case ["complete", form]:
            login = await client.complete(parse_qs(form, keep_blank_values=True))
            return "\t".join([login.email, login.email_original, login.state or ""])
        case _:
            raise SystemExit("conformance: no such command")


async def write(started: asyncio.Queue[asyncio.Task[str] | None]) -> None:
    """Prints the answers in the order of the commands."""
    while (task := await started.get()) is not None:
        print(await task, flush=True)


def description(error: PortierError) -> str:
    """The error in one line, also if the broker's text has several."""
    text = f"{error.code}: {error}"
    if isinstance(error, BrokerError) and error.error is not None:
        text += f" error={error.error} description={error.error_description or ''}"
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("conformance: the broker's origin is missing")
    asyncio.run(main(sys.argv[1]))
