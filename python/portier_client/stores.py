"""Stores that use a client which the site already has.

A store with a URL needs nothing from this module: give the URL to the client.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from ._native import MAX_RECORD_BYTES
from .errors import ConfigError, StoreError

__all__ = ["RedisClientStore"]

T = TypeVar("T")

_USED = ""
"""The value that remains of a completed login; a store with a URL uses the same."""

_USED_FOR = 20 * 60 * 1000
"""Milliseconds for which it remains: longer than its token is valid."""


class RedisClientStore:
    """Keeps pending logins in Redis or Valkey, through a client that the site already has.

    ``client`` is a ``redis.asyncio.Redis`` or ``RedisCluster`` for :class:`portier_client.Client`,
    and a ``redis.Redis`` for :class:`portier_client.blocking.Client`. Clients with the same methods
    are accepted too; anything else is a :class:`ConfigError`. ``prefix`` is the beginning of every
    key; a ``redis://`` URL with the same prefix shares its logins. The server must be Redis 6.2 or
    newer, or Valkey. A completed login is remembered for 20 minutes.

    Errors of the client become a :class:`StoreError`: ``store_full`` if the server has no memory
    left, otherwise ``store_unavailable``.
    """

    __slots__ = ("_client", "_is_for_asyncio", "_prefix")

    def __init__(self, client: Any, *, prefix: str = "portier:") -> None:
        """Use a client. The caller still owns it and closes it."""
        _check(client)
        if not isinstance(prefix, str):
            raise TypeError(f"prefix must be str, not {type(prefix).__name__}")
        self._client = client
        # All commands of a client go through this method.
        execute = getattr(client, "execute_command", None)
        self._is_for_asyncio = inspect.iscoroutinefunction(execute)
        self._prefix = prefix

    def put(self, nonce: str, record: str, ttl: float, /) -> Awaitable[None] | None:
        """Store a record; fail if there is one for this nonce."""
        milliseconds = max(1, math.ceil(ttl * 1000))
        return self._call("set", _expect_stored, nonce, record, nx=True, px=milliseconds)

    def take(self, nonce: str, /) -> Awaitable[str | None] | str | None:
        """Remove and return a record; an empty text means that it was taken before."""
        key = self._key(nonce)
        with _errors():
            # The client reads a reply of any length into memory, so ask for the length first.
            length = self._client.strlen(key)
        if hasattr(length, "__await__"):
            return self._take_awaited(key, length)
        _check_length(length)
        with _errors():
            try:
                reply = self._mark_used(key)
            except Exception as error:
                # A server without memory refuses to write, but it can still remove.
                if not _is_full(error):
                    raise
                reply = self._client.getdel(key)
        return _record(reply)

    async def _take_awaited(self, key: str, length: Awaitable[object]) -> str | None:
        with _errors():
            known = await length
        _check_length(known)
        with _errors():
            try:
                reply = await self._mark_used(key)
            except Exception as error:
                if not _is_full(error):
                    raise
                reply = await self._client.getdel(key)
        return _record(reply)

    def _mark_used(self, key: str) -> Any:
        return self._client.set(key, _USED, xx=True, get=True, px=_USED_FOR)

    def contains(self, nonce: str, /) -> Awaitable[bool] | bool:
        """Return whether there is a record."""
        return self._call("strlen", _is_present, nonce)

    def _call(
        self, command: str, read: Callable[[Any], T], nonce: str, *arguments: Any, **options: Any
    ) -> Awaitable[T] | T:
        method = getattr(self._client, command)
        with _errors():
            reply = method(self._key(nonce), *arguments, **options)
        return _read_awaited(reply, read) if hasattr(reply, "__await__") else read(reply)

    def _key(self, nonce: str) -> str:
        return f"{self._prefix}session:{nonce}"

    def __repr__(self) -> str:
        """Show nothing of the server: its address may contain a password."""
        return f"<{type(self).__module__}.{type(self).__qualname__} prefix={self._prefix!r}>"


async def _read_awaited(reply: Awaitable[Any], read: Callable[[Any], T]) -> T:
    with _errors():
        value = await reply
    return read(value)


def _expect_stored(reply: object) -> None:
    if reply is None or reply is False:
        raise _failed("a login is pending under this nonce already")
    if reply is not True and reply not in ("OK", b"OK"):
        raise _unexpected("SET", reply)


def _is_present(reply: object) -> bool:
    return _length(reply) > 0


def _check_length(reply: object) -> None:
    if _length(reply) > MAX_RECORD_BYTES:
        raise _failed("redis holds a value that is too long to be a record")


def _length(reply: object) -> int:
    if isinstance(reply, int):
        return reply
    raise _unexpected("STRLEN", reply)


def _record(reply: object) -> str | None:
    if reply is None or isinstance(reply, str):
        return reply
    if isinstance(reply, bytes):
        try:
            return reply.decode()
        except UnicodeDecodeError:
            # The exception contains the record, so it must not become the cause.
            pass
    raise _unexpected("SET", reply)


def _unexpected(command: str, reply: object) -> StoreError:
    kind = type(reply).__name__
    fact = "the redis client returned something that the command does not"
    return _failed(f"{fact} command={command} type={kind}")


def _failed(message: str) -> StoreError:
    return StoreError(message, code="store_failed")


def _check(client: object) -> None:
    kind = type(client).__name__
    missing = [name for name in _METHODS if not callable(getattr(client, name, None))]
    if isinstance(client, type):
        problem = f"client is a class; give an instance of it given={client.__name__}"
    elif isinstance(client, str):
        problem = "client is a str; give a URL to the client of this package, as its store"
    elif hasattr(client, "cr_await"):
        problem = f"client is a coroutine; await it first given={kind}"
        client.close()  # type: ignore[attr-defined]
    elif any(name.endswith("Pipeline") for name in _names(client)):
        problem = f"client is a pipeline; give the client that made it given={kind}"
    elif missing:
        advice = _ADVICE.get(kind, "")
        names = ",".join(missing)
        problem = f"client is not a client of Redis{advice} given={kind} missing={names}"
    else:
        return
    raise ConfigError(problem, code="invalid_option")


_METHODS = ("set", "getdel", "strlen")

_ADVICE = {
    "Sentinel": "; give what its master_for returns",
    "ConnectionPool": "; give a client that uses it, such as Redis(connection_pool=…)",
}


def _names(value: object) -> set[str]:
    return {kind.__name__ for kind in type(value).__mro__}


@contextmanager
def _errors() -> Iterator[None]:
    """Turn errors of the client into a `StoreError`, without importing its package."""
    try:
        yield
    except Exception as error:
        kinds = {"RedisError", "ValkeyError"}
        if not isinstance(error, OSError) and kinds.isdisjoint(_names(error)):
            raise
        raise StoreError(
            f"the redis client raised an exception type={type(error).__name__}",
            code="store_full" if _is_full(error) else "store_unavailable",
        ) from error


def _is_full(error: Exception) -> bool:
    return type(error).__name__ == "OutOfMemoryError" or str(error).startswith("OOM ")
