"""What a completed login says."""

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
    """The verified address in normalized form. Use it, to the letter, as the key of the account."""

    email_original: str
    """The address as it was typed. Not an identity: two people may have typed the same text."""

    session: str | None
    """The application's own text from the start of the login."""

    state: str | None
    """The state that came back through the browser; untrusted."""

    issued_at: datetime
    """When the broker issued the token (UTC)."""

    auth_time: datetime | None
    """When the broker last saw proof of the address (UTC), if it says so."""

    same_browser: bool
    """Whether the login was bound to a browser and completed in it."""

    def __repr__(self) -> str:
        """Show what is no secret."""
        return f"<Login issued_at={self.issued_at.isoformat()} same_browser={self.same_browser}>"


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the broker that can verify tokens."""

    id: str
    """The key id (``kid``) tokens name it by."""

    algorithm: str
    """``RS256`` or ``EdDSA``."""

    bits: int
    """The size of the key."""


def login_from_native(native: NativeLogin) -> Login:
    """Make a login from what the native module returns."""
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
