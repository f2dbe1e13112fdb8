"""A WSGI application whose client is made when it is loaded: before gunicorn forks its workers.

BROKER=… STORE=… gunicorn --preload --workers 2 gunicorn_preload:application
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from portier_client import PortierError
from portier_client.blocking import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

client = Client(
    "https://example.com/verify", broker=os.environ["BROKER"], store=os.environ["STORE"]
)
# The parent uses it, too: it has a runtime and connections when it forks.
client.warm()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    form = parse_qs(environ["wsgi.input"].read(length).decode())
    match environ["PATH_INFO"]:
        case "/who":
            answer = str(os.getpid())
        case "/start":
            answer = client.authenticate("alice@example.com")
        case _:
            try:
                answer = client.verify(form["id_token"][0])
            except PortierError as error:
                answer = error.code
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer.encode()]
