"""Starts and completes logins that are sealed; one line of JSON for each line of input.

A text is the address of a login to start, a list has callbacks to complete at once.

sealed.py REDIRECT_URI BROKER FLOW SECRET [STORE]
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor

from portier_client import PortierError
from portier_client.blocking import Client

BROWSER = "the secret of a browser"


def main() -> None:
    redirect_uri, broker, flow, secret, *store = sys.argv[1:]
    # Many of these programs start at once.
    client = Client(
        redirect_uri,
        broker=broker,
        flow=flow,
        secret=secret,
        store=store[0] if store else None,
        timeout=60,
    )
    client.warm()
    print("ready", flush=True)

    def complete(form: dict[str, str]) -> str:
        try:
            return client.complete(form, BROWSER).email
        except PortierError as error:
            return error.code

    with ThreadPoolExecutor(16) as threads:
        for line in sys.stdin:
            asked = json.loads(line)
            if isinstance(asked, str):
                answer: object = client.authenticate(asked, browser=BROWSER)
            else:
                answer = list(threads.map(complete, asked))
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
