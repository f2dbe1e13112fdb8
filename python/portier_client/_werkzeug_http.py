"""The common part of Flask and Quart, whose requests and responses are those of Werkzeug."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .web import WebRequest

if TYPE_CHECKING:
    from werkzeug.sansio.request import Request
    from werkzeug.sansio.response import Response


class WerkzeugResponses:
    """What responses of Werkzeug have in common."""

    def status(self, response: Response) -> int:
        """Return the status of a response."""
        return response.status_code

    def add_cookies(self, response: Response, cookies: Iterable[str]) -> None:
        """Add cookies to those of the response."""
        for cookie in cookies:
            response.headers.add("Set-Cookie", cookie)


def web_request(request: Request, body: Any, context: Any) -> WebRequest:
    """Return the facts of a request; a CSRF protection marks in ``context`` what it has checked."""
    return WebRequest(
        request.method,
        request.headers,
        body,
        query=request.query_string,
        form_token_checked=context.get("csrf_valid", False),
    )
