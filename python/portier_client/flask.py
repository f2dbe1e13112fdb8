"""Log people in from a Flask site.

The extension adds the routes of a login. The site adds a page with the login form::

    from flask import Flask

    from portier_client.flask import Portier

    app = Flask(__name__)
    app.config.from_prefixed_env()  # FLASK_SECRET_KEY, FLASK_PORTIER_REDIRECT_URI
    portier = Portier(app)

    @app.get("/")
    def index() -> str:
        return '<form method="post" action="/login"><input name="email"><button>Sign in</button>'

    @app.get("/members")
    @portier.login_required
    def members() -> str:
        return f"You are {portier.email}."

The form posts ``email`` and, optionally, ``next``. A login begins a new session of Flask, with the
address in it; ``POST /logout`` ends it. With the option ``secret``, the extension uses a sealed
cookie of its own in place of Flask's session.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from flask import Blueprint, Flask, Response, current_app, request, request_started, session
from flask.sessions import SecureCookieSessionInterface

from . import Login
from ._face import Hook, answer_blocking
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
from ._flask_http import Responses, facts, head
from .blocking import Client, LoginFlow
from .web import Session, Step

__all__ = ["Portier", "portier_logged_in", "portier_logged_out"]

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


class Portier(BasePortier[Flask, Client, LoginFlow]):
    """The extension. One object may serve several applications.

    ``app``
        The application. Without it, call :meth:`init_app` later.
    ``client``
        The client to log in with, from :mod:`portier_client.blocking`. By default it is made of the
        settings ``PORTIER_REDIRECT_URI``, ``PORTIER_BROKER``, ``PORTIER_STORE`` and so on, which
        are the options of :class:`portier_client.Client`.
    ``on_login(login)``
        Runs when a login is complete, in a new session: for example to create the account, or to
        sign in with Flask-Login. If it raises, or returns a response with a status of 400 or more,
        nobody is signed in.
    ``on_login_error(error)``, ``show_problem(problem)``, ``show_confirmation(confirmation)``
        The other hooks. A hook returns ``None`` or what a view may return; those that show pages
        may return the page as ``str``. With ``flask[async]``, hooks may be ``async``.
    ``url_prefix``, ``login_path``, ``logout_path``, ``health_path``
        The paths of the login form and of signing out, and a prefix of both. With ``None`` for a
        path, the site routes it itself. The redirect URI has a path of its own.
    ``**options``
        The options of :class:`portier_client.web.LoginFlow`, or as settings ``PORTIER_LOGIN_URL``
        and so on. Arguments take precedence.

    The extension is called ``portier`` in templates.
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
    def email(self) -> str | None:
        """The address of the person who sends the current request, if signed in."""
        if not self._site.has_cookie:
            return session.get(EMAIL)
        return self.session.email if self.session else None

    @property
    def session(self) -> Session | None:
        """The session of the current request, with the option ``secret``."""
        if SESSION not in request.environ:
            request.environ[SESSION] = self.flow.session(head())
        return cast("Session | None", request.environ[SESSION])

    def login_required(self, view: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
        """Decorate a view that needs somebody signed in; see :meth:`require_login`."""

        @functools.wraps(view)
        def guarded(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> Any:
            return self.require_login() or current_app.ensure_sync(view)(*args, **kwargs)

        return guarded

    def require_login(self) -> Response | None:
        """Return the answer to a person who is not signed in, or ``None``, for ``before_request``.

        A browser is redirected to the login page, with this page as ``next``. A script gets 401.
        """
        return None if self.email is not None else self.refuse()

    def refuse(self) -> Response:
        """Return the answer to a person who is not signed in, for code of your own."""
        page = request.url.removeprefix(request.host_url.removesuffix("/"))
        return self._answer(self.flow.require_login(head(), page))

    def start_login(self, email: str, next_page: str = "") -> Response:
        """Start a login from a form of another shape, which the site has read and checked."""
        try:
            return self._answer(self.flow.start(head(), email, next_page))
        finally:
            # Error trackers keep the locals of frames.
            del email, next_page

    def _runnable(self, app: Flask, hook: Hook) -> Hook:
        return app.ensure_sync(hook)

    _accepting = _runnable

    def _log_in(self) -> Response:
        return self._answer(self.flow.login(facts()))

    def _callback(self) -> Response:
        step = self.flow.callback(facts())
        if step.session is not None:
            # The hook may ask who is signed in.
            request.environ[SESSION] = step.session
        return self._answer(step)

    def _log_out(self) -> Response:
        step = self.flow.logout(facts())
        if step.error is None:
            portier_logged_out.send(_app())
            if not self._site.has_cookie:
                session.clear()
            if hasattr(current_app, "login_manager"):
                # Otherwise its own cookie would sign the person in again.
                sys.modules["flask_login"].logout_user()
        return self._answer(step)

    def _health(self) -> Response:
        return self._answer(self.flow.health(facts()))

    def _meet_companions(self, app: Flask, **_: object) -> None:
        exempt(app, self._callback)
        if hasattr(app, "login_manager"):
            sys.modules["flask_login"].user_logged_out.connect(_forget, app)
        request_started.disconnect(self._meet_companions, app)

    def _sign_in(self, on_login: Hook | None, login: Login) -> Response | None:
        kept = None if self._site.has_cookie else session
        interface = current_app.session_interface
        with NewSession(request.environ, kept, interface, login.email) as new:
            given = None if on_login is None else on_login(login)
            response = None if given is None else current_app.make_response(given)
            if response is None or response.status_code < 400:
                new.keep()
                portier_logged_in.send(_app(), login=login)
                new.is_signed_in = True
            return response

    def _renew(self, response: Response) -> Response:
        add_renewal(response.headers, request.environ.get(SESSION))
        return response

    def _answer(self, step: Step) -> Response:
        return answer_blocking(step, self._site.hooks, Responses())


def _app() -> Flask:
    return cast("Flask", cast("Any", current_app)._get_current_object())


def _forget(app: Flask, **_: object) -> None:
    session.pop(EMAIL, None)
