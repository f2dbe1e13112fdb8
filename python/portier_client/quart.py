"""Log people in from a Quart site.

The extension adds the routes of a login. The site adds a page with the login form::

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

import functools
import inspect
import sys
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar, cast

from quart import (
    Blueprint,
    Quart,
    Response,
    abort,
    current_app,
    has_request_context,
    request,
    request_started,
    session,
)
from quart.sessions import SecureCookieSessionInterface

from . import Client, Login
from ._face import Hook, answer
from ._flask import (
    EMAIL,
    SESSION,
    BasePortier,
    NewSession,
    add_renewal,
    exempt,
    portier_logged_in,
    portier_logged_out,
)
from ._quart_http import Responses, facts, head, responding, scope_of_request, send
from .web import LoginFlow, Session, Step

__all__ = ["Portier", "portier_logged_in", "portier_logged_out"]

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class Portier(BasePortier[Quart, Client, LoginFlow]):
    """The extension. One object may serve several applications.

    Arguments and settings are those of :class:`portier_client.flask.Portier`, with two differences:

    ``client``
        A :class:`~portier_client.Client`, whose calls are awaited.
    Hooks
        Like views, hooks that are not ``async`` run in a thread.
    """

    _client_kind = Client
    _flow_kind = LoginFlow
    _blueprint_kind = Blueprint
    _cookie_sessions = SecureCookieSessionInterface
    _request_started = request_started

    @staticmethod
    def _current_extensions() -> dict[str, Any]:
        return current_app.extensions

    @property
    async def email(self) -> str | None:
        """The address of the person who sends the current request, if signed in."""
        if not self._site.has_cookie:
            return session.get(EMAIL)
        found = await self.session
        return found.email if found else None

    @property
    async def session(self) -> Session | None:
        """The session of the current request, with the option ``secret``."""
        scope = scope_of_request()
        if SESSION not in scope:
            scope[SESSION] = await self.flow.session(head())
        return cast("Session | None", scope[SESSION])

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
        return await self.refuse()

    async def refuse(self) -> Response:
        """Return the answer to a person who is not signed in, for code of your own."""
        page = request.url.removeprefix(request.host_url.removesuffix("/"))
        return await self._answer(self.flow.require_login(head(), page))

    async def start_login(self, email: str, next_page: str = "") -> Response:
        """Start a login from a form of another shape, which the site has read and checked."""
        try:
            starting = self.flow.start(head(), email, next_page)
        finally:
            # Error trackers keep the locals of frames.
            del email, next_page
        return await self._answer(await starting)

    def _runnable(self, app: Quart, hook: Hook) -> Hook:
        return responding(hook)

    async def _log_in(self) -> Response:
        return await self._answer(await self.flow.login(await facts()))

    async def _callback(self) -> Response:
        step = await self.flow.callback(await facts())
        if step.session is not None:
            # The hook may ask who is signed in.
            scope_of_request()[SESSION] = step.session
        return await self._answer(step)

    async def _log_out(self) -> Response:
        step = await self.flow.logout(await facts())
        if step.error is None:
            await send(portier_logged_out)
            if not self._site.has_cookie:
                session.clear()
            if "QUART_AUTH" in current_app.extensions:
                sys.modules["quart_auth"].logout_user()
        return await self._answer(step)

    async def _health(self) -> Response:
        return await self._answer(await self.flow.health(await facts()))

    async def _meet_companions(self, app: Quart, **_: object) -> None:
        exempt(app, self._callback)
        request_started.disconnect(self._meet_companions, app)

    async def _sign_in(self, on_login: Hook | None, login: Login) -> object:
        kept = None if self._site.has_cookie else session
        interface = current_app.session_interface
        with NewSession(scope_of_request(), kept, interface, login.email) as new:
            given = None if on_login is None else await on_login(login)
            if given is None or isinstance(given, str) or given.status_code < 400:
                if inspect.isawaitable(regenerating := new.keep()):
                    await regenerating
                await send(portier_logged_in, login=login)
                new.is_signed_in = True
            return given

    async def _renew(self, response: Response) -> Response:
        add_renewal(response.headers, scope_of_request().get(SESSION))
        return response

    async def _answer(self, step: Step) -> Response:
        return await answer(step, self._site.hooks, Responses())
