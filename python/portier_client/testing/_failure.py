"""The error of a login that did not work in a test."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from ._browser import Reply

_LONGEST_TEXT = 300


class LoginFailed(AssertionError):
    """A login of a test did not work; the message says what the site answered.

    ``response`` is the last response of the site, an object of the framework, ``status`` and
    ``text`` are its status and the text that a person sees, and ``problem`` is the id of the
    problem on a page of the flow. They are ``None`` if there was none.
    """

    # As users know it: test runners show it.
    __module__ = "portier_client.testing"

    def __init__(self, message: str, reply: Reply | None = None) -> None:
        super().__init__(message if reply is None else f"{message} {_described(reply)}")
        self._reply = reply
        self.response = None if reply is None else reply.response
        self.status = None if reply is None else reply.status
        self.text = None if reply is None else reply.page.text
        self.problem = None if reply is None else reply.page.problem


def _described(reply: Reply) -> str:
    facts = f"status={reply.status} url={urlsplit(reply.url).path}"
    if reply.page.problem:
        facts += f" problem={reply.page.problem}"
    if reply.location:
        facts += f" location={_without_secrets(reply.location)}"
    text = reply.page.text
    if len(text) > _LONGEST_TEXT:
        text = text[:_LONGEST_TEXT] + "…"
    return f"{facts}\n\nThe site answered: {text}" if text else facts


def _without_secrets(url: str) -> str:
    """A URL whose query shows only the names."""
    parts = urlsplit(url)
    query = "&".join(f"{name}=…" for name in parse_qs(parts.query))
    return parts._replace(query=query).geturl()
