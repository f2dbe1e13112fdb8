"""The parts of an HTTP request that a login flow needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ._form import Form
from ._native import HEADERS, MAX_FORM_BYTES

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
        The ``bytes`` as they arrived; of more than :data:`MAX_FORM_BYTES` any beginning that is
        longer. Where the framework has read it already, the form: a mapping, a multi-dict or pairs,
        never a ``dict`` made of one, which hides repeated fields. ``None`` if other code has read
        the body and discarded it.
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
        self._head: tuple[str, list[str | None]] = (method, [None] * len(HEADERS))
        try:
            length: str | None = _read(headers, self._head[1])
        except (AttributeError, TypeError, ValueError):
            length = None
        text: object = query.decode("latin-1") if isinstance(query, bytes) else query
        if length is None or not isinstance(text, str):
            wrong = "headers must be a mapping or pairs of str or bytes"
            if length is not None:
                wrong = f"query must be str or bytes, not {type(query).__name__}"
            # Error trackers keep the locals of frames, and there are cookies among them.
            del headers, body, query, text
            self._head = (method, [])
            raise TypeError(wrong)
        if isinstance(body, str):
            body = body.encode(errors="replace")
        elif isinstance(body, (bytearray, memoryview)):
            body = bytes(body)
        if body == b"" and length.strip() not in {"", "0"}:
            body = None
        self._facts = (*self._head, form_token_checked, body)
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
        """Show what is no secret."""
        return f"<portier_client.web.WebRequest method={self.method!r}>"


_PLACES: dict[str | bytes, int] = {
    name: place for place, header in enumerate(HEADERS) for name in (header, header.encode())
}
COOKIE = HEADERS.index("cookie")
_LENGTH: tuple[str | bytes, str | bytes] = ("content-length", b"content-length")
_ENVIRON = {
    **{name: "HTTP_" + name.upper().replace("-", "_") for name in HEADERS},
    "content-type": "CONTENT_TYPE",
    "content-length": "CONTENT_LENGTH",
}


def _read(headers: Headers, values: list[str | None]) -> str:
    """Put the headers that the flow reads into ``values``; return the length of the body."""
    length = ""
    places = _PLACES
    for name, value in _pairs(headers):
        lower = name.lower()
        if lower in places:
            place = places[lower]
            text = value if isinstance(value, str) else _text(value, place)
            before = values[place]
            if before is not None:
                text = _joined([before, text], place)
            values[place] = text
        elif lower in _LENGTH:
            length = value if isinstance(value, str) else _text(value, None)
    return length


def _text(value: bytes | Iterable[str | bytes], place: int | None) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return _joined([one if isinstance(one, str) else one.decode("latin-1") for one in value], place)


def _joined(values: list[str], place: int | None) -> str:
    return ("; " if place == COOKIE else ", ").join(values)


def _pairs(headers: Any) -> Iterable[tuple[str | bytes, Any]]:
    # What a mapping shows as its items may hide repeated headers.
    if hasattr(headers, "multi_items"):
        headers = headers.multi_items()
    elif hasattr(headers, "get_list"):  # Tornado
        headers = headers.get_all()
    elif hasattr(headers, "items"):
        headers = headers.items()
    pairs: Iterable[tuple[str | bytes, Any]] = headers
    return pairs
