"""Log people in from a Flask site.

An extension makes a login. The site adds a page with the login form::

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
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, TypeVar, cast

from flask import Blueprint, Flask, Response, current_app, g, request, request_started, session
from flask.sessions import SecureCookieSessionInterface

from . import Login
from ._face import Hook, Site, answer_blocking
from ._flask import (
    EMAIL,
    BasePortier,
    NewSession,
    add_renewal,
    exempt,
    portier_logged_in,
    portier_logged_out,
)
from .blocking import Client, LoginFlow
from .web import MAX_FORM_BYTES, Session, Step, WebRequest

__all__ = ["Portier", "portier_logged_in", "portier_logged_out"]

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

_SESSION = "portier.session"


class Portier(BasePortier[Flask, Client]):
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

    @property
    def flow(self) -> LoginFlow:
        """The flow of the current application."""
        return _site().flow

    @property
    def email(self) -> str | None:
        """The address of the person who sends the current request, if signed in."""
        if not _site().has_cookie:
            return session.get(EMAIL)
        return self.session.email if self.session else None

    @property
    def session(self) -> Session | None:
        """The session of the current request, with the option ``secret``."""
        if _SESSION not in request.environ:
            request.environ[_SESSION] = _site().flow.session(_head())
        return cast("Session | None", request.environ[_SESSION])

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
        if self.email is not None:
            return None
        page = request.url.removeprefix(request.host_url.removesuffix("/"))
        return _answer(_site().flow.require_login(_head(), page))

    def start_login(self, email: str, next_page: str = "") -> Response:
        """Start a login from a form of another shape, which the site has read and checked."""
        try:
            return _answer(_site().flow.start(_head(), email, next_page))
        finally:
            # Error trackers keep the locals of frames.
            del email, next_page

    def _runnable(self, app: Flask, hook: Hook) -> Hook:
        return app.ensure_sync(hook)

    _accepting = _runnable

    def _log_in(self) -> Response:
        return _answer(self.flow.login(_facts()))

    def _callback(self) -> Response:
        step = self.flow.callback(_facts())
        if step.session is not None:
            # The hook may ask who is signed in.
            request.environ[_SESSION] = step.session
        return _answer(step)

    def _log_out(self) -> Response:
        step = self.flow.logout(_facts())
        if step.error is None:
            portier_logged_out.send(_app())
            if not _site().has_cookie:
                session.clear()
            if hasattr(current_app, "login_manager"):
                # Otherwise its own cookie would sign the person in again.
                sys.modules["flask_login"].logout_user()
        return _answer(step)

    def _health(self) -> Response:
        return _answer(self.flow.health(_facts()))

    def _meet_companions(self, app: Flask, **_: object) -> None:
        exempt(app, self._callback)
        if hasattr(app, "login_manager"):
            sys.modules["flask_login"].user_logged_out.connect(_forget, app)
        request_started.disconnect(self._meet_companions, app)

    def _sign_in(self, on_login: Hook | None, login: Login) -> Response | None:
        new = None
        if not _site().has_cookie:
            new = NewSession(session, current_app.session_interface, login.email)
        is_signed_in = False
        try:
            given = None if on_login is None else on_login(login)
            response = None if given is None else current_app.make_response(given)
            if response is None or response.status_code < 400:
                if new is not None:
                    new.keep()
                portier_logged_in.send(_app(), login=login)
                is_signed_in = True
            return response
        finally:
            if not is_signed_in:
                request.environ.pop(_SESSION, None)
                if new is not None:
                    new.undo()

    def _renew(self, response: Response) -> Response:
        add_renewal(response.headers, request.environ.get(_SESSION))
        return response


def _answer(step: Step) -> Response:
    return answer_blocking(step, _site().hooks, _Responses())


class _Responses:
    def respond(self, status: int, headers: list[tuple[str, str]], body: str) -> Response:
        return current_app.response_class(body, status, headers)

    def to_response(self, answer: object) -> Response:
        return current_app.make_response(cast("Any", answer))

    def status(self, response: Response) -> int:
        return response.status_code

    def add_cookies(self, response: Response, cookies: Iterable[str]) -> None:
        for cookie in cookies:
            response.headers.add("Set-Cookie", cookie)


def _app() -> Flask:
    return cast("Flask", cast("Any", current_app)._get_current_object())


def _site() -> Site[LoginFlow]:
    return cast("Site[LoginFlow]", current_app.extensions["portier"])


def _head() -> WebRequest:
    return WebRequest(request.method, request.headers)


def _facts() -> WebRequest:
    # A CSRF protection, or the site, may have read the form before.
    body = request.stream.read(MAX_FORM_BYTES + 1) or request.form
    return WebRequest(
        request.method,
        request.headers,
        body,
        query=request.query_string,
        form_token_checked=g.get("csrf_valid", False),
    )


def _forget(app: Flask, **_: object) -> None:
    session.pop(EMAIL, None)
