"""The functions of the package ``asyncio-portier``, for sites that were written for it.

Such a site changes one import::

    from portier_client.asyncio_portier import get_verified_email

It still generates its own nonces, stores the page to return to in a cache like Redis, under
``portier:nonce:`` and the nonce, and redirects the browser to the broker. Tokens are checked in the
same way as by :class:`portier_client.Client`. Every error is a ``ValueError`` and a
:class:`portier_client.PortierError`.
"""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from . import _native, errors
from ._client import Client
from ._options import options

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import rsa
else:
    from ._lazy import rsa

__all__ = [
    "BrokerUnavailable",
    "ConfigError",
    "InternalError",
    "InvalidSession",
    "InvalidToken",
    "StoreError",
    "TokenExpired",
    "discover_keys",
    "get_verified_email",
]

_KEYS_SECONDS = 300
_MOST_CLIENTS = 64


class BrokerUnavailable(errors.BrokerUnavailable, ValueError):
    """The broker's metadata or keys could not be fetched. Retryable."""


class ConfigError(errors.ConfigError, ValueError):
    """The broker URL, the audience or the issuer is invalid."""


class InternalError(errors.InternalError, ValueError):
    """A defect in this package; please report it."""


class InvalidSession(errors.InvalidSession, ValueError):
    """The nonce is unknown here, was used before, or has expired."""


class InvalidToken(errors.InvalidToken, ValueError):
    """The token is invalid."""


class TokenExpired(errors.TokenExpired, InvalidToken):
    """The token has expired."""


class StoreError(errors.StoreError, ValueError):
    """The cache failed. Retryable."""


_CLASSES: dict[type, type[errors.PortierError]] = {
    errors.BrokerUnavailable: BrokerUnavailable,
    errors.ConfigError: ConfigError,
    errors.InternalError: InternalError,
    errors.InvalidSession: InvalidSession,
    errors.InvalidToken: InvalidToken,
    errors.StoreError: StoreError,
    errors.TokenExpired: TokenExpired,
}


async def get_verified_email(
    broker_url: str, token: str, audience: str, issuer: str, cache: Any
) -> tuple[str, str]:
    """Verify a token, use up its nonce, and return the address and the page to return to.

    ``broker_url`` and ``issuer`` are both the broker's origin; ``audience`` is the origin of this
    site. ``cache`` is a Redis client, or an object with the same ``get``, ``set`` and ``delete``,
    which may be coroutine functions. It has the page under ``portier:nonce:`` and the nonce. At
    most one of any number of calls for one token succeeds, if the cache has ``getdel`` or a
    ``delete`` that returns how many keys it deleted.

    Raises :class:`InvalidToken`, :class:`InvalidSession`, :class:`BrokerUnavailable`,
    :class:`StoreError` or :class:`ConfigError` of this module, each of which is a ``ValueError``.
    """
    try:
        client = _client(broker_url, audience)
        _check_issuer(client, issuer)
        call = _Call(cache)
        outer = _CALL.set(call)
        try:
            # Later work of the call runs in a copy of the context as it is now.
            email = client.verify(token)
        finally:
            _CALL.reset(outer)
        email = email if isinstance(email, str) else await email
    except errors.PortierError as error:
        raise _value_error(error) from error.__cause__
    finally:
        # Error trackers keep the locals of frames.
        del token
    # The login is complete even if this fails.
    with suppress(Exception):
        await _share_keys(client, broker_url, cache)
    return email, call.page


async def discover_keys(broker_url: str, cache: Any) -> dict[str, rsa.RSAPublicKey]:
    """Return the broker's RSA keys by their ids, as objects of the package ``cryptography``.

    The keys are fetched from the broker when they have expired. They are also written to ``cache``,
    under ``portier:jwks:`` and the URL, for processes that still use ``asyncio-portier``. Keys in
    the cache are never trusted.

    Raises :class:`BrokerUnavailable`, :class:`ConfigError`, or any exception of the cache.
    """
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

    try:
        client = _client(broker_url, None)
        keys = client.keys()
        keys = keys if isinstance(keys, list) else await keys
        usable = {key_id for key_id, algorithm, _ in keys if algorithm == "RS256"}
        key_set = json.loads(await _share_keys(client, broker_url, cache))
    except errors.PortierError as error:
        raise _value_error(error) from error.__cause__
    return {
        key["kid"]: RSAPublicNumbers(_number(key["e"]), _number(key["n"])).public_key()
        for key in key_set["keys"]
        if isinstance(key, dict) and key.get("kid") in usable
    }


class _Call:
    """The cache and the result of one call, for `_Nonces`."""

    def __init__(self, cache: Any) -> None:
        self.cache = cache
        self.page = ""


_CALL: ContextVar[_Call] = ContextVar("portier_client.asyncio_portier")


class _Nonces:
    """The store of nonces; the core calls it in the context of the call."""

    async def consume_nonce(self, nonce: str, email: str, /) -> bool:
        call = _CALL.get()
        taking = _take(call.cache, f"portier:nonce:{nonce}")
        del nonce, email
        page = await taking
        if not page:
            return False
        call.page = page
        return True


@lru_cache(_MOST_CLIENTS)
def _client(broker_url: str, audience: str | None) -> _native.Client:
    """Return the client of a site, which caches the broker's documents."""
    origin = "https://localhost" if audience is None else audience
    if _has_path(origin):
        raise _config_error("audience is not an origin")
    usual: dict[str, Any] = {**(Client.__init__.__kwdefaults__ or {}), "broker": broker_url}
    return _native.Client({**options(origin, **usual), "store": _Nonces()})


def _check_issuer(client: _native.Client, issuer: str) -> None:
    if issuer.removesuffix("/") != client.broker:
        raise _config_error(f"issuer is not the origin of the broker expected={client.broker}")


def _has_path(url: str) -> bool:
    parts = urlsplit(url)
    return bool(parts.path.removeprefix("/") or parts.query or parts.fragment)


def _config_error(message: str) -> errors.ConfigError:
    return errors.ConfigError(message, code="invalid_option")


def _value_error(error: errors.PortierError) -> errors.PortierError:
    kinds = (_CLASSES.get(kind) for kind in type(error).__mro__)
    kind = next(kind for kind in kinds if kind is not None)
    return kind(str(error), code=error.code)


async def _share_keys(client: _native.Client, broker_url: str, cache: Any) -> str:
    key_set = client.key_set()
    key_set = key_set if isinstance(key_set, str) else await key_set
    name = f"portier:jwks:{broker_url}"
    if not await _result(cache.get(name)):
        await _result(_set(cache, name, key_set))
    return key_set


def _set(cache: Any, name: str, value: str) -> Any:
    # The first is for redis, the second for aioredis 1.
    for options_ in ({"ex": _KEYS_SECONDS}, {"expire": _KEYS_SECONDS}):
        with suppress(TypeError):
            return cache.set(name, value, **options_)
    return cache.set(name, value, _KEYS_SECONDS)


async def _take(cache: Any, name: str) -> str | None:
    """Take a value out of the cache, so that nobody else gets it, if the cache allows that."""
    try:
        if hasattr(cache, "getdel"):
            try:
                return _text(await _result(cache.getdel(name)))
            except Exception as error:
                # Servers older than Redis 6.2 have no GETDEL.
                if "unknown command" not in str(error).lower():
                    raise
        this = object()
        if _TAKING.setdefault((id(cache), name), this) is not this:
            return None
        try:
            value = _text(await _result(cache.get(name)))
            # If several callers delete the key, only one is told that it deleted something.
            deleted = await _result(cache.delete(name)) if value else 0
            return value if deleted is None or deleted else None
        finally:
            value = None
            del _TAKING[id(cache), name]
    finally:
        # Error trackers keep the locals of frames, and the nonce is in this one.
        del name


_TAKING: dict[tuple[int, str], object] = {}
"""The keys that are being taken from caches without ``getdel``."""


async def _result(value: Any) -> Any:
    return await value if hasattr(value, "__await__") else value


def _text(value: Any) -> str | None:
    return value.decode() if isinstance(value, bytes) else value


def _number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
