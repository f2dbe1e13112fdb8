"""The setting ``PORTIER``: the client, the flows and the hooks of the site."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from asgiref.sync import async_to_sync, iscoroutinefunction, sync_to_async
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch
from django.utils.crypto import salted_hmac
from django.utils.module_loading import import_string

from .. import Client, blocking
from .._face import Hook
from ..errors import ConfigError
from ..web import LoginFlow
from ._settings import PortierSettings

if TYPE_CHECKING:
    from .._base import BaseClient

_Flow = TypeVar("_Flow", LoginFlow, blocking.LoginFlow)
_Client = TypeVar("_Client", Client, blocking.Client)

BUILT_IN_LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt", "pl", "ja", "zh")

_FLOW = {
    "flow",
    "browser_binding",
    "allowed_hosts",
    "identity_providers",
    "form_token_checked",
    "languages",
    "texts",
}
_RELOADED = {
    "PORTIER",
    "LANGUAGES",
    "LANGUAGE_CODE",
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "USE_I18N",
}
_MAX_FLOWS = 64


class SiteHooks(NamedTuple):
    """The hooks of the site. Those for an event loop are ``async``, those for a thread plain."""

    on_user: Hook | None
    on_login: Hook | None
    on_login_error: Hook | None
    show_problem: Hook | None
    show_confirmation: Hook | None


_OWN = {"client", "create_users", "login_url", "default_next", *SiteHooks._fields}


class Site:
    """What the settings say. The client and the flows are made when they are needed."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        unknown = given.keys() - PortierSettings.__annotations__.keys()
        if unknown:
            raise _invalid(f"the setting PORTIER has an unknown option name={min(unknown)}")
        self.creates_users = given.get("create_users", True)
        if not isinstance(self.creates_users, bool):
            kind = type(self.creates_users).__name__
            raise TypeError(f"create_users must be bool, not {kind}")
        self._given = given
        self._made: BaseClient | None = given.get("client")
        self._flows: dict[tuple[str, ...], LoginFlow | blocking.LoginFlow] = {}
        self._lock = threading.Lock()

    def check(self) -> LoginFlow:
        """Raise for invalid options; return a flow with the others.

        Its ``login_url`` and ``default_next`` are not resolved yet.
        """
        SiteHooks(*map(self._hook, SiteHooks._fields))
        return LoginFlow(self.client, **self._flow_options)

    def flow(self, *, login_url: str | None = None) -> LoginFlow:
        """Return the flow for an event loop."""
        key = "loop", *self._urls(login_url)
        flow = self._flows.get(key)
        if not isinstance(flow, LoginFlow):
            options = {**self._flow_options, "login_url": key[1], "default_next": key[2]}
            flow = self._keep(key, LoginFlow(self.client, **options))
        return flow

    def blocking_flow(self, *, login_url: str | None = None) -> blocking.LoginFlow:
        """Return the flow for a thread."""
        key = "thread", *self._urls(login_url)
        flow = self._flows.get(key)
        if not isinstance(flow, blocking.LoginFlow):
            options = {**self._flow_options, "login_url": key[1], "default_next": key[2]}
            flow = self._keep(key, blocking.LoginFlow(self.blocking_client, **options))
        return flow

    @cached_property
    def client(self) -> Client:
        """The client for event loops."""
        return self._client(Client)

    @cached_property
    def blocking_client(self) -> blocking.Client:
        """The client for threads. It shares pending logins and documents with the other one."""
        return self._client(blocking.Client)

    @cached_property
    def hooks(self) -> SiteHooks:
        """The hooks for an event loop. Plain ones run in a thread, as plain views do."""
        return SiteHooks(*(_for_loop(self._hook(name)) for name in SiteHooks._fields))

    @cached_property
    def blocking_hooks(self) -> SiteHooks:
        """The hooks for a thread. An ``async`` one gets an event loop, as ``async`` views do."""
        return SiteHooks(*(_for_thread(self._hook(name)) for name in SiteHooks._fields))

    @property
    def keeps_logins_in_memory(self) -> bool:
        """Whether pending logins are in the memory of this process."""
        return self.client._native.has_local_store

    @property
    def login_url(self) -> str:
        """The page with the login form."""
        return _resolved("login_url", self._given.get("login_url", settings.LOGIN_URL))

    @property
    def logout_url(self) -> str:
        """The page after signing out."""
        given = settings.LOGOUT_REDIRECT_URL
        return self.login_url if given is None else _resolved("LOGOUT_REDIRECT_URL", given)

    @property
    def default_next(self) -> str:
        """The page after a login without ``next``."""
        given = self._given.get("default_next", settings.LOGIN_REDIRECT_URL)
        return _resolved("default_next", given)

    def _urls(self, login_url: str | None) -> tuple[str, str]:
        # Both depend on the language of the request, and on the prefix of the site.
        return login_url or self.login_url, self.default_next

    def _keep(self, key: tuple[str, ...], flow: _Flow) -> _Flow:
        with self._lock:
            if len(self._flows) >= _MAX_FLOWS:
                self._flows.clear()
            self._flows[key] = flow
        return flow

    @cached_property
    def _flow_options(self) -> dict[str, Any]:
        options = {name: self._given[name] for name in _FLOW & self._given.keys()}
        options.setdefault("languages", default_languages())
        return options

    def _client(self, kind: type[_Client]) -> _Client:
        with self._lock:
            if self._made is None:
                # Error trackers keep the locals of frames, so the options are none of them.
                self._made = kind(**self._client_options())
        if isinstance(self._made, kind):
            return self._made
        kind._check_store(self._given.get("store"))
        client = kind.__new__(kind)
        client._adopt(self._made._native)
        return client

    def _client_options(self) -> dict[str, Any]:
        names = self._given.keys() - _FLOW - _OWN
        if "redirect_uri" not in names:
            raise _invalid("the setting PORTIER has no redirect_uri")
        options = {name: self._given[name] for name in names}
        if options.get("store") is None:
            options.setdefault("secret", derived_secrets())
        return options

    def _hook(self, name: str) -> Hook | None:
        given = self._given.get(name)
        try:
            hook: Hook | None = import_string(given) if isinstance(given, str) else given
        except ImportError as error:
            raise ImproperlyConfigured(
                f"a hook of the setting PORTIER cannot be imported name={name} path={given}"
            ) from error
        if hook is not None and not callable(hook):
            raise TypeError(f"{name} must be a function, not {type(hook).__name__}")
        return hook


def site() -> Site:
    """Return what the settings say, which are read once."""
    found = _Current.site
    if found is None:
        with _Current.lock:
            found = _Current.site
            if found is None:
                found = _Current.site = Site(getattr(settings, "PORTIER", {}))
    return found


def reset(*, setting: str = "PORTIER", **_: object) -> None:
    """Read the settings again, for example after ``override_settings``."""
    if setting in _RELOADED:
        _Current.site = None


def default_languages() -> list[str]:
    """Return the languages of the site that are built in; that of ``LANGUAGE_CODE`` is first."""
    first = settings.LANGUAGE_CODE.partition("-")[0]
    spoken = [code.partition("-")[0] for code, _ in settings.LANGUAGES] if settings.USE_I18N else []
    known = [language for language in spoken if language in BUILT_IN_LANGUAGES]
    return [*dict.fromkeys([first if first in BUILT_IN_LANGUAGES else "en", *known])]


def derived_secrets() -> list[bytes]:
    """Return the secrets that seal pending logins; the first one seals, all of them open."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    salt, purpose = "portier_client.django", "pending logins"
    return [salted_hmac(salt, purpose, secret=key, algorithm="sha256").digest() for key in keys]


class _Current:
    site: Site | None = None
    lock = threading.Lock()


def _resolved(name: str, given: Any) -> str:
    try:
        return resolve_url(given)
    except NoReverseMatch:
        # The error of Django would carry the whole URL configuration.
        message = f"{name} is neither a URL nor the name of one"
    raise _invalid(message)


def _for_loop(hook: Hook | None) -> Hook | None:
    if hook is None or _is_async(hook):
        return hook
    in_thread = sync_to_async(hook)

    async def run(*arguments: object) -> object:
        return await _awaited(await in_thread(*arguments))

    return run


def _for_thread(hook: Hook | None) -> Hook | None:
    if hook is None or _is_async(hook):
        return hook and async_to_sync(hook)

    def run(*arguments: object) -> object:
        result = hook(*arguments)
        return async_to_sync(_awaited)(result) if inspect.isawaitable(result) else result

    return run


async def _awaited(result: object) -> object:
    """Wait for the result of a plain function that calls an ``async`` one."""
    return await result if inspect.isawaitable(result) else result


def _is_async(hook: Hook) -> bool:
    return iscoroutinefunction(hook) or iscoroutinefunction(type(hook).__call__)


def _invalid(message: str) -> ConfigError:
    return ConfigError(message, code="invalid_option")
