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
_HERE = ("same-origin", "none")
"""What ``Sec-Fetch-Site`` says of the pages of this very site, and of what no page sends."""

_OCTETS = 32
_SECRET = re.compile("[A-Za-z0-9_-]{43}")


def cookie_name(*, secure: bool) -> str:
    """Name the cookie; browsers take ``__Host-`` from this very host only, and over ``https``."""
    return "__Host-portier" if secure else "portier"


def known_secret(cookies: Iterable[str], *, secure: bool) -> str | None:
    """Return the secret in ``Cookie`` headers, if it has the shape of our own.

    A name is trimmed of what browsers trim, and no more, as frameworks do: a host beside the site
    may set a cookie whose name begins with another kind of space, and then with ``__Host-``. Of two
    of a name, none is ours.
    """
    before = f"{cookie_name(secure=secure)}="
    pairs = (pair.strip(" \t") for header in cookies for pair in header.split(";"))
    named = [pair.removeprefix(before) for pair in pairs if pair.startswith(before)]
    return named[0] if len(named) == 1 and _SECRET.fullmatch(named[0]) else None


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
    return AGAIN in form and (sec_fetch_site is None or sec_fetch_site in _HERE)


def is_from_elsewhere(headers: Mapping[str, str], origin: str) -> bool:
    """Say whether a form comes from another site than the one at ``origin``, as its browser says.

    All browsers of today say it in ``Sec-Fetch-Site`` over ``https`` and to ``localhost``, and most
    of what remains in ``Origin``. Whoever sends neither is no browser that a page could misuse.
    """
    site = headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in _HERE
    return headers.get("Origin", origin) != origin


def confirmation_of(form: Mapping[str, Sequence[bytes]]) -> str | None:
    """Return what was confirmed."""
    values = form.get(CONFIRMATION, ())
    return values[0].decode(errors="replace") if len(values) == 1 else None


Fields = list[tuple[str, str]]
