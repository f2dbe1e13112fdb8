"""A WSGI site. It makes and uses its client when the module is loaded. If the server loads the
module in the parent process, that is before the workers are forked.

BROKER=… STORE=… gunicorn wsgi:application
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
client.warm()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    form = parse_qs(environ["wsgi.input"].read(length).decode())
    worker = str(os.getpid())
    meant = form.pop("worker", [worker]) == [worker]
    answer = f"{worker} {answer_to(environ['PATH_INFO'], form) if meant else ''}"
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer.encode()]


def answer_to(path: str, form: dict[str, list[str]]) -> str:
    try:
        match path:
            case "/start":
                return client.authenticate("alice@example.com")
            case "/verify":
                return client.verify(form["id_token"][0])
    except PortierError as error:
        return error.code
    return ""
