"""What the integrations with Flask and Quart have in common."""

from __future__ import annotations

import functools
import hmac
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, Unpack
from urllib.parse import unquote, urlsplit

from flask.sansio.app import App
from werkzeug.datastructures import Headers

from ._base import BaseClient
from ._face import FlowOptions, Hook, Hooks, check_paths
from .errors import ConfigError
from .web import Session

EMAIL = "portier_email"
"""The key of the address in the framework's session."""

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


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of an extension that are the framework's."""

    client: type[Any]
    flow: type[Any]
    blueprint: type[Any]
    cookie_sessions: type[Any]
    request_started: Any
    log_in: Callable[..., Any]
    log_out: Callable[..., Any]
    callback: Callable[..., Any]
    sign_in: Callable[..., Any]
    renew: Callable[..., Any]
    meet_companions: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Site(Generic[AnyFlow]):
    """The extension in one application."""

    flow: AnyFlow
    hooks: Hooks
    has_cookie: bool
    """Whether the sealed cookie keeps people signed in, and not the framework's session."""


class BasePortier(Generic[AnyApp, AnyClient]):
    """An extension, which may serve several applications."""

    def __init__(
        self,
        app: AnyApp | None = None,
        client: AnyClient | None = None,
        *,
        on_login: Hook | None = None,
        on_login_error: Hook | None = None,
        show_problem: Hook | None = None,
        show_confirmation: Hook | None = None,
        url_prefix: str | None = None,
        login_path: str | None = "/login",
        logout_path: str | None = "/logout",
        **options: Unpack[FlowOptions],
    ) -> None:
        self._client = client
        self._hooks = Hooks(
            on_login=on_login,
            on_login_error=on_login_error,
            show_problem=show_problem,
            show_confirmation=show_confirmation,
            has_sessions=True,
        )
        check_paths(login_path=login_path, logout_path=logout_path)
        self._url_prefix, self._login_path, self._logout_path = url_prefix, login_path, logout_path
        self._options = options
        if app is not None:
            self.init_app(app)

    def init_app(self, app: AnyApp, client: AnyClient | None = None) -> None:
        """Add the routes to an application, with its own client if it has one."""
        parts = self._parts()
        client, options = _configure(app, parts.client, client or self._client, self._options)
        if options.get("accept"):
            options["accept"] = self._accepting(app, options["accept"])
        flow, has_cookie = parts.flow(client, **options), options.get("secret") is not None
        interface: object = getattr(app, "session_interface", None)
        if not has_cookie and isinstance(interface, parts.cookie_sessions):
            _check_secret_key(app)
        hooks = self._hooks.wrapped(functools.partial(self._runnable, app))
        hooks.on_login = functools.partial(parts.sign_in, hooks.on_login)
        app.extensions["portier"] = Site(flow, hooks, has_cookie)
        app.context_processor(lambda: {"portier": self})
        app.after_request(parts.renew)
        views = parts.blueprint("portier", type(self).__module__, url_prefix=self._url_prefix)
        if self._login_path is not None:
            views.add_url_rule(self._login_path, "login", parts.log_in, methods=["POST"])
        if self._logout_path is not None:
            views.add_url_rule(self._logout_path, "logout", parts.log_out, methods=_METHODS)
        app.register_blueprint(views)
        app.add_url_rule(
            # Paths are matched after their percent encoding is undone.
            unquote(flow.callback_path),
            "portier.callback",
            parts.callback,
            methods=_METHODS,
            provide_automatic_options=False,
            merge_slashes=False,
        )
        # Other extensions may be initialized later than this one.
        parts.request_started.connect(parts.meet_companions, app)

    def _parts(self) -> Parts:
        raise NotImplementedError

    def _runnable(self, app: AnyApp, hook: Hook) -> Hook:
        """Return a hook in a form that the extension can run."""
        raise NotImplementedError

    def _accepting(self, app: AnyApp, hook: Hook) -> Hook:
        """Return the option ``accept`` in a form that the flow can run."""
        return hook


class NewSession:
    """A session that begins with a login. The one before continues if signing in fails."""

    def __init__(self, session: MutableMapping[str, Any], interface: object, email: str) -> None:
        self._session, self._interface, self._email = session, interface, email
        self._before = dict(session)
        session.clear()
        if self._before.get(_PERMANENT):
            session[_PERMANENT] = True
        session[EMAIL] = email

    def keep(self) -> object:
        """Give a session on the server a new id; return what must be awaited, if it can be."""
        # The hook may have cleared the session. That of Flask-Session keeps its id while empty.
        self._session[EMAIL] = self._email
        regenerate = getattr(self._interface, "regenerate", None)
        return None if regenerate is None else regenerate(self._session)

    def undo(self) -> None:
        """Continue the session before."""
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
    if session is not None and session.renewal is not None:
        name = session.renewal.partition("=")[0]
        if not any(cookie.startswith(f"{name}=") for cookie in headers.getlist("Set-Cookie")):
            headers.add("Set-Cookie", session.renewal)


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


def _under(root: str, client: BaseClient) -> dict[str, Any]:
    """Return the paths of an application that is mounted at a path, which the server removes."""
    root = root.rstrip("/")
    if not root:
        return {}
    options = {"login_url": f"{root}/", "default_next": f"{root}/"}
    path = urlsplit(client.redirect_uri).path
    if path.startswith(f"{root}/"):
        options["callback_path"] = path.removeprefix(root)
    return options


def _error(fact: str, name: str) -> ConfigError:
    return ConfigError(f"{fact} setting={_PREFIX}{name.upper()}", code="invalid_option")
