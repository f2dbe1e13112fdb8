"""What a person is told when a login fails: shared by the integrations with web frameworks."""

from __future__ import annotations

from dataclasses import dataclass

from . import (
    BrokerError,
    BrokerUnavailable,
    BrowserMismatch,
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
    if error.code in {"token_clock", "token_not_yet_valid"}:
        return _CLOCKS_DIFFER
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
        (BrowserMismatch,),
        Problem(
            400,
            "Finish where you began",
            "This sign-in was started in another browser, and can be finished only there.",
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

_CLOCKS_DIFFER = Problem(
    503,
    "Sign-in is not possible right now",
    "The clock of this site or of the login service is wrong. Please tell the people who run this"
    " site, and try again later.",
    _RETRY_AFTER_SECONDS,
)

_DEFECT = Problem(500, "Something went wrong", "The error is on our side, not on yours.")

FROM_ELSEWHERE = Problem(
    403,
    "Sign-in did not start",
    "The form came from another site. Please start again here.",
)

TOO_LARGE = Problem(413, "Sign-in did not work", "The request was too large.")

NO_COOKIES = Problem(
    400,
    "Cookies are needed",
    "Your browser does not keep the cookies of this site. Please allow them and start again.",
)
