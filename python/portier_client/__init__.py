"""Passwordless e-mail login through Portier: the relying party's side of the protocol.

A login has two halves. :meth:`Client.authenticate` starts it and returns the URL to redirect the
browser to; :meth:`Client.verify` or :meth:`Client.complete` ends it when the broker sends the
browser back.
"""

from __future__ import annotations

from importlib import import_module

try:
    from ._native import __version__, normalize_email, safe_next
except ModuleNotFoundError as _error:
    if _error.name != f"{__name__}._native":
        raise
    from ._missing import explanation

    raise ModuleNotFoundError(explanation(__path__), name=_error.name) from None
from ._client import Client
from .errors import (
    BrokerError,
    BrokerUnavailable,
    BrowserMismatch,
    ConfigError,
    InternalError,
    InvalidEmail,
    InvalidRequest,
    InvalidSession,
    InvalidToken,
    LoginRefused,
    PortierError,
    SessionUsed,
    StoreError,
    TokenExpired,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._login import Key, Login
    from ._store import Store

__all__ = [
    "BrokerError",
    "BrokerUnavailable",
    "BrowserMismatch",
    "Client",
    "ConfigError",
    "InternalError",
    "InvalidEmail",
    "InvalidRequest",
    "InvalidSession",
    "InvalidToken",
    "Key",
    "Login",
    "LoginRefused",
    "PortierError",
    "SessionUsed",
    "Store",
    "StoreError",
    "TokenExpired",
    "__version__",
    "normalize_email",
    "safe_next",
]


# Importing dataclasses and protocols takes longer than importing everything else.
_LAZY = {"Key": "_login", "Login": "_login", "Store": "_store"}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f".{_LAZY[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
