"""What a person is told when a login fails: shared by the integrations with web frameworks."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from html import escape

from . import (
    BrokerError,
    BrokerUnavailable,
    InvalidEmail,
    InvalidSession,
    InvalidToken,
    PortierError,
    StoreError,
    TokenExpired,
)

_RETRY_AFTER_SECONDS = 30


@dataclass(frozen=True)
class Problem:
    """A failed login in words for the person in front of the browser, with its HTTP status."""

    status: int
    title: str
    text: str
    retry_after: int | None = None
    """Seconds for the ``Retry-After`` header, or ``None`` where waiting does not help."""


def explain(error: PortierError) -> Problem:
    """Put an error into words.

    Nothing of what came with the request is repeated: anyone can post any ``error_description`` to
    the callback, and make the site say it.
    """
    if isinstance(error, BrokerError) and error.error == "access_denied":
        return _CANCELLED
    found = (problem for kinds, problem in _PROBLEMS if isinstance(error, kinds))
    return next(found, _DEFECT)


_TRY_LATER = "Please try again in a moment."

# The first that fits an error holds.
_PROBLEMS: list[tuple[tuple[type[PortierError], ...], Problem]] = [
    (
        (InvalidEmail,),
        Problem(
            400,
            "Check the address",
            "This does not look like an e-mail address. Please type it again.",
        ),
    ),
    (
        (InvalidSession, TokenExpired),
        Problem(
            400,
            "This sign-in is over",
            "It was already used, or has expired. Please start again.",
        ),
    ),
    (
        (BrokerError, InvalidToken),
        Problem(
            400,
            "Sign-in did not work",
            "The login service did not confirm your address. Please start again.",
        ),
    ),
    (
        (BrokerUnavailable,),
        Problem(503, "The login service does not answer", _TRY_LATER, _RETRY_AFTER_SECONDS),
    ),
    (
        (StoreError,),
        Problem(503, "Sign-in is not possible right now", _TRY_LATER, _RETRY_AFTER_SECONDS),
    ),
]

_CANCELLED = Problem(403, "Sign-in cancelled", "Nothing has changed. You can start again.")

_DEFECT = Problem(500, "Something went wrong", "The error is on our side, not on yours.")


def render(problem: Problem, start_again: str) -> str:
    """Make a page of its own, which loads nothing; serve it with ``PAGE_POLICY``."""
    return _PAGE.format(
        style=_STYLE,
        title=escape(problem.title),
        text=escape(problem.text),
        start_again=escape(start_again),
    )


_STYLE = """
:root { color-scheme: light dark; --ink: #1d2733; --soft: #5b6875; --ground: #f4f6f8;
  --card: #fff; --edge: #dde3e9; --accent: #1f6f5c; --on-accent: #fff }
@media (prefers-color-scheme: dark) { :root { --ink: #e7ecf1; --soft: #9aa7b4;
  --ground: #12171c; --card: #1b2229; --edge: #2c3640; --accent: #5cc3a8; --on-accent: #0c1a16 } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem;
  background: var(--ground); color: var(--ink); font: 1rem/1.6 system-ui, sans-serif }
main { width: 100%; max-width: 27rem; padding: 2.25rem; background: var(--card);
  border: 1px solid var(--edge); border-radius: 14px }
h1 { margin: 0 0 .5rem; font-size: 1.4rem; line-height: 1.25 }
p { margin: 0 0 1.5rem; color: var(--soft) }
a { display: inline-block; padding: .6rem 1.1rem; border-radius: 9px; background: var(--accent);
  color: var(--on-accent); font-weight: 600; text-decoration: none }
a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
"""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{text}</p>
<a href="{start_again}">Start again</a>
</main>
</body>
</html>
"""

_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

PAGE_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The ``Content-Security-Policy`` of the page that ``render`` makes."""
