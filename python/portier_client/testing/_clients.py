"""Clients whose time, randomness and network a test controls, and what tests of them need."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from .. import _native
from .._client import Client
from .._native import ManualClock, MockTransport
from .._options import options, seconds
from .._store import Store


def mock_client(
    redirect_uri: str,
    *,
    clock: ManualClock,
    transport: MockTransport,
    random: Iterable[bytes] = (),
    **changes: Any,
) -> Client:
    """Make a client with a clock, random numbers and a network that the test controls.

    ``random`` are the random bytes of the first nonces, 24 each; later nonces are 1, 2, 3 and so
    on. The other options are those of :class:`portier_client.Client`.

    >>> from portier_client.testing import MockTransport, ManualClock, mock_client
    >>> transport = MockTransport()
    >>> client = mock_client(
    ...     "https://example.com/verify", clock=ManualClock(1_750_000_000), transport=transport
    ... )
    >>> asyncio.run(client.warm())
    Traceback (most recent call last):
    ...
    portier_client.errors.BrokerUnavailable: ...
    """
    usual = Client.__init__.__kwdefaults__ or {}
    client = Client.__new__(Client)
    try:
        native = _native.mock_client(
            options(redirect_uri, **{**usual, **changes}), clock, list(random), transport
        )
    except Exception as error:
        del redirect_uri, changes
        raise error.with_traceback(None) from error.__cause__
    client._adopt(native)
    return client


class _CoreStore:
    """A built-in store, with the methods of a custom store."""

    __slots__ = ("_native",)

    def __init__(self, url: str) -> None:
        try:
            self._native = _native.CoreStore(url)
        finally:
            del url

    async def put(self, nonce: str, record: str, ttl: float, /) -> None:
        pending = self._native.put(nonce, record, ttl)
        if pending is not None:
            await pending

    async def take(self, nonce: str, /) -> str | None:
        record = self._native.take(nonce)
        return record if record is None or isinstance(record, str) else await record

    async def contains(self, nonce: str, /) -> bool:
        found = self._native.contains(nonce)
        return found if isinstance(found, bool) else await found


def flush_events(*, timeout: float | timedelta = 10) -> None:
    """Wait until background events have reached the handlers of :mod:`logging`.

    A separate thread logs background events, such as the fetch of a document. A test that checks
    the log calls this function first: it blocks until every event so far has been logged. Events of
    a call that does not have to wait are logged before the call returns.

    Raises :class:`TimeoutError` if the handlers take longer than ``timeout``, in seconds or as a
    ``timedelta``, or if a handler calls it.

    >>> from portier_client.testing import flush_events
    >>> flush_events()
    """
    if not _native.flush_events(seconds("timeout", timeout)):
        raise TimeoutError("the logging handlers have not processed all events in time")


def open_store(url: str) -> Store:
    """Open the store of a URL for a test, with the methods of a custom store.

    A client opens its store itself: give it the URL. A client stores its records under other keys,
    so this object does not find them.

    Raises :class:`ConfigError` (``invalid_option``).

    >>> store = open_store("memory:")
    >>> asyncio.run(store.put("nonce", "record", 60))
    >>> asyncio.run(store.take("nonce"))
    'record'
    """
    try:
        return _CoreStore(url)
    finally:
        del url
