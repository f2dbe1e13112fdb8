"""Requests of Flask as facts for the flow, and replies of the flow as responses of Flask."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from flask import Response, current_app, g, request

from .web import MAX_FORM_BYTES, WebRequest


class Responses:
    """How responses are made in Flask."""

    def respond(self, status: int, headers: list[tuple[str, str]], body: str) -> Response:
        """Make a response."""
        return current_app.response_class(body, status, headers)

    def to_response(self, answer: object) -> Response:
        """Return the response of a hook."""
        return current_app.make_response(cast("Any", answer))

    def status(self, response: Response) -> int:
        """Return the status of a response."""
        return response.status_code

    def add_cookies(self, response: Response, cookies: Iterable[str]) -> None:
        """Add cookies to those of the response."""
        for cookie in cookies:
            response.headers.add("Set-Cookie", cookie)


def head() -> WebRequest:
    """Return the facts of the current request without its body."""
    return WebRequest(request.method, request.headers)


def facts() -> WebRequest:
    """Return the facts of the current request."""
    # A CSRF protection, or the site, may have read the form before.
    body = request.stream.read(MAX_FORM_BYTES + 1) or request.form
    return WebRequest(
        request.method,
        request.headers,
        body,
        query=request.query_string,
        form_token_checked=g.get("csrf_valid", False),
    )
