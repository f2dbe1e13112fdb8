"""Who is signed in, for sites that have no sessions of their own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from . import _native
from ._base import _CLOSED, BaseClient
from ._native import Session
from ._options import session_options

__all__ = ["Secret", "Session", "SessionCookie"]

Secret = str | bytes | Iterable[str | bytes]
"""One secret or several; the first one seals, all of them open."""


class SessionCookie:
    """Keeps people signed in with one sealed cookie, and nothing on the server.

    Nobody else can read or change the cookie (AES-256-GCM), and it is valid for this site only. A
    :class:`LoginFlow` with a ``secret`` does all of this by itself; this class is for sites that
    log in without a flow. Threads and event loops may share it.

    ``client``
        The client of the site, of either kind. A closed client closes its cookies.
    ``secret``
        At least 32 random bytes, as ``bytes`` or ``str``, or several of these: the first one seals,
        all of them open, so that secrets can be replaced.
    ``max_age``
        How long a session lasts without a visit: seconds or a ``timedelta``.
    ``absolute_max_age``
        How long a session lasts with visits: seconds or a ``timedelta``, at most 400 days.

    Raises :class:`ConfigError` (``invalid_option``) for a secret that is too short or looks like a
    placeholder, and for ages out of range; ``TypeError`` for a wrong type.

    >>> from portier_client.web import SessionCookie
    >>> cookie = SessionCookie(Client("https://example.com/verify"), secrets.token_bytes(32))
    >>> session, set_cookie = cookie.start("alice@example.com")
    >>> sent_back = set_cookie.partition(";")[0]
    >>> cookie.read(sent_back).email
    'alice@example.com'
    >>> cookie.read(None) is None
    True
    """

    __slots__ = ("__weakref__", "_native")

    def __init__(
        self,
        client: BaseClient,
        secret: Secret,
        *,
        max_age: float | timedelta = 1_209_600,
        absolute_max_age: float | timedelta = 7_776_000,
    ) -> None:
        """Check the options."""
        try:
            if not isinstance(client, BaseClient):
                raise TypeError(f"client must be a Client, not {type(client).__name__}")
            if client._native is _CLOSED:
                raise RuntimeError("the client is closed")
            options = session_options(secret, max_age=max_age, absolute_max_age=absolute_max_age)
            self._native = _native.SessionCookie(client._native, options)
        except Exception as error:
            # Error trackers keep the locals of frames.
            del secret
            options = None
            raise error.with_traceback(None) from error.__cause__
        client._flows.add(self)

    def start(self, email: str) -> tuple[Session, str]:
        """Begin a session; return it with the value of its ``Set-Cookie`` header."""
        try:
            return self._native.start(email)
        finally:
            del email

    def read(self, cookie: str | None) -> Session | None:
        """Return the session in the ``Cookie`` header of a request.

        ``None`` if there is none, it is not genuine, or it has ended.
        """
        return self._native.read(cookie)

    def renew(self, session: Session) -> str | None:
        """Return the ``Set-Cookie`` value that makes a session last longer.

        ``None`` in the first half of ``max_age``, or if the session cannot last longer.
        """
        return self._native.renew(session)

    def clear(self) -> str:
        """Return the ``Set-Cookie`` value that ends the session in this browser."""
        return self._native.clear()
