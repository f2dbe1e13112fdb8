"""The result of a login, and the keys of the broker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

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


def login_from_native(native: NativeLogin) -> Login:
    """Make a `Login` from the result of the native module."""
    email, email_original, session, state, issued_at, auth_time, same_browser = native
    return Login(
        email=email,
        email_original=email_original,
        session=session,
        state=state,
        issued_at=datetime.fromtimestamp(issued_at, UTC),
        auth_time=None if auth_time is None else datetime.fromtimestamp(auth_time, UTC),
        same_browser=same_browser,
    )
