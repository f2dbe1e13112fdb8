"""The interface of a store of pending logins."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol, runtime_checkable


@runtime_checkable
class Store(Protocol):
    """Keeps small records until a deadline, and returns each exactly once.

    Methods may be plain or ``async``. A :class:`Client` calls them in the event loop of the login
    call, and awaits the result if it is awaitable. A :class:`blocking.Client` calls plain methods
    in the thread of the login call. An asynchronous method has five seconds, or the client's
    ``store_timeout``. After that it is cancelled, and the login fails with :class:`StoreError`
    (``store_unavailable``). An exception of a method becomes the ``__cause__`` of a
    :class:`StoreError` (``store_failed``); a :class:`StoreError` is passed on unchanged.

    A store may also have ``contains(nonce) -> bool``, which returns whether there is a record. With
    it, forged tokens never make the client fetch keys.

    Records are opaque text. ``nonce`` is a digest of the login's nonce, 43 characters of URL-safe
    base64, so nobody can complete a login with the content of a store.

    :func:`portier_client.testing.check_store` checks a store.
    """

    def put(self, nonce: str, record: str, ttl: float, /) -> Awaitable[None] | None:
        """Store ``record`` under ``nonce`` for ``ttl`` seconds, and return ``None``.

        Raise an exception if there is no space, or if there is a record already; never replace it.
        """

    def take(self, nonce: str, /) -> Awaitable[str | None] | str | None:
        """Remove and return the record in one step; return ``None`` if there is none.

        Of any number of calls for one nonce, at most one may get the record. A store that remembers
        taken records returns ``""`` for them; the login then fails with ``session_used`` instead of
        ``session_unknown``.
        """
