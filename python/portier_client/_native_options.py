"""The types of the options that the core takes, for type checkers only."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol, TypedDict

from ._store import Store


class Nonces(Protocol):
    """Knows the nonces that an application has generated itself."""

    def consume_nonce(self, nonce: str, email: str, /) -> Awaitable[bool]: ...


class SessionOptions(TypedDict):
    """The options of a session cookie."""

    secrets: list[bytes]
    max_age: float
    absolute_max_age: float


class Options(TypedDict):
    """The options of a client."""

    redirect_uri: str
    broker: str
    store: str | Store | Nonces | None
    flow: str
    response_mode: str
    leeway: float
    session_ttl: float
    timeout: float
    store_timeout: float
    secrets: list[bytes] | None
    algorithms: list[str]
    idp: bool
    danger_allow_http: bool
    ca_file: str | None
    user_agent: str | None


class FlowOptions(TypedDict):
    """The options of a login flow."""

    flow: str
    browser_binding: str
    login_url: str | None
    default_next: str | None
    allowed_hosts: list[str]
    identity_providers: list[str]
    callback_path: str | None
    form_token_checked: bool
    languages: list[str]
    texts: dict[str, dict[str, str]]
    session: SessionOptions | None
