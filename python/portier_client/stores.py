"""Stores on top of what a site has already.

A store that a URL names needs nothing of this: give the URL to the client.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from .errors import StoreError

__all__ = ["RedisClientStore"]

T = TypeVar("T")

_USED = ""
"""What a login leaves behind that was completed; where a URL names the store, it is the same."""

_USED_FOR = 20 * 60 * 1000
"""Milliseconds for which it does: longer than its token is valid."""


class RedisClientStore:
    """Keeps pending logins in Redis or Valkey, through a client that a site has already.

    ``client`` is a ``redis.asyncio.Redis`` or ``RedisCluster`` for :class:`portier_client.Client`,
    and a ``redis.Redis`` for :class:`portier_client.blocking.Client`; clients with the same methods
    do as well. ``prefix`` begins the name of every key; a ``redis://`` URL with the same prefix
    names the same logins. The server has to be Redis 6.2 or newer, or Valkey. A login that was
    completed is remembered for 20 minutes.

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
        """Remove a record and return it; an empty text if it was taken before."""
        key = self._key(nonce)

        def remove() -> Any:
            return self._client.getdel(key)

        with _errors():
            try:
                reply = self._client.set(key, _USED, xx=True, get=True, px=_USED_FOR)
            except Exception as error:
                # A server without memory writes nothing, but removing is still possible.
                if not _is_full(error):
                    raise
                reply = remove()
        return _taken_later(reply, remove) if hasattr(reply, "__await__") else _record(reply)

    def contains(self, nonce: str, /) -> Awaitable[bool] | bool:
        """Say whether a record waits."""
        return self._call("strlen", bool, nonce)

    def _call(
        self, command: str, read: Callable[[Any], T], nonce: str, *arguments: Any, **options: Any
    ) -> Awaitable[T] | T:
        method = getattr(self._client, command)
        with _errors():
            reply = method(self._key(nonce), *arguments, **options)
        return _later(reply, read) if hasattr(reply, "__await__") else read(reply)

    def _key(self, nonce: str) -> str:
        return f"{self._prefix}session:{nonce}"

    def __repr__(self) -> str:
        """Show no address of a server, which may come with a password."""
        return f"<{type(self).__module__}.{type(self).__qualname__} prefix={self._prefix!r}>"


async def _later(reply: Awaitable[Any], read: Callable[[Any], T]) -> T:
    with _errors():
        value = await reply
    return read(value)


async def _taken_later(reply: Awaitable[Any], remove: Callable[[], Awaitable[Any]]) -> str | None:
    with _errors():
        try:
            record = await reply
        except Exception as error:
            if not _is_full(error):
                raise
            record = await remove()
    taken: str | None = _record(record)
    return taken


def _stored(reply: object) -> None:
    if not reply:
        raise StoreError("the nonce was drawn before", code="store_failed")


def _record(reply: object) -> Any:
    """Read a reply; what is neither text nor nothing is for the caller to refuse."""
    return reply.decode() if isinstance(reply, bytes) else reply


@contextmanager
def _errors() -> Iterator[None]:
    """Put the client's errors into ours, without knowing which package they are from."""
    try:
        yield
    except Exception as error:
        names = {kind.__name__ for kind in type(error).__mro__}
        if not isinstance(error, OSError) and names.isdisjoint({"RedisError", "ValkeyError"}):
            raise
        raise StoreError(
            f"the redis client raised an exception type={type(error).__name__}",
            code="store_full" if _is_full(error) else "store_unavailable",
        ) from error


def _is_full(error: Exception) -> bool:
    return type(error).__name__ == "OutOfMemoryError" or str(error).startswith("OOM ")
