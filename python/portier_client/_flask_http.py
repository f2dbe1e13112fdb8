"""Requests of Flask as facts for the flow, and replies of the flow as responses of Flask."""

from __future__ import annotations

from typing import Any, cast

from flask import Response, current_app, g, request

from ._werkzeug_http import WerkzeugResponses, web_request
from .web import MAX_FORM_BYTES, WebRequest


class Responses(WerkzeugResponses):
    """How responses are made in Flask."""

    def respond(self, status: int, headers: list[tuple[str, str]], body: str) -> Response:
        """Make a response."""
        return current_app.response_class(body, status, headers)

    def to_response(self, answer: object) -> Response:
        """Return the response of a hook."""
        return current_app.make_response(cast("Any", answer))


def head() -> WebRequest:
    """Return the facts of the current request without its body."""
    return WebRequest(request.method, request.headers)


def facts() -> WebRequest:
    """Return the facts of the current request."""
    # A CSRF protection, or the site, may have read the form before.
    body = request.stream.read(MAX_FORM_BYTES + 1) or request.form
    return web_request(request, body, g)
