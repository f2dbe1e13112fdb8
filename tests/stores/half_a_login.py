"""One half of a login in its own process, like `core/examples/half_a_login.rs`."""

from __future__ import annotations

import asyncio
import json
import sys

from portier_client import Client, PortierError


async def main(broker: str, store: str, *words: str) -> None:
    """Starts a login, or completes the one whose token is on standard input."""
    async with Client("https://example.com/verify", broker=broker, store=store) as client:
        try:
            if words == ("complete",):
                result = await client.verify(sys.stdin.readline().strip())
            else:
                result = await client.authenticate("Alice@example.com")
        except PortierError as error:
            result = error.code
        stats = client.stats()
        requests = stats["discovery"]["requests"] + stats["keys"]["requests"]
    print(json.dumps({"result": result, "requests": requests}))


asyncio.run(main(*sys.argv[1:]))
