"""Measures the first login of a process.

`first_login.py BROKER` prints the URL of the login, reads its token, and prints JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from common import EMAIL, REDIRECT_URI, resident_bytes


async def main(broker: str) -> None:
    """Imports the package only now, to measure the memory without it before."""
    bare = resident_bytes()
    from portier_client import Client

    client = Client(REDIRECT_URI, broker=broker)
    start = time.perf_counter()
    url = await client.authenticate(EMAIL)
    seconds = time.perf_counter() - start
    print(url, flush=True)
    token = sys.stdin.readline().strip()
    start = time.perf_counter()
    await client.verify(token)
    seconds += time.perf_counter() - start
    added = resident_bytes() - bare
    print(json.dumps({"seconds": seconds, "bare_bytes": bare, "added_bytes": added}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
