"""What the integrations with ASGI servers have in common: the parts of a request, and sessions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import quote, unquote

from ._face import due_renewal
from .web import MAX_FORM_BYTES, LoginFlow, Session, WebRequest

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

KEY = "portier"
"""The name of a :class:`BaseVisit` in the scope."""


class BaseVisit:
    """The session of one request; ``scope["portier"]``."""

    __slots__ = ("_flow", "_is_read", "_scope", "_session")

    def __init__(self, flow: LoginFlow, scope: Scope) -> None:
        self._flow = flow
        self._scope = scope
        self._is_read = False
        self._session: Session | None = None

    async def session(self) -> Session | None:
        """Return the session of the person who sends the request."""
        if not self._is_read:
            self._session = await self._flow.session(web_request(self._scope))
            self._is_read = True
        return self._session

    def renewing(self, send: Send) -> Send:
        """Return a ``send`` that renews the session, if the application has read it."""

        async def renewing(message: Message) -> None:
            if message["type"] in {"http.response.start", "websocket.accept"}:
                headers = message.get("headers", ())
                set_cookies = (value for name, value in headers if name.lower() == b"set-cookie")
                cookies = (value.decode("latin-1") for value in set_cookies)
                add_cookies(message, due_renewal(self._session, cookies))
            await send(message)

        return renewing


def web_request(scope: Scope, body: bytes | None = b"") -> WebRequest:
    """Take the facts from a scope."""
    method, query = scope.get("method", "GET"), scope.get("query_string", b"")
    return WebRequest(method, scope["headers"], body, query=query)


async def read_body(receive: Receive) -> bytes | None:
    """Read a body that is not too large, and of others the beginning.

    Returns ``None`` if the client went away.
    """
    body = b""
    while len(body) <= MAX_FORM_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return body


def paths_of(scope: Scope) -> tuple[str, str]:
    """Return the path of a request below the ``root_path``, and the whole path.

    Servers leave the prefix in the path. A proxy that strips it is known to the ``root_path`` only.
    """
    path: str = scope["path"]
    root: str = scope.get("root_path", "").rstrip("/")
    if path == root or path.startswith(f"{root}/"):
        return path[len(root) :], path
    return path, root + path


def page_of(scope: Scope) -> str:
    """Return path and query of a request as the browser sees them."""
    path: str = scope["path"]
    page = scope.get("raw_path", b"").decode("latin-1").partition("?")[0]
    if unquote(page) != path:
        page = quote(path)
    whole = paths_of(scope)[1]
    page = quote(whole.removesuffix(path)) + page
    query: str = scope.get("query_string", b"").decode("latin-1")
    return f"{page}?{query}" if query else page


def add_cookies(message: Message, cookies: Iterable[str]) -> None:
    """Add values of ``Set-Cookie`` to the start of a response."""
    added = [(b"set-cookie", cookie.encode("latin-1")) for cookie in cookies]
    if added:
        message["headers"] = [*message.get("headers", ()), *added]
