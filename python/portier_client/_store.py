"""What a store of pending logins has to do."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol, runtime_checkable


@runtime_checkable
class Store(Protocol):
    """Keeps small records until a deadline, and gives each away exactly once.

    Methods may be plain or ``async``. A :class:`Client` calls them in the event loop of the call
    they are for, and awaits what is awaitable; a :class:`blocking.Client` calls plain ones in the
    thread of the call. A method that waits has five seconds, or as long as the client's
    ``store_timeout``; then the login fails with :class:`StoreError` (``store_unavailable``) and the
    method is cancelled. What a method raises is the ``__cause__`` of a :class:`StoreError`
    (``store_failed``), unless it is one itself.

    A store may also have ``contains(nonce) -> bool``, which says whether a record waits there; with
    it, forged tokens can never make the client fetch keys.

    Records are opaque text. ``nonce`` is a digest of the login's nonce, 43 characters of URL-safe
    base64, so whoever reads the store can complete nobody's login.

    :func:`portier_client.testing.check_store` tries a store out.
    """

    def put(self, nonce: str, record: str, ttl: float, /) -> Awaitable[None] | None:
        """Keep ``record`` under ``nonce`` for ``ttl`` seconds, and return ``None``.

        Raise an exception if there is no room, or if a record is there already: never replace it.
        """

    def take(self, nonce: str, /) -> Awaitable[str | None] | str | None:
        """Remove the record and return it, in one step; ``None`` if there is none.

        Of any number of calls for one nonce, at most one may get the record. A store that remembers
        which records it gave away returns ``""`` for such a one, so that the login fails with
        ``session_used`` rather than ``session_unknown``.
        """
