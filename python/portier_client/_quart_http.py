"""Requests of Quart as facts for the flow, and replies of the flow as responses of Quart."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any, cast

from blinker import NamedSignal
from quart import (
    Request,
    Response,
    Websocket,
    current_app,
    g,
    has_request_context,
    request,
    websocket,
)
from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestTimeout

from ._face import Hook
from ._werkzeug_http import WerkzeugResponses, web_request
from .web import MAX_FORM_BYTES, WebRequest


class Responses(WerkzeugResponses):
    """How responses are made in Quart."""

    def respond(self, status: int, headers: list[tuple[str, str]], body: str) -> Response:
        """Make a response."""
        return current_app.response_class(body, status, Headers(headers))

    def to_response(self, answer: object) -> Response:
        """Return the response of a hook."""
        return (
            current_app.response_class(answer)
            if isinstance(answer, str)
            else cast("Response", answer)
        )


def responding(hook: Hook) -> Hook:
    """Return a hook that returns a response, a page as ``str``, or ``None``."""

    async def run(subject: object) -> object:
        given = await current_app.ensure_async(hook)(subject)
        if inspect.isawaitable(given):
            given = await given
        if given is None or isinstance(given, str):
            return given
        return await current_app.make_response(given)

    return run


async def send(signal: NamedSignal, **values: object) -> None:
    """Send a signal of the current application."""
    app = cast("Any", current_app)._get_current_object()
    await signal.send_async(app, _sync_wrapper=app.ensure_async, **values)


def _current() -> Request | Websocket:
    return request if has_request_context() else websocket


def scope_of_request() -> dict[str, Any]:
    """Return the scope of the current request or websocket."""
    return cast("dict[str, Any]", _current().scope)


def head() -> WebRequest:
    """Return the facts of the current request without its body."""
    current = _current()
    return WebRequest(current.method, current.headers)


async def facts() -> WebRequest:
    """Return the facts of the current request."""
    body = b""
    try:
        async with asyncio.timeout(request.body_timeout):
            async for chunk in request.body:
                body += chunk
                if len(body) > MAX_FORM_BYTES:
                    break
    except TimeoutError:
        raise RequestTimeout from None
    return web_request(request, body, g)
