"""Log people in from a Quart site.

An extension makes a login. The site adds a page with the login form::

    from quart import Quart

    from portier_client.quart import Portier

    app = Quart(__name__)
    app.config.from_prefixed_env()  # QUART_SECRET_KEY, QUART_PORTIER_REDIRECT_URI
    portier = Portier(app)

    @app.get("/")
    async def index() -> str:
        return '<form method="post" action="/login"><input name="email"><button>Sign in</button>'

    @app.get("/members")
    @portier.login_required
    async def members() -> str:
        return f"You are {await portier.email}."

The form posts ``email`` and, optionally, ``next``. A login begins a new session of Quart, with the
address in it; ``POST /logout`` ends it. With the option ``secret``, the extension uses a sealed
cookie of its own in place of Quart's session.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import sys
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, ParamSpec, TypeVar, cast

from blinker import NamedSignal, Namespace
from quart import (
    Blueprint,
    Quart,
    Request,
    Response,
    Websocket,
    abort,
    current_app,
    g,
    has_request_context,
    request,
    request_started,
    session,
    websocket,
)
from quart.sessions import SecureCookieSessionInterface
from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestTimeout

from . import Client, Login
from ._face import Hook, answer
from ._flask import EMAIL, BasePortier, NewSession, Parts, Site, add_renewal, exempt
from .web import MAX_FORM_BYTES, LoginFlow, Session, Step, WebRequest

__all__ = ["Portier", "portier_logged_in", "portier_logged_out"]

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

_SESSION = "portier.session"
_signals = Namespace()

portier_logged_in = _signals.signal("portier-logged-in")
"""Sent when somebody has signed in, with ``login``. If a receiver raises, nobody is signed in."""

portier_logged_out = _signals.signal("portier-logged-out")
"""Sent when somebody signs out, before the session ends."""


class Portier(BasePortier[Quart, Client]):
    """The extension. One object may serve several applications.

    ``app``
        The application. Without it, call :meth:`init_app` later.
    ``client``
        The :class:`~portier_client.Client` to log in with. By default it is made of the settings
        ``PORTIER_REDIRECT_URI``, ``PORTIER_BROKER``, ``PORTIER_STORE`` and so on, which are its
        options.
    ``on_login(login)``
        Runs when a login is complete, in a new session: for example to create the account, or to
        sign in with Quart-Auth. If it raises, or returns a response with a status of 400 or more,
        nobody is signed in.
    ``on_login_error(error)``, ``show_problem(problem)``, ``show_confirmation(confirmation)``
        The other hooks. A hook returns ``None`` or what a view may return; those that show pages
        may return the page as ``str``. Like views, hooks that are not ``async`` run in a thread.
    ``url_prefix``, ``login_path``, ``logout_path``
        The paths of the login form and of signing out, and a prefix of both. With ``None`` for a
        path, the site routes it itself. The redirect URI has a path of its own.
    ``**options``
        The options of :class:`portier_client.web.LoginFlow`, or as settings ``PORTIER_LOGIN_URL``
        and so on. Arguments take precedence.

    The extension is called ``portier`` in templates.
    """

    @property
    def flow(self) -> LoginFlow:
        """The flow of the current application."""
        return _site().flow

    @property
    async def email(self) -> str | None:
        """The address of the person who sends the current request, if signed in."""
        if not _site().has_cookie:
            return session.get(EMAIL)
        found = await self.session
        return found.email if found else None

    @property
    async def session(self) -> Session | None:
        """The session of the current request, with the option ``secret``."""
        scope = cast("dict[str, Any]", _current().scope)
        if _SESSION not in scope:
            scope[_SESSION] = await _site().flow.session(_head())
        return cast("Session | None", scope[_SESSION])

    def login_required(
        self, view: Callable[_Arguments, _Result]
    ) -> Callable[_Arguments, Awaitable[Any]]:
        """Decorate a view that needs somebody signed in; see :meth:`require_login`."""

        @functools.wraps(view)
        async def guarded(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> Any:
            refusal = await self.require_login()
            return refusal or await current_app.ensure_async(view)(*args, **kwargs)

        return guarded

    async def require_login(self) -> Response | None:
        """Return the answer to a person who is not signed in, or ``None``, for ``before_request``.

        A browser is redirected to the login page, with this page as ``next``. A script and a
        websocket get 401.
        """
        if await self.email is not None:
            return None
        if not has_request_context():
            abort(401)
        page = request.url.removeprefix(request.host_url.removesuffix("/"))
        return await _answer(_site().flow.require_login(_head(), page))

    async def start_login(self, email: str, next_page: str = "") -> Response:
        """Start a login from a form of another shape, which the site has read and checked."""
        try:
            starting = _site().flow.start(_head(), email, next_page)
        finally:
            # Error trackers keep the locals of frames.
            del email, next_page
        return await _answer(await starting)

    def _parts(self) -> Parts:
        return Parts(
            client=Client,
            flow=LoginFlow,
            blueprint=Blueprint,
            cookie_sessions=SecureCookieSessionInterface,
            request_started=request_started,
            log_in=_log_in,
            log_out=_log_out,
            callback=_callback,
            sign_in=_sign_in,
            renew=_renew,
            meet_companions=_meet_companions,
        )

    def _runnable(self, app: Quart, hook: Hook) -> Hook:
        return _responding(hook)


async def _log_in() -> Response:
    return await _answer(await _site().flow.login(await _facts()))


async def _callback() -> Response:
    step = await _site().flow.callback(await _facts())
    if step.session is not None:
        # The hook may ask who is signed in.
        cast("dict[str, Any]", request.scope)[_SESSION] = step.session
    return await _answer(step)


async def _log_out() -> Response:
    step = await _site().flow.logout(await _facts())
    if step.error is None:
        await _send(portier_logged_out)
        if not _site().has_cookie:
            session.clear()
        if "QUART_AUTH" in current_app.extensions:
            sys.modules["quart_auth"].logout_user()
    return await _answer(step)


async def _answer(step: Step) -> Response:
    return await answer(step, _site().hooks, _Responses())


async def _meet_companions(app: Quart, **_: object) -> None:
    exempt(app, _callback)
    request_started.disconnect(_meet_companions, app)


class _Responses:
    def respond(self, status: int, headers: list[tuple[str, str]], body: str) -> Response:
        return current_app.response_class(body, status, Headers(headers))

    def to_response(self, answer: object) -> Response:
        return (
            current_app.response_class(answer)
            if isinstance(answer, str)
            else cast("Response", answer)
        )

    def status(self, response: Response) -> int:
        return response.status_code

    def add_cookies(self, response: Response, cookies: Iterable[str]) -> None:
        for cookie in cookies:
            response.headers.add("Set-Cookie", cookie)


def _responding(hook: Hook) -> Hook:
    """Return a hook that returns a response, a page as ``str``, or ``None``."""

    async def run(subject: object) -> object:
        given = await current_app.ensure_async(hook)(subject)
        if inspect.isawaitable(given):
            given = await given
        if given is None or isinstance(given, str):
            return given
        return await current_app.make_response(given)

    return run


async def _sign_in(on_login: Hook | None, login: Login) -> object:
    new = None
    if not _site().has_cookie:
        new = NewSession(session, current_app.session_interface, login.email)
    is_signed_in = False
    try:
        given = None if on_login is None else await on_login(login)
        if given is None or isinstance(given, str) or given.status_code < 400:
            if new is not None and inspect.isawaitable(regenerating := new.keep()):
                await regenerating
            await _send(portier_logged_in, login=login)
            is_signed_in = True
        return given
    finally:
        if not is_signed_in:
            cast("dict[str, Any]", request.scope).pop(_SESSION, None)
            if new is not None:
                new.undo()


async def _send(signal: NamedSignal, **values: object) -> None:
    app = cast("Any", current_app)._get_current_object()
    await signal.send_async(app, _sync_wrapper=app.ensure_async, **values)


def _site() -> Site[LoginFlow]:
    return cast("Site[LoginFlow]", current_app.extensions["portier"])


def _current() -> Request | Websocket:
    return request if has_request_context() else websocket


def _head() -> WebRequest:
    current = _current()
    return WebRequest(current.method, current.headers)


async def _facts() -> WebRequest:
    body = b""
    try:
        async with asyncio.timeout(request.body_timeout):
            async for chunk in request.body:
                body += chunk
                if len(body) > MAX_FORM_BYTES:
                    break
    except TimeoutError:
        raise RequestTimeout from None
    return WebRequest(
        request.method,
        request.headers,
        body,
        query=request.query_string,
        form_token_checked=g.get("csrf_valid", False),
    )


async def _renew(response: Response) -> Response:
    scope = cast("dict[str, Any]", request.scope)
    add_renewal(response.headers, scope.get(_SESSION))
    return response
