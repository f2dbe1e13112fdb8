"""The names and types in the setting ``PORTIER``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TypedDict

from .. import Store
from .._base import BaseClient
from .._face import Hook
from ..web import BrowserBinding, Flow

__all__ = ["PortierSettings"]


class PortierSettings(TypedDict, total=False):
    """The setting ``PORTIER``; only ``redirect_uri`` is required.

    Hooks are functions or dotted paths to them, and may be ``async``. Each is called with the
    request and its subject.

    ``redirect_uri``
        The URL of ``portier:verify`` as browsers see it.
    ``client``
        A client to use instead of one that is made from the setting, for example in tests.
    ``store``, ``secret``
        Where pending logins are. By default they are sealed with keys that are derived from
        Django's ``SECRET_KEY`` and ``SECRET_KEY_FALLBACKS``.
    ``login_url``, ``default_next``
        Like Django's ``LOGIN_URL`` and ``LOGIN_REDIRECT_URL``, which are the defaults: a URL, or
        the name of one.
    ``languages``
        The languages of the pages. The default is those of Django's ``LANGUAGES`` that are built
        in. Django's active language chooses among them.
    ``create_users``
        Whether a login with an unknown address makes a user; true by default.
    ``on_user``
        Returns the user for a completed login, or ``None`` to refuse it.
    ``on_login``
        Runs once the user is signed in; may return a response.
    ``on_login_error``, ``show_problem``, ``show_confirmation``
        The hooks of every integration.

    All other options are those of :class:`portier_client.Client` and of
    :class:`portier_client.web.LoginFlow`, which describe them.
    """

    redirect_uri: str
    client: BaseClient

    broker: str
    store: str | Store | None
    secret: str | bytes | Iterable[str | bytes]
    response_mode: str
    leeway: float | timedelta
    session_ttl: float | timedelta
    timeout: float | timedelta
    store_timeout: float | timedelta
    algorithms: Iterable[str]
    idp: bool
    danger_allow_http: bool
    ca_file: str | os.PathLike[str] | None
    user_agent: str | None

    flow: Flow
    browser_binding: BrowserBinding
    login_url: str
    default_next: str
    allowed_hosts: Iterable[str]
    identity_providers: Iterable[str]
    form_token_checked: bool
    languages: Iterable[str]
    texts: Mapping[str, Mapping[str, str]]

    create_users: bool
    on_user: Hook | str
    on_login: Hook | str
    on_login_error: Hook | str
    show_problem: Hook | str
    show_confirmation: Hook | str
