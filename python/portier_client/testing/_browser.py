"""A browser: it sends requests with its cookies, and reads the responses."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlsplit

from ._html import PageReader


@dataclass(frozen=True)
class Request:
    """A request of a browser."""

    method: str
    url: str
    headers: dict[str, str]
    body: str = ""
    is_elsewhere: bool = False
    """Whether another browser sends it, without the cookies of the client."""

    @property
    def target(self) -> str:
        """The path and the query."""
        parts = urlsplit(self.url)
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    @property
    def is_secure(self) -> bool:
        """Whether the request uses ``https``."""
        return self.url.startswith("https:")


@dataclass
class Reply:
    """The response of a site."""

    url: str
    status: int
    headers: list[tuple[str, str]]
    text: str
    response: Any

    @cached_property
    def page(self) -> PageReader:
        """What is on the page."""
        return PageReader(self.text)

    @property
    def location(self) -> str | None:
        """The target of a redirect."""
        return self.header("location") if 300 <= self.status < 400 else None

    @property
    def set_cookies(self) -> list[str]:
        """The values of the headers ``Set-Cookie``."""
        return [value for name, value in self.headers if name.lower() == "set-cookie"]

    def header(self, name: str) -> str | None:
        """The value of a header."""
        return next((value for known, value in self.headers if known.lower() == name), None)


_Result = TypeVar("_Result")
Steps = Generator[Request, Reply, _Result]
"""What a browser does: it yields requests, and is sent the replies."""


class Browser:
    """A test client that keeps cookies."""

    is_async: ClassVar[bool] = False
    has_secure_cookies_on_http: ClassVar[bool] = True
    """Whether cookies that are `Secure` come back over plain http, unlike in a browser."""
    follows_scheme: ClassVar[bool] = False
    """Whether each request says whether it is `https`; otherwise, the client decides it."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.page: str | None = None
        self.elsewhere: Browser | None = None

    @property
    def origin(self) -> str:
        """The origin under which the client reaches the site."""
        return "http://localhost"

    @property
    def default_page(self) -> str:
        """The page with the login form, if the framework knows it."""
        return "/login"

    def exchange(self, request: Request) -> Any:
        """Send a request, and return the reply; asynchronous clients return an awaitable."""
        if not request.is_elsewhere:
            return self._send(request)
        if self.elsewhere is None:
            self.elsewhere = self._other()
        return self.elsewhere._send(request)

    async def aclose(self) -> None:
        """Close what was opened for the other browser."""

    def _send(self, request: Request) -> Any:
        raise NotImplementedError

    def _other(self) -> Browser:
        """Return the same client with cookies of its own."""
        return _Swapped(self, "cookies", type(self.client.cookies)())


class _Swapped(Browser):
    """A client whose cookies are exchanged for others while a request is sent."""

    def __init__(self, browser: Browser, name: str, cookies: Any) -> None:
        super().__init__(browser.client)
        self._browser, self._name, self._cookies = browser, name, cookies

    def _send(self, request: Request) -> Any:
        if self._browser.is_async:
            return self._asend(request)
        kept = self._swap()
        try:
            return self._browser._send(request)
        finally:
            self._swap_back(kept)

    async def _asend(self, request: Request) -> Any:
        kept = self._swap()
        try:
            return await self._browser._send(request)
        finally:
            self._swap_back(kept)

    def _swap(self) -> Any:
        kept = getattr(self.client, self._name)
        setattr(self.client, self._name, self._cookies)
        return kept

    def _swap_back(self, kept: Any) -> None:
        self._cookies = getattr(self.client, self._name)
        setattr(self.client, self._name, kept)
