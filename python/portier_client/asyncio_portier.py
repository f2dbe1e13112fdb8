"""The functions of the package ``asyncio-portier``, for sites that were written for it.

Such a site changes one import. It draws its nonces itself, keeps the page to go back to under
``portier:nonce:`` and the nonce in a cache like Redis, and sends the browser to the broker::

    from portier_client.asyncio_portier import get_verified_email

Everything about the token is checked as by :class:`portier_client.Client`. All errors are a
``ValueError`` and a :class:`portier_client.PortierError`.
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
    """The broker's documents could not be had. Retryable."""


class ConfigError(errors.ConfigError, ValueError):
    """The broker, the audience or the issuer cannot be one."""


class InternalError(errors.InternalError, ValueError):
    """A defect in this package; please report it."""


class InvalidSession(errors.InvalidSession, ValueError):
    """The nonce was not drawn here, or was used before, or has expired."""


class InvalidToken(errors.InvalidToken, ValueError):
    """The token is not one that is accepted."""


class TokenExpired(errors.TokenExpired, InvalidToken):
    """The token came too late."""


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
    """Verify a token, use its nonce up, and return the address and the page to go back to.

    ``broker_url`` is the broker's origin and ``issuer`` the same, ``audience`` the origin of this
    site. ``cache`` is a client of Redis or something with the same ``get``, ``set`` and ``delete``,
    which may be coroutine functions; the page is under ``portier:nonce:`` and the nonce. Of any
    number of calls for one token at most one succeeds, if the cache has ``getdel`` or a ``delete``
    that returns how much it deleted.

    Raises :class:`InvalidToken`, :class:`InvalidSession`, :class:`BrokerUnavailable`,
    :class:`StoreError` or :class:`ConfigError` of this module, all of which are a ``ValueError``.
    """
    try:
        client = _client(broker_url, audience)
        _check_issuer(client, issuer)
        call = _Call(cache)
        outer = _CALL.set(call)
        try:
            # What is still to be done later is done in the context that there is now.
            email = client.verify(token)
        finally:
            _CALL.reset(outer)
        email = email if isinstance(email, str) else await email
    except errors.PortierError as error:
        raise _value_error(error) from error.__cause__
    finally:
        # Error trackers keep the locals of frames.
        del token
    # The login is complete, whatever becomes of this.
    with suppress(Exception):
        await _share_keys(client, broker_url, cache)
    return email, call.page


async def discover_keys(broker_url: str, cache: Any) -> dict[str, rsa.RSAPublicKey]:
    """Return the broker's RSA keys by their ids, as objects of the package ``cryptography``.

    They are fetched when it is time, and left in ``cache`` under ``portier:jwks:`` and the URL, for
    processes that use ``asyncio-portier`` still; what is there is never trusted.

    Raises :class:`BrokerUnavailable`, :class:`ConfigError` or whatever the cache raises.
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
    """One call, where the object that the client asks about nonces finds the cache."""

    def __init__(self, cache: Any) -> None:
        self.cache = cache
        self.page = ""


_CALL: ContextVar[_Call] = ContextVar("portier_client.asyncio_portier")


class _Nonces:
    """What the core asks about nonces, in the context of the call."""

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
    """Return the client of a site; it keeps the broker's documents."""
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
    # The first is redis, the second aioredis 1.
    for options_ in ({"ex": _KEYS_SECONDS}, {"expire": _KEYS_SECONDS}):
        with suppress(TypeError):
            return cache.set(name, value, **options_)
    return cache.set(name, value, _KEYS_SECONDS)


async def _take(cache: Any, name: str) -> str | None:
    """Take a value out of the cache, so that nobody else gets it where that can be had."""
    try:
        if hasattr(cache, "getdel"):
            try:
                return _text(await _result(cache.getdel(name)))
            except Exception as error:
                # A server older than Redis 6.2.
                if "unknown command" not in str(error).lower():
                    raise
        this = object()
        if _TAKING.setdefault((id(cache), name), this) is not this:
            return None
        try:
            value = _text(await _result(cache.get(name)))
            # Of many that delete, only one is told that it did, if anyone is.
            deleted = await _result(cache.delete(name)) if value else 0
            return value if deleted is None or deleted else None
        finally:
            value = None
            del _TAKING[id(cache), name]
    finally:
        # Error trackers keep the locals of frames, and the nonce is in this one.
        del name


_TAKING: dict[tuple[int, str], object] = {}
"""What is just being taken from caches that do not get and delete at once."""


async def _result(value: Any) -> Any:
    return await value if hasattr(value, "__await__") else value


def _text(value: Any) -> str | None:
    return value.decode() if isinstance(value, bytes) else value


def _number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
