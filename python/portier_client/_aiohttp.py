"""Keeps people signed in by aiohttp-session and aiohttp-security, where a site has them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Self, cast

from aiohttp import web

from .errors import ConfigError
from .web import Session

_EMAIL = "portier_email"

# Without such a key, aiohttp 3.14 warns.
SESSION: Any = getattr(web, "RequestKey", lambda name, _: name)("portier.session", Session)
"""The key of a sealed session in a request."""


class NewSession:
    """The session that begins with a login. Without `keep`, the earlier session continues.

    ``sealed`` is the session of the library's own cookie, which takes the place of the packages.
    """

    def __init__(self, request: web.Request, sealed: Session | None, email: str) -> None:
        self._request, self._sealed, self._email = request, sealed, email
        self._sessions = _sessions(request) if sealed is None else None
        self._before: Any = None
        self._is_kept = False

    async def __aenter__(self) -> Self:
        """Give the hook of the site a new session."""
        if self._sealed is not None:
            self._request[SESSION] = self._sealed
        if self._sessions is not None:
            self._before = await self._sessions.get_session(self._request)
            (await self._sessions.new_session(self._request))[_EMAIL] = self._email
        return self

    async def keep(self, response: web.StreamResponse) -> None:
        """Sign the person in with a response."""
        if self._sessions is not None:
            # The hook may have replaced the session.
            (await self._sessions.get_session(self._request))[_EMAIL] = self._email
            if not self._before.new:
                # On a server, the id from before would still be valid.
                self._before.invalidate()
                storage = self._request[self._sessions.STORAGE_KEY]
                await storage.save_session(self._request, response, self._before)
        security = None if self._sealed else _security(self._request.config_dict)
        if security is not None:
            await security.remember(self._request, response, self._email)
        self._is_kept = True

    async def __aexit__(self, *_: object) -> None:
        """Restore the earlier session, under another id, unless the new one is kept."""
        if self._is_kept:
            return
        self._request.pop(SESSION, None)
        if self._sessions is not None:
            session = await self._sessions.get_session(self._request)
            session.invalidate()
            session.update(self._before)


def check_sessions(app: web.Application) -> None:
    """Raise an error unless one of the packages is set up on an application."""
    names = {getattr(middleware, "__module__", None) for middleware in app.middlewares}
    if _security(app) is None and "aiohttp_session" not in names:
        raise ConfigError(
            "nothing keeps people signed in: give the option secret or on_login, or set up "
            "aiohttp-session or aiohttp-security",
            code="invalid_option",
        )


async def remembered(request: web.Request) -> str | None:
    """Return the address, or what the site's `authorized_userid` returns for it."""
    security, sessions = _security(request.config_dict), _sessions(request)
    if security is not None:
        return cast("str | None", await security.authorized_userid(request))
    if sessions is None:
        raise RuntimeError(
            "nothing keeps people signed in: give the option secret, or set up aiohttp-session or "
            "aiohttp-security"
        )
    return cast("str | None", (await sessions.get_session(request)).get(_EMAIL))


async def forget(request: web.Request, response: web.StreamResponse) -> None:
    """Sign the person out with a response."""
    security, sessions = _security(request.config_dict), _sessions(request)
    if security is not None:
        await security.forget(request, response)
    if sessions is not None:
        (await sessions.get_session(request)).invalidate()


def _security(config: Mapping[Any, Any]) -> ModuleType | None:
    # An application that uses a package has imported it.
    module = sys.modules.get("aiohttp_security")
    return module if module is not None and module.api.IDENTITY_KEY in config else None


def _sessions(request: web.Request) -> ModuleType | None:
    module = sys.modules.get("aiohttp_session")
    return module if module is not None and module.STORAGE_KEY in request else None
