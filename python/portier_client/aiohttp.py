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
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar, Unpack, cast
from urllib.parse import urlsplit

from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from . import Client, PortierError
from ._aiohttp import NewSession, forget, keeps_people, remembered
from ._face import FlowOptions, Hook, Hooks, answer, check_paths
from .errors import ConfigError
from .web import MAX_FORM_BYTES, LoginFlow, Session, Step, WebRequest

__all__ = ["PORTIER", "Portier", "require_login", "setup"]

_Arguments = ParamSpec("_Arguments")
_Response = TypeVar("_Response", bound=web.StreamResponse)

# Without such a key, aiohttp 3.14 warns.
_SESSION: Any = getattr(web, "RequestKey", lambda name, _: name)("portier.session", Session)


def setup(
    app: web.Application,
    client: Client | str,
    *,
    on_login: Hook | None = None,
    on_login_error: Hook | None = None,
    show_problem: Hook | None = None,
    show_confirmation: Hook | None = None,
    login_path: str | None = "/login",
    logout_path: str | None = "/logout",
    **options: Unpack[FlowOptions],
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
    ``login_path``, ``logout_path``
        The paths of the login form and of signing out. ``None``: no path.
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
    hooks = Hooks(
        on_login=on_login,
        on_login_error=on_login_error,
        show_problem=show_problem,
        show_confirmation=show_confirmation,
        has_sessions=True,
    )
    portier = Portier(client, hooks, **options)
    check_paths(
        callback_path=portier.flow.callback_path, login_path=login_path, logout_path=logout_path
    )
    app[PORTIER] = portier
    app.cleanup_ctx.append(portier._run)
    app.on_response_prepare.append(_renew)
    # Paths are matched after their percent encoding is undone.
    callback = web.PlainResource(URL(portier.flow.callback_path, encoded=True).path_safe)
    callback.add_route("*", portier._callback)
    app.router.register_resource(callback)
    if login_path is not None:
        app.router.add_post(login_path, portier._log_in)
    if logout_path is not None:
        app.router.add_route("*", logout_path, portier._log_out)
    return portier


class Portier:
    """The login of an application; ``app[PORTIER]`` and ``request.config_dict[PORTIER]``."""

    def __init__(self, client: Client | str, hooks: Hooks, **options: Unpack[FlowOptions]) -> None:
        """See :func:`setup`, which calls it."""
        self._made = Client(client) if isinstance(client, str) else None
        self._has_cookie = options.get("secret") is not None
        self.flow = LoginFlow(self._made or cast("Client", client), **options)
        """The flow that answers the requests."""
        self._has_hook = hooks.on_login is not None
        self._hooks = hooks.wrapped(_responding)
        path = urlsplit(self.flow.client.redirect_uri).path
        self._prefix = path.removesuffix(self.flow.callback_path) if path != "/" else ""

    async def email(self, request: web.Request) -> str | None:
        """Return the address of the person who sends a request, if signed in.

        With aiohttp-security, it is the result of ``authorized_userid``.
        """
        if self._has_cookie:
            session = await self.session(request)
            return session.email if session else None
        return await remembered(request)

    async def session(self, request: web.Request) -> Session | None:
        """Return the session of the person who sends a request, with the option ``secret``."""
        if _SESSION not in request:
            request[_SESSION] = await self.flow.session(_head(request))
        return cast("Session | None", request[_SESSION])

    async def refuse(self, request: web.Request) -> web.StreamResponse:
        """Answer a request for a page that needs a login, of somebody who is not signed in.

        A browser is redirected to the login page, with this page as ``next``. A script gets 401.
        """
        page = request.raw_path
        if not page.startswith(f"{self._prefix}/"):
            # A proxy has removed the prefix.
            page = f"{self._prefix}{page}"
        return await self._answer(request, self.flow.require_login(_head(request), page))

    async def start_login(
        self, request: web.Request, email: str, next_page: str = ""
    ) -> web.StreamResponse:
        """Start a login from a form of another shape, which the site has read and checked."""
        try:
            starting = self.flow.start(_head(request), email, next_page)
        finally:
            # Error trackers keep the locals of frames.
            del email, next_page
        return await self._answer(request, await starting)

    async def _log_in(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, await self.flow.login(await _facts(request)))

    async def _callback(self, request: web.Request) -> web.StreamResponse:
        step = await self.flow.callback(await _facts(request))
        if step.login is None:
            return await self._answer(request, step)
        # The hook may ask who is signed in.
        new = None if self._has_cookie else NewSession(request, step.login.email)
        if new is None:
            request[_SESSION] = step.session
        else:
            await new.begin()
        is_signed_in = False
        try:
            response = await self._answer(request, step)
            if response.status < 400:
                if new is not None:
                    await new.keep(response)
                is_signed_in = True
            return response
        finally:
            if not is_signed_in:
                request.pop(_SESSION, None)
                if new is not None:
                    await new.undo()

    async def _log_out(self, request: web.Request) -> web.StreamResponse:
        step = await self.flow.logout(await _facts(request))
        response = await self._answer(request, step)
        if step.error is None and not self._has_cookie:
            await forget(request, response)
        return response

    async def _answer(self, request: web.Request, step: Step) -> web.StreamResponse:
        return await answer(step, self._hooks, _Responses(), request)

    async def _run(self, app: web.Application) -> AsyncIterator[None]:
        if not (self._has_cookie or self._has_hook or keeps_people(app)):
            raise ConfigError(
                "nothing keeps people signed in: give the option secret or on_login, or set up "
                "aiohttp-session or aiohttp-security",
                code="invalid_option",
            )
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


class _Responses:
    def respond(self, status: int, headers: list[tuple[str, str]], body: str) -> web.StreamResponse:
        return web.Response(status=status, headers=CIMultiDict(headers), body=body.encode())

    def to_response(self, answer: object) -> web.StreamResponse:
        if not isinstance(answer, web.StreamResponse):
            raise TypeError(
                f"a hook must return None or a response of aiohttp, not {type(answer).__name__}"
            )
        return answer

    def status(self, response: web.StreamResponse) -> int:
        return response.status

    def add_cookies(self, response: web.StreamResponse, cookies: Iterable[str]) -> None:
        for cookie in cookies:
            response.headers.add("Set-Cookie", cookie)


def _responding(hook: Hook) -> Hook:
    """Return a hook that returns a redirect which the site's hook has raised."""

    async def run(request: web.Request, subject: object) -> object:
        try:
            given = hook(request, subject)
            return await given if inspect.isawaitable(given) else given
        except web.HTTPException as raised:
            if raised.status >= 400:
                raise
            return web.Response(status=raised.status, headers=raised.headers, body=raised.body)

    return run


def _head(request: web.Request) -> WebRequest:
    return WebRequest(request.method, request.headers)


async def _facts(request: web.Request) -> WebRequest:
    try:
        body: bytes | None = await _read(request)
    except web.RequestPayloadError:
        # It is not compressed as its header says.
        body = None
    return WebRequest(request.method, request.headers, body, query=request.rel_url.raw_query_string)


async def _read(request: web.Request) -> bytes:
    body = b""
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            break
    # A middleware may have read it before.
    return body or await request.read()


async def _renew(request: web.Request, response: web.StreamResponse) -> None:
    renewal = getattr(request.get(_SESSION), "renewal", None)
    if renewal is not None:
        name = renewal.partition("=")[0]
        cookies = response.headers.getall("Set-Cookie", [])
        # The response may end the session, or start another one.
        if not any(cookie.startswith(f"{name}=") for cookie in cookies):
            response.headers.add("Set-Cookie", renewal)


PORTIER: web.AppKey[Portier] = web.AppKey("portier", Portier)
"""The key of the :class:`Portier` of an application."""
