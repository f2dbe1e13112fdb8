"""Log people in from an aiohttp site.

The site adds a page with the login form, which posts ``email`` and, optionally, ``next``::

    import os

    from aiohttp import web

    from portier_client import Client
    from portier_client.aiohttp import PORTIER, require_login, setup

    async def index(request: web.Request) -> web.Response:
        form = '<form method="post" action="/login"><input name="email"><button>Sign in</button>'
        return web.Response(text=form, content_type="text/html")

    @require_login
    async def members(request: web.Request) -> web.Response:
        email = await request.config_dict[PORTIER].email(request)
        return web.Response(text=f"You are {email}.")

    app = web.Application()
    app.add_routes([web.get("/", index), web.get("/members", members)])
    setup(app, Client("https://example.com/verify"), secret=os.urandom(32))

``secret`` keeps people signed in by a sealed cookie. Without it, the address is kept by
aiohttp-security or aiohttp-session, if one of them is set up on the application.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar, Unpack, cast

from aiohttp import web
from yarl import URL

from . import Client, PortierError
from ._aiohttp import SESSION, NewSession, check_sessions, forget, remembered
from ._aiohttp_http import Responses, facts, head, responding
from ._face import Site, SiteOptions, answer, due_renewal
from .web import LoginFlow, Session, Step

__all__ = ["PORTIER", "Portier", "require_login", "setup"]

_Arguments = ParamSpec("_Arguments")
_Response = TypeVar("_Response", bound=web.StreamResponse)


def setup(
    app: web.Application,
    client: Client | str,
    **options: Unpack[SiteOptions],
) -> Portier:
    """Add the routes of a login to an application.

    ``client``
        The :class:`~portier_client.Client` to log in with. In place of one, the redirect URI: then
        the application makes a client, and closes it when it ends.
    ``on_login(request, login)``
        Runs when a login is complete, for example to create the account. In a site with
        aiohttp-session, the session is a new one. If it raises, or returns a response with a status
        of 400 or more, nobody is signed in.
    ``on_login_error(request, error)``
        Handles a failed login.
    ``show_problem(request, problem)``, ``show_confirmation(request, confirmation)``
        Return a page in the design of the site, as ``str``.
    ``login_path``, ``logout_path``, ``health_path``
        The paths of the login form, of signing out and of health checks. ``None``: no path, which
        is the default of ``health_path``.
    ``options``
        Those of :class:`~portier_client.web.LoginFlow`, with the same names. In an application that
        is added to another one, ``callback_path`` is the path below its prefix.

    Hooks may be ``async``. Each may return a response, or raise one.

    The documents of the broker are fetched when the application starts. ``app[PORTIER]`` is the
    returned object.

    Raises :class:`ConfigError` (``invalid_option``) for an invalid value, ``TypeError`` for a wrong
    type. Without a ``secret``, an ``on_login``, aiohttp-security and aiohttp-session, the
    application does not start.
    """
    portier = Portier(client, **options)
    app[PORTIER] = portier
    app.cleanup_ctx.append(portier._run)
    app.on_response_prepare.append(_renew)
    # Paths are matched after their percent encoding is undone.
    callback = web.PlainResource(URL(portier.flow.callback_path, encoded=True).path_safe)
    callback.add_route("*", portier._callback)
    app.router.register_resource(callback)
    site = portier._site
    for method, path, handler in (
        ("POST", site.login_path, portier._log_in),
        ("*", site.logout_path, portier._log_out),
        ("*", site.health_path, portier._health),
    ):
        if path is not None:
            app.router.add_route(method, path, handler)
    return portier


class Portier:
    """The login of an application; ``app[PORTIER]`` and ``request.config_dict[PORTIER]``."""

    def __init__(self, client: Client | str, **options: Unpack[SiteOptions]) -> None:
        """See :func:`setup`, which calls it."""
        self._made = Client(client) if isinstance(client, str) else None
        self._site = Site(LoginFlow, self._made or client, options, keeps_people=True)
        self.flow = self._site.flow
        """The flow that answers the requests."""
        self._hooks = self._site.hooks.wrapped(responding)

    async def email(self, request: web.Request) -> str | None:
        """Return the address of the person who sends a request, if signed in.

        With aiohttp-security, it is the result of ``authorized_userid``.
        """
        if self._site.has_cookie:
            session = await self.session(request)
            return session.email if session else None
        return await remembered(request)

    async def session(self, request: web.Request) -> Session | None:
        """Return the session of the person who sends a request, with the option ``secret``."""
        if SESSION not in request:
            request[SESSION] = await self.flow.session(head(request))
        return cast("Session | None", request[SESSION])

    async def refuse(self, request: web.Request) -> web.StreamResponse:
        """Answer a request for a page that needs a login, of somebody who is not signed in.

        A browser is redirected to the login page, with this page as ``next``. A script gets 401.
        """
        step = self.flow.require_login(head(request), request.raw_path)
        return await self._answer(request, step)

    async def start_login(
        self, request: web.Request, email: str, next_page: str = ""
    ) -> web.StreamResponse:
        """Start a login from a form of another shape, which the site has read and checked."""
        try:
            starting = self.flow.start(head(request), email, next_page)
        finally:
            # Error trackers keep the locals of frames.
            del email, next_page
        return await self._answer(request, await starting)

    async def _log_in(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, await self.flow.login(await facts(request)))

    async def _callback(self, request: web.Request) -> web.StreamResponse:
        step = await self.flow.callback(await facts(request))
        if step.login is None:
            return await self._answer(request, step)
        async with NewSession(request, step.session, step.login.email) as new:
            response = await self._answer(request, step)
            if response.status < 400:
                await new.keep(response)
            return response

    async def _log_out(self, request: web.Request) -> web.StreamResponse:
        step = await self.flow.logout(await facts(request))
        response = await self._answer(request, step)
        if step.error is None and not self._site.has_cookie:
            await forget(request, response)
        return response

    async def _health(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, await self.flow.health(await facts(request)))

    async def _answer(self, request: web.Request, step: Step) -> web.StreamResponse:
        return await answer(step, self._hooks, Responses(), request)

    async def _run(self, app: web.Application) -> AsyncIterator[None]:
        if not (self._site.has_cookie or self._hooks.on_login):
            check_sessions(app)
        # A login does it as well, and reports problems.
        warming = asyncio.ensure_future(self.flow.client.warm())
        yield
        warming.cancel()
        with suppress(asyncio.CancelledError, PortierError):
            await warming
        if self._made is not None:
            await self._made.aclose()


def require_login(
    handler: Callable[_Arguments, Awaitable[_Response]],
) -> Callable[_Arguments, Awaitable[_Response]]:
    """Decorate a handler that needs somebody signed in: a function, or a method of a view.

    Browsers are redirected to the login page, and then back. Scripts get the problem
    ``not_signed_in`` (401).
    """

    @functools.wraps(handler)
    async def guarded(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> Any:
        given = cast("Any", args[-1])
        request: web.Request = given.request if isinstance(given, web.View) else given
        portier = request.config_dict[PORTIER]
        if await portier.email(request) is None:
            return await portier.refuse(request)
        return await handler(*args, **kwargs)

    return guarded


async def _renew(request: web.Request, response: web.StreamResponse) -> None:
    cookies = response.headers.getall("Set-Cookie", [])
    for cookie in due_renewal(request.get(SESSION), cookies):
        response.headers.add("Set-Cookie", cookie)


PORTIER: web.AppKey[Portier] = web.AppKey("portier", Portier)
"""The key of the :class:`Portier` of an application."""
