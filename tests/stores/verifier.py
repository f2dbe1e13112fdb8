"""Verifies one token for each line of input; prints the address or the error's code.

verifier.py REDIRECT_URI BROKER STORE
"""

from __future__ import annotations

import sys

from portier_client import PortierError
from portier_client.blocking import Client


def main() -> None:
    redirect_uri, broker, store = sys.argv[1:]
    # Many of these programs start at once.
    client = Client(redirect_uri, broker=broker, store=store, timeout=60)
    client.warm()
    print("ready", flush=True)
    for line in sys.stdin:
        try:
            answer = client.verify(line.strip())
        except PortierError as error:
            answer = error.code
        print(answer, flush=True)


if __name__ == "__main__":
    main()
