"""The parts of an HTTP request that a login flow needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ._form import Form
from ._native import HEADERS, MAX_FORM_BYTES, read_headers

Headers = (
    Mapping[str, str]
    | Mapping[str, list[str]]
    | Iterable[tuple[str, str]]
    | Iterable[tuple[bytes, bytes]]
    | Iterable[tuple[bytes, Iterable[bytes]]]
)
"""A mapping, an object that keeps repeated headers, or pairs of name and value."""


class WebRequest:
    """The parts of one HTTP request that a login flow needs.

    ``method``
        Such as ``"POST"``.
    ``headers``
        All headers, as the framework gives them: a mapping, a multi-dict, or pairs, with ``str``,
        ``bytes`` or lists of these, in any case. The flow reads a few of them.
    ``body``
        The ``bytes`` as they arrived. If there are more than :data:`MAX_FORM_BYTES`, any longer
        beginning is enough. If the framework has read it already, the form: a mapping, a
        multi-dict or pairs, never a ``dict`` made of one, which hides repeated fields. ``None`` if
        other code has read the body and discarded it.
    ``query``
        The query of the request's URL, with or without the question mark. In the code flow the
        broker's answer is in it.
    ``form_token_checked``
        Whether a token in this form was checked before, such as that of a CSRF protection.

    Raises ``TypeError`` for a wrong type.

    >>> WebRequest("POST", {"Cookie": "a=b"}, b"email=alice%40example.com")
    <portier_client.web.WebRequest method='POST'>
    """

    __slots__ = ("_facts", "_head", "_query")

    def __init__(
        self,
        method: str,
        headers: Headers,
        body: bytes | bytearray | memoryview | str | Form | None = b"",
        *,
        query: str | bytes = "",
        form_token_checked: bool = False,
    ) -> None:
        values: list[str | None] | None
        try:
            values, length = read_headers(headers)
        except (AttributeError, TypeError, ValueError):
            values = length = None
        text: object = query.decode("latin-1") if isinstance(query, bytes) else query
        if values is None or not isinstance(text, str):
            wrong = "headers must be a mapping or pairs of str or bytes"
            if values is not None:
                wrong = f"query must be str or bytes, not {type(query).__name__}"
            # Error trackers keep the locals of frames, and there are cookies among them.
            del headers, body, query, values, text
            self._head: tuple[str, list[str | None]] = (method, [])
            raise TypeError(wrong)
        if not isinstance(body, bytes):
            if isinstance(body, str):
                body = body.encode(errors="replace")
            elif isinstance(body, (bytearray, memoryview)):
                body = bytes(body)
        if length and body == b"" and length.strip() not in {"", "0"}:
            body = None
        self._head = (method, values)
        self._facts = (method, values, form_token_checked, body)
        self._query = text or None

    @classmethod
    def from_environ(
        cls, environ: Mapping[str, Any], *, form_token_checked: bool = False
    ) -> WebRequest:
        """Take the facts from the environment of a WSGI request, and read its body.

        >>> environ = {"REQUEST_METHOD": "GET", "HTTP_ACCEPT_LANGUAGE": "de"}
        >>> WebRequest.from_environ(environ)
        <portier_client.web.WebRequest method='GET'>
        """
        request = cls(
            environ["REQUEST_METHOD"],
            [(name, environ[key]) for name, key in _ENVIRON.items() if key in environ],
            query=environ.get("QUERY_STRING", ""),
            form_token_checked=form_token_checked,
        )
        length = environ.get("CONTENT_LENGTH", "")
        size = min(int(length), MAX_FORM_BYTES + 1) if length.isdecimal() else 0
        if environ.get("wsgi.input_terminated") and not length:
            size = MAX_FORM_BYTES + 1
        stream = environ.get("wsgi.input")
        # Error trackers keep the locals of frames, and a client may go away in the middle.
        del environ
        body = stream.read(size) if size and stream is not None else b""
        if body or not size:
            request._facts = (*request._facts[:3], body)
        return request

    @property
    def method(self) -> str:
        """The method."""
        return self._head[0]

    def __repr__(self) -> str:
        """Show nothing secret."""
        return f"<portier_client.web.WebRequest method={self.method!r}>"


COOKIE = HEADERS.index("cookie")
_ENVIRON = {
    **{name: "HTTP_" + name.upper().replace("-", "_") for name in HEADERS},
    "content-type": "CONTENT_TYPE",
    "content-length": "CONTENT_LENGTH",
}
