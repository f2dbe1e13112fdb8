"""What the integrations with Flask and Quart have in common."""

from __future__ import annotations

import functools
import hmac
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, Generic, Self, TypeVar, Unpack, cast
from urllib.parse import urlsplit

from blinker import Namespace
from flask.sansio.app import App
from werkzeug.datastructures import Headers

from ._base import BaseClient
from ._face import FlowOptions, Hook, Hooks, Site, SiteOptions, check_paths, due_renewal
from .errors import ConfigError
from .web import Session

EMAIL = "portier_email"
"""The key of the address in the framework's session."""

SESSION = "portier.session"
"""The key of a sealed session in the facts of a request that the server gives."""

_signals = Namespace()

portier_logged_in = _signals.signal("portier-logged-in")
"""Sent when somebody has signed in, with ``login``. If a receiver raises, nobody is signed in."""

portier_logged_out = _signals.signal("portier-logged-out")
"""Sent when somebody signs out, before the session ends."""

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
_PERMANENT = "_permanent"
_PREFIX = "PORTIER_"
_SALT = b"portier-client: pending logins"
_OF_FLOW = FlowOptions.__annotations__.keys()
# `flow` and `secret` are options of the flow as well, and mean more there.
_OF_CLIENT = {"redirect_uri", *(BaseClient.__init__.__kwdefaults__ or {})} - _OF_FLOW

AnyApp = TypeVar("AnyApp", bound=App)
AnyClient = TypeVar("AnyClient", bound=BaseClient)
AnyFlow = TypeVar("AnyFlow")


class BasePortier(Generic[AnyApp, AnyClient, AnyFlow]):
    """An extension, which may serve several applications."""

    # The parts that are the framework's.
    _client_kind: type[Any]
    _flow_kind: type[Any]
    _blueprint_kind: type[Any]
    _cookie_sessions: type[Any]
    _current_extensions: Callable[[], Mapping[str, Any]]
    _request_started: Any
    _log_in: Callable[..., Any]
    _log_out: Callable[..., Any]
    _health: Callable[..., Any]
    _callback: Callable[..., Any]
    _sign_in: Callable[..., Any]
    _renew: Callable[..., Any]
    _meet_companions: Callable[..., Any]

    def __init__(
        self,
        app: AnyApp | None = None,
        client: AnyClient | None = None,
        *,
        url_prefix: str | None = None,
        **options: Unpack[SiteOptions],
    ) -> None:
        self._client = client
        self._url_prefix = url_prefix
        self._options = options
        # So that a mistake shows here, also without an application.
        Hooks.of(options, has_sessions=True)
        check_paths(login_path=options.get("login_path"), logout_path=options.get("logout_path"))
        if app is not None:
            self.init_app(app)

    def init_app(self, app: AnyApp, client: AnyClient | None = None) -> None:
        """Add the routes to an application, with its own client if it has one."""
        client, options = _configure(app, self._client_kind, client or self._client, self._options)
        if options.get("accept"):
            options["accept"] = self._accepting(app, options["accept"])
        site = Site(self._flow_kind, client, cast("SiteOptions", options), keeps_people=True)
        interface: object = getattr(app, "session_interface", None)
        if not site.has_cookie and isinstance(interface, self._cookie_sessions):
            _check_secret_key(app)
        hooks = site.hooks = site.hooks.wrapped(functools.partial(self._runnable, app))
        hooks.on_login = functools.partial(self._sign_in, hooks.on_login)
        app.extensions["portier"] = site
        app.context_processor(lambda: {"portier": self})
        app.after_request(self._renew)
        views = self._blueprint_kind("portier", type(self).__module__, url_prefix=self._url_prefix)
        if site.login_path is not None:
            views.add_url_rule(site.login_path, "login", self._log_in, methods=["POST"])
        if site.logout_path is not None:
            views.add_url_rule(site.logout_path, "logout", self._log_out, methods=_METHODS)
        if site.health_path is not None:
            views.add_url_rule(site.health_path, "health", self._health, methods=_METHODS)
        app.register_blueprint(views)
        app.add_url_rule(
            site.callback_path,
            "portier.callback",
            self._callback,
            methods=_METHODS,
            provide_automatic_options=False,
            merge_slashes=False,
        )
        # Other extensions may be initialized later than this one.
        self._request_started.connect(self._meet_companions, app)

    @property
    def flow(self) -> AnyFlow:
        """The flow of the current application."""
        return self._site.flow

    @property
    def _site(self) -> Site[AnyFlow]:
        return cast("Site[AnyFlow]", self._current_extensions()["portier"])

    def _runnable(self, app: AnyApp, hook: Hook) -> Hook:
        """Return a hook in a form that the extension can run."""
        raise NotImplementedError

    def _accepting(self, app: AnyApp, hook: Hook) -> Hook:
        """Return the option ``accept`` in a form that the flow can run."""
        return hook


class NewSession:
    """The session that begins with a login. If nobody is signed in, the earlier one continues.

    ``facts`` are those of the request, which have the new session if it is sealed. Otherwise
    ``session`` is that of the framework.
    """

    def __init__(
        self,
        facts: MutableMapping[str, Any],
        session: MutableMapping[str, Any] | None,
        interface: object,
        email: str,
    ) -> None:
        self._facts, self._session, self._interface = facts, session, interface
        self._email = email
        self._before = dict(session or {})
        self.is_signed_in = False
        """Whether the person has signed in."""

    def __enter__(self) -> Self:
        """Begin the session."""
        if self._session is not None:
            self._session.clear()
            if self._before.get(_PERMANENT):
                self._session[_PERMANENT] = True
            self._session[EMAIL] = self._email
        return self

    def keep(self) -> object:
        """Give a session on the server a new id; return what must be awaited, if it can be."""
        if self._session is None:
            return None
        # The hook may have cleared the session. That of Flask-Session keeps its id while empty.
        self._session[EMAIL] = self._email
        regenerate = getattr(self._interface, "regenerate", None)
        return None if regenerate is None else regenerate(self._session)

    def __exit__(self, *_: object) -> None:
        """Restore the earlier session, if nobody has signed in."""
        if self.is_signed_in:
            return
        self._facts.pop(SESSION, None)
        if self._session is not None:
            self._session.clear()
            self._session.update(self._before)


def exempt(app: App, callback: Callable[..., object]) -> None:
    """Exempt the callback from the CSRF protection of Flask-WTF, and of others like it.

    In the implicit flow the broker's page posts to it, without a token of the site.
    """
    protection: Any = app.extensions.get("csrf")
    if hasattr(protection, "exempt"):
        protection.exempt(callback)


def add_renewal(headers: Headers, session: Session | None) -> None:
    """Renew a session, unless the response ends it or starts another one."""
    for cookie in due_renewal(session, headers.getlist("Set-Cookie")):
        headers.add("Set-Cookie", cookie)


def _configure(
    app: App,
    kind: type[AnyClient],
    client: AnyClient | None,
    arguments: Mapping[str, Any],
) -> tuple[AnyClient, dict[str, Any]]:
    """Return the client of an application and the options of its flow.

    Arguments take precedence over the configuration. Without a ``client``, one is made of it.
    """
    given = {
        name.removeprefix(_PREFIX).lower(): value
        for name, value in app.config.items()
        if name.startswith(_PREFIX)
    }
    for name in given.keys() - _OF_FLOW - _OF_CLIENT:
        raise _error("there is no such setting", name)
    of_client = {name: given[name] for name in _OF_CLIENT & given.keys()}
    if client is None:
        if not of_client.get("redirect_uri"):
            raise _error(
                "a setting is missing: the URL of the callback, such as https://example.com/verify",
                "redirect_uri",
            )
        has_other = {"store", "secret"} & (given.keys() | arguments.keys())
        if app.secret_key and not has_other:
            of_client["secret"] = _secrets(app)
        client = kind(**of_client)
    else:
        for name in of_client:
            raise _error("the client was given, so its options cannot be set as well", name)
    options = {name: given[name] for name in _OF_FLOW & given.keys()}
    return client, {**_under(app.config["APPLICATION_ROOT"], client), **options, **arguments}


def _secrets(app: App) -> list[bytes]:
    """Derive secrets for pending logins, so that any number of processes share them."""
    keys = [app.secret_key, *(app.config.get("SECRET_KEY_FALLBACKS") or ())]
    return [
        hmac.digest(key.encode() if isinstance(key, str) else key, _SALT, "sha256") for key in keys
    ]


def _check_secret_key(app: App) -> None:
    """Require the key of the framework's session cookie."""
    if not app.secret_key:
        raise ConfigError(
            "the application has no SECRET_KEY, which its sessions need; set it before the "
            "extension is initialized, or give the option secret",
            code="invalid_option",
        )


def _under(root: str, client: BaseClient) -> dict[str, str]:
    """Return the path of the callback below that of the application, which the server removes."""
    root = root.rstrip("/")
    path = urlsplit(client.redirect_uri).path
    if not root or not path.startswith(f"{root}/"):
        return {}
    return {"callback_path": path.removeprefix(root)}


def _error(fact: str, name: str) -> ConfigError:
    return ConfigError(f"{fact} setting={_PREFIX}{name.upper()}", code="invalid_option")
