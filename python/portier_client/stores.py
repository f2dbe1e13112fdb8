"""Stores on top of what a site has already.

A store that a URL names needs nothing of this: give the URL to the client.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

__all__ = ["RedisClientStore"]

T = TypeVar("T")


class RedisClientStore:
    """Keeps pending logins in Redis or Valkey, through a client that a site has already.

    ``client`` is a ``redis.asyncio.Redis`` or ``RedisCluster`` for :class:`portier_client.Client`,
    and a ``redis.Redis`` for :class:`portier_client.blocking.Client`; clients with the same methods
    do as well. ``prefix`` begins the name of every key; a ``redis://`` URL with the same prefix
    names the same logins. The server has to be Redis 6.2 or newer, or Valkey.

    Errors of the client are a :class:`StoreError`: ``store_full`` if the server has no memory left,
    else ``store_unavailable``.
    """

    __slots__ = ("_client", "_prefix")

    def __init__(self, client: Any, *, prefix: str = "portier:") -> None:
        """Use a client; it stays the caller's, who closes it."""
        self._client = client
        self._prefix = prefix

    def put(self, nonce: str, record: str, ttl: float, /) -> Awaitable[None] | None:
        """Keep a record unless there is one already."""
        milliseconds = max(1, math.ceil(ttl * 1000))
        return self._call("set", _stored, nonce, record, nx=True, px=milliseconds)

    def take(self, nonce: str, /) -> Awaitable[str | None] | str | None:
        """Remove a record and return it."""
        return self._call("getdel", _record, nonce)

    def contains(self, nonce: str, /) -> Awaitable[bool] | bool:
        """Say whether a record waits."""
        # Where a URL names the store, a login that was completed leaves an empty text for a while.
        return self._call("strlen", bool, nonce)

    def _call(
        self, command: str, read: Callable[[Any], T], nonce: str, *arguments: Any, **options: Any
    ) -> Awaitable[T] | T:
        method = getattr(self._client, command)
        with _errors():
            reply = method(f"{self._prefix}session:{nonce}", *arguments, **options)
        return _later(reply, read) if hasattr(reply, "__await__") else read(reply)

    def __repr__(self) -> str:
        """Show no address of a server, which may come with a password."""
        return f"<{type(self).__module__}.{type(self).__qualname__} prefix={self._prefix!r}>"


async def _later(reply: Awaitable[Any], read: Callable[[Any], T]) -> T:
    with _errors():
        value = await reply
    return read(value)


def _stored(reply: object) -> None:
    if not reply:
        raise StoreError("the nonce was drawn before", code="store_failed")


def _record(reply: object) -> Any:
    record = reply.decode() if isinstance(reply, bytes) else reply
    return None if record == "" else record


@contextmanager
def _errors() -> Iterator[None]:
    """Put the client's errors into ours, without knowing which package they are from."""
    try:
        yield
    except Exception as error:
        names = {kind.__name__ for kind in type(error).__mro__}
        if not isinstance(error, OSError) and names.isdisjoint({"RedisError", "ValkeyError"}):
            raise
        full = "OutOfMemoryError" in names or str(error).startswith("OOM ")
        raise StoreError(
            f"the redis client raised an exception type={type(error).__name__}",
            code="store_full" if full else "store_unavailable",
        ) from error
