"""Responses that are applications of ASGI or WSGI: their status is known when they are sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

App = TypeVar("App", bound=Callable[..., object])


class BaseFinishedResponse:
    """A response, as an application; its parts are for frameworks that make their own."""

    def __init__(self, status: int, headers: list[tuple[str, str]], body: str) -> None:
        self.status = status
        """The HTTP status."""
        self.headers = headers
        """Header names in lower case, and values."""
        self.body = body
        """HTML or JSON, according to ``content-type``; empty for a redirect."""


class BaseResponse(Generic[App]):
    """An application that sends one response, with cookies added."""

    def __init__(self, app: App, *, is_login: bool) -> None:
        self._app = app
        self._is_login = is_login
        self._cookies: list[str] = []

    def add_cookies(self, cookies: Iterable[str]) -> None:
        """Add cookies to those of the application."""
        self._cookies.extend(cookies)

    def _cookies_for(self, status: int) -> list[str]:
        # With an error of the site, nobody was signed in.
        return [] if self._is_login and status >= 400 else self._cookies


AnyResponse = TypeVar("AnyResponse", bound=BaseResponse[Any])


class Responses(Generic[AnyResponse]):
    """How an integration makes responses for a step."""

    def __init__(
        self,
        response: Callable[..., AnyResponse],
        finished: Callable[..., object],
        *,
        is_login: bool,
    ) -> None:
        self._response, self._finished, self._is_login = response, finished, is_login

    def respond(self, status: int, headers: list[tuple[str, str]], body: str) -> AnyResponse:
        """Make a response."""
        return self._response(self._finished(status, headers, body), is_login=False)

    def to_response(self, answer: object) -> AnyResponse:
        """Return the response of a hook."""
        if not callable(answer):
            kind = type(answer).__name__
            raise TypeError(f"a hook must return None or a response (an application), not {kind}")
        return self._response(answer, is_login=self._is_login)

    def status(self, response: AnyResponse) -> int:
        """Return a status that takes the cookies: the real one is known later."""
        return 200

    def add_cookies(self, response: AnyResponse, cookies: Iterable[str]) -> None:
        """Add cookies to those of the response."""
        response.add_cookies(cookies)
