"""The result of a login, and the keys of the broker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

NativeLogin = tuple[str, str, str | None, str | None, float, float | None, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A completed login.

    ``repr()`` shows no address, so that a logged login does not put one into the logs.
    """

    email: str
    """The verified address in normalized form. Use it unchanged as the key of the account."""

    email_original: str
    """The address as it was typed. It identifies nobody: use ``email`` for that."""

    session: str | None
    """The text that the application stored when the login started."""

    state: str | None
    """The state that came back through the browser; untrusted."""

    issued_at: datetime
    """When the broker issued the token (UTC)."""

    auth_time: datetime | None
    """When the broker last verified the address (UTC), if the token says so."""

    same_browser: bool
    """Whether the login was bound to a browser and completed in it."""

    def __repr__(self) -> str:
        """Show nothing secret."""
        return f"<Login issued_at={self.issued_at.isoformat()} same_browser={self.same_browser}>"


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the broker that verifies tokens."""

    id: str
    """The key id (``kid``) that tokens contain."""

    algorithm: str
    """``RS256`` or ``EdDSA``."""

    bits: int
    """The size of the key in bits."""


class _Draft:
    """Becomes a `Login` when all attributes are set. The constructor of a frozen class is slow."""

    __slots__ = Login.__slots__


def login_from_native(native: NativeLogin) -> Login:
    """Make a `Login` from the result of the native module."""
    draft: Any = _Draft()
    (
        draft.email,
        draft.email_original,
        draft.session,
        draft.state,
        issued_at,
        auth_time,
        draft.same_browser,
    ) = native
    draft.issued_at = datetime.fromtimestamp(issued_at, UTC)
    if auth_time == issued_at:
        draft.auth_time = draft.issued_at
    else:
        draft.auth_time = None if auth_time is None else datetime.fromtimestamp(auth_time, UTC)
    draft.__class__ = Login
    login: Login = draft
    return login
