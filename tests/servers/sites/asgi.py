"""An ASGI site: BROKER=… STORE=… uvicorn asgi:application"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from portier_client import Client, PortierError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

client = Client(
    "https://example.com/verify", broker=os.environ["BROKER"], store=os.environ["STORE"]
)


async def application(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    if scope["type"] == "lifespan":
        await live(receive, send)
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    answer = f"{os.getpid()} {await answer_to(scope['path'], parse_qs(body.decode()))}"
    headers = [(b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer.encode()})


async def live(
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await client.warm()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def answer_to(path: str, form: dict[str, list[str]]) -> str:
    try:
        match path:
            case "/start":
                return await client.authenticate("alice@example.com")
            case "/verify":
                return await client.verify(form["id_token"][0])
    except PortierError as error:
        return error.code
    return ""
