"""Keeps people signed in by aiohttp-session and aiohttp-security, where a site has them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any, cast

from aiohttp import web

_EMAIL = "portier_email"


class NewSession:
    """A session that begins with a login. The one before continues if signing in fails."""

    def __init__(self, request: web.Request, email: str) -> None:
        self._request, self._email = request, email
        self._sessions = _sessions(request)
        self._before: Any = None

    async def begin(self) -> None:
        """Give the hook of the site a new session of aiohttp-session."""
        if self._sessions is not None:
            self._before = await self._sessions.get_session(self._request)
            (await self._sessions.new_session(self._request))[_EMAIL] = self._email

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
        security = _security(self._request.config_dict)
        if security is not None:
            await security.remember(self._request, response, self._email)

    async def undo(self) -> None:
        """Continue the session before, under another id."""
        if self._sessions is not None:
            session = await self._sessions.get_session(self._request)
            session.invalidate()
            session.update(self._before)


def keeps_people(app: web.Application) -> bool:
    """Whether one of the packages is set up on an application."""
    names = {getattr(middleware, "__module__", None) for middleware in app.middlewares}
    return _security(app) is not None or "aiohttp_session" in names


async def remembered(request: web.Request) -> str | None:
    """Return the address, or what the policy of the site makes of it."""
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
