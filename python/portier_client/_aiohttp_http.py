"""Requests of aiohttp as facts for the flow, and replies of the flow as responses of aiohttp."""

from __future__ import annotations

import inspect
from collections.abc import Iterable

from aiohttp import web
from multidict import CIMultiDict

from ._face import Hook
from .web import MAX_FORM_BYTES, WebRequest


class Responses:
    """How responses are made in aiohttp."""

    def respond(self, status: int, headers: list[tuple[str, str]], body: str) -> web.StreamResponse:
        """Make a response."""
        return web.Response(status=status, headers=CIMultiDict(headers), body=body.encode())

    def to_response(self, answer: object) -> web.StreamResponse:
        """Return the response of a hook."""
        if not isinstance(answer, web.StreamResponse):
            raise TypeError(
                f"a hook must return None or a response of aiohttp, not {type(answer).__name__}"
            )
        return answer

    def status(self, response: web.StreamResponse) -> int:
        """Return the status of a response."""
        return response.status

    def add_cookies(self, response: web.StreamResponse, cookies: Iterable[str]) -> None:
        """Add cookies to those of the response."""
        for cookie in cookies:
            response.headers.add("Set-Cookie", cookie)


def responding(hook: Hook) -> Hook:
    """Return a hook that returns a redirect which the site's hook has raised."""

    async def run(request: web.Request, subject: object) -> object:
        try:
            given = hook(request, subject)
            return await given if inspect.isawaitable(given) else given
        except web.HTTPException as raised:
            if raised.status >= 400:
                raise
            return web.Response(status=raised.status, headers=raised.headers, body=raised.body)

    return run


def head(request: web.Request) -> WebRequest:
    """Return the facts of a request without its body."""
    return WebRequest(request.method, request.headers)


async def facts(request: web.Request) -> WebRequest:
    """Return the facts of a request."""
    try:
        body: bytes | None = await _read(request)
    except web.RequestPayloadError:
        # It is not compressed as its header says.
        body = None
    return WebRequest(request.method, request.headers, body, query=request.rel_url.raw_query_string)


async def _read(request: web.Request) -> bytes:
    body = b""
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            break
    # A middleware may have read it before.
    return body or await request.read()
