"""What integrations with web frameworks bind a login to its browser with: a cookie and a form.

The broker's page posts its answer from another site, without ``Lax`` cookies. A page of ours posts
the same fields once more, and then they are there.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

AGAIN = "portier_again"
"""The field that says that a form comes from a page of ours; anybody can claim it."""

CONFIRMATION = "portier_confirmation"
"""The field with what a person has confirmed; see ``BrowserMismatch.confirmation``."""

COOKIE_SECONDS = 24 * 60 * 60

_ANSWER = ("id_token", "state", "error", "error_description")
_OCTETS = 32
_SECRET = re.compile("[A-Za-z0-9_-]{43}")


def cookie_name(*, secure: bool) -> str:
    """Name the cookie; browsers take ``__Host-`` from this very host only, and over ``https``."""
    return "__Host-portier" if secure else "portier"


def known_secret(cookie: str | None) -> str | None:
    """Return what a cookie says, if it is the shape of our own."""
    return cookie if cookie is not None and _SECRET.fullmatch(cookie) else None


def new_secret() -> str:
    """Draw a secret for a browser."""
    return secrets.token_urlsafe(_OCTETS)


def fields_to_post_again(form: Mapping[str, Iterable[bytes]]) -> Fields:
    """Return the broker's answer, repeated fields and all; nothing else travels on."""
    answer = [(name, value) for name in _ANSWER for value in form.get(name, ())]
    return [*((name, value.decode(errors="replace")) for name, value in answer), (AGAIN, "1")]


def fields_to_confirm(form: Mapping[str, Iterable[bytes]], confirmation: str) -> Fields:
    """Return what a person posts who agrees to go on in this browser."""
    answer = [field for field in fields_to_post_again(form) if not field[0].startswith("error")]
    return [*answer, (CONFIRMATION, confirmation)]


def is_posted_again(form: Mapping[str, object], sec_fetch_site: str | None) -> bool:
    """Say whether a form was posted by a page of ours, as far as can be told without a cookie.

    What a browser says of another site's page counts for more than the field, which that page may
    have added: it would only have the visitor's own cookie replaced.
    """
    return AGAIN in form and sec_fetch_site in {None, "same-origin", "none"}


def confirmation_of(form: Mapping[str, Sequence[bytes]]) -> str | None:
    """Return what was confirmed."""
    values = form.get(CONFIRMATION, ())
    return values[0].decode(errors="replace") if len(values) == 1 else None


Fields = list[tuple[str, str]]
