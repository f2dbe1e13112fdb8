"""Shared code of the sites on Starlette and FastAPI."""

from __future__ import annotations

from typing import Any

from starlette.responses import PlainTextResponse, Response


class SetCookie:
    """Sets a cookie of the site with every response."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [(b"set-cookie", b"seen=1; Path=/"), *message["headers"]]
            await send(message)

        await self._app(scope, receive, sending)


def respond(status: int, text: str, headers: list[tuple[str, str]]) -> Response:
    """A response of a hook."""
    response = PlainTextResponse(text, status)
    for name, value in headers:
        response.headers.append(name, value)
    return response
