"""What the integrations with Flask and Quart have in common: settings and sessions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from flask.sansio.app import App
from werkzeug.datastructures import Headers

from ._base import BaseClient
from ._face import FlowOptions
from .errors import ConfigError
from .web import Session

EMAIL = "portier_email"
"""The key of the address in the framework's session."""

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")

_PERMANENT = "_permanent"
_PREFIX = "PORTIER_"
_OF_FLOW = FlowOptions.__annotations__.keys()
# `flow` and `secret` are options of the flow as well, and mean more there.
_OF_CLIENT = {"redirect_uri", *(BaseClient.__init__.__kwdefaults__ or {})} - _OF_FLOW

_Client = TypeVar("_Client", bound=BaseClient)


def configure(
    app: App,
    kind: type[_Client],
    client: _Client | None,
    arguments: Mapping[str, Any],
) -> tuple[_Client, dict[str, Any]]:
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
        client = kind(**of_client)
    else:
        for name in of_client:
            raise _error("the client was given, so its options cannot be set as well", name)
    options = {name: given[name] for name in _OF_FLOW & given.keys()}
    return client, {**_under(app.config["APPLICATION_ROOT"], client), **options, **arguments}


def rule_for(callback_path: str) -> str:
    """Return the routing rule for a path, which is matched after its percent encoding is undone."""
    return unquote(callback_path)


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


def check_secret_key(app: App) -> None:
    """Require the key of the framework's session cookie."""
    if not app.secret_key:
        raise ConfigError(
            "the application has no SECRET_KEY, which its sessions need; set it before the "
            "extension is initialized, or give the option secret",
            code="invalid_option",
        )


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
