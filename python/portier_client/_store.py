"""What a store of pending logins has to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Awaitable


@runtime_checkable
class Store(Protocol):
    """Keeps small records until a deadline, and gives each away exactly once.

    Both methods may be plain or ``async``. A store may also have ``contains(nonce) -> bool``, which
    says whether a record waits there; with it, forged tokens can never make the client fetch keys.

    Records are opaque text. ``nonce`` is a digest of the login's nonce, 43 characters of URL-safe
    base64, so whoever reads the store can complete nobody's login.

    Stores written in Python are not supported yet: a :class:`Client` refuses them.
    """

    def put(self, nonce: str, record: str, ttl: float, /) -> Awaitable[None] | None:
        """Keep ``record`` under ``nonce`` for ``ttl`` seconds. Never replace one that is there."""

    def take(self, nonce: str, /) -> Awaitable[str | None] | str | None:
        """Remove the record and return it, in one step; ``None`` if there is none.

        Of any number of calls for one nonce, at most one may get the record.
        """
