"""A plain ASGI site with the middleware, for the cases of all integrations."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from control import asgi

from portier_client.asgi import PortierMiddleware

if TYPE_CHECKING:
    from control import Control

SEEN = (b"set-cookie", b"seen=1; Path=/")


def make_app(control: Control) -> Any:
    """The application with the options of the case."""

    async def site(scope: Any, receive: Any, send: Any) -> None:
        visit = scope["portier"]
        match scope["path"]:
            case "/start":
                response = await visit.start_login(*control.start)
            case "/session":
                session = await visit.session()
                response = Text(200, json.dumps({"email": session and session.email}))
            case "/members" if await visit.session() is None:
                response = visit.require_login()
            case "/members":
                response = Text(200, "for members")
            case _:
                response = Text(404, "nowhere")
        await response(scope, receive, send)

    app = PortierMiddleware(
        site,
        control.made.client,
        health_path="/healthz",
        **control.hooks(Text),
        **control.made.flow_options,
    )

    async def outermost(scope: Any, receive: Any, send: Any) -> None:
        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start" and control.sets_cookies:
                message["headers"] = [SEEN, *message["headers"]]
            await send(message)

        await app(scope, receive, sending)

    return outermost


class Text:
    """A response, as an ASGI application."""

    def __init__(
        self, status: int, text: str, headers: list[tuple[str, str]] | None = None
    ) -> None:
        self._status = status
        self._text = text.encode()
        self._headers = headers or []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        given = [*self._headers, ("content-length", str(len(self._text)))]
        headers = [(name.encode(), value.encode()) for name, value in given]
        await send({"type": "http.response.start", "status": self._status, "headers": headers})
        await send({"type": "http.response.body", "body": self._text})


app = asgi(make_app)
