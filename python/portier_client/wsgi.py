"""Log people in from any WSGI application, with a middleware.

The middleware answers the login form and the redirect URI, and passes all other requests to the
application. With Bottle::

    import os

    from bottle import Bottle, request

    from portier_client.blocking import Client
    from portier_client.wsgi import PortierMiddleware, Visit

    site = Bottle()

    @site.get("/")
    def index():
        session = Visit.of(request.environ).session
        if session:
            return f"You are {session.email}."
        return '<form method="post" action="/login"><input name="email"><button>Sign in</button>'

    client = Client("https://example.com/verify")
    app = PortierMiddleware(site, client, secret=os.urandom(32))

For Flask there is :mod:`portier_client.flask`, and for Django :mod:`portier_client.django`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Unpack
from urllib.parse import quote, unquote_to_bytes
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from ._face import FlowOptions, Hook, Hooks, answer_blocking, check_paths
from .blocking import Client, LoginFlow
from .web import Session, Step, WebRequest

__all__ = ["FinishedResponse", "PortierMiddleware", "Visit"]

_KEY = "portier"


class PortierMiddleware:
    """Answers the requests of a login, and gives the application the session of each request.

    ``app``
        The application.
    ``client``
        The client to log in with, from :mod:`portier_client.blocking`. It is not closed here.
    ``on_login(environ, login)``
        Signs the person in. It may be left out if there is a ``secret``.
    ``on_login_error(environ, error)``
        Handles a failed login.
    ``show_problem(environ, problem)``, ``show_confirmation(environ, confirmation)``
        Return a page in the design of the site, as ``str``.
    ``login_path``
        The path to which login forms post; ``None``: no path.
    ``logout_path``
        The path to which forms for signing out post, with a ``secret``; ``None``: no path.
    ``options``
        Those of :class:`~portier_client.web.LoginFlow`, with the same names. ``secret`` turns
        sessions on.

    Each hook may return a response of its own, as a WSGI application, such as a response of
    Werkzeug, WebOb or Pyramid, or a :class:`FinishedResponse`.

    The callback is at the ``callback_path`` of the flow. Paths must match exactly. They are those
    below the ``SCRIPT_NAME`` of a request; the callback may also be at the whole path.

    ``environ["portier"]`` is the :class:`Visit` of the request.

    Raises :class:`ConfigError` (``invalid_option``) for an invalid value, ``TypeError`` for a wrong
    type.
    """

    def __init__(
        self,
        app: WSGIApplication,
        client: Client,
        *,
        on_login: Hook | None = None,
        on_login_error: Hook | None = None,
        show_problem: Hook | None = None,
        show_confirmation: Hook | None = None,
        login_path: str | None = "/login",
        logout_path: str | None = "/logout",
        **options: Unpack[FlowOptions],
    ) -> None:
        self._app = app
        has_sessions = options.get("secret") is not None
        self.flow = LoginFlow(client, **options)
        """The flow that answers the requests."""
        self._hooks = Hooks(
            on_login=on_login,
            on_login_error=on_login_error,
            show_problem=show_problem,
            show_confirmation=show_confirmation,
            has_sessions=has_sessions,
        )
        self._callback_path = unquote_to_bytes(self.flow.callback_path).decode("latin-1")
        self._login_path = login_path
        self._logout_path = logout_path if has_sessions else None
        check_paths(
            callback_path=self.flow.callback_path,
            login_path=self._login_path,
            logout_path=self._logout_path,
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        visit = environ[_KEY] = Visit(self.flow, self._hooks, environ)
        answering = self._answering(environ)
        if answering is None:
            return self._app(environ, visit.renewing(start_response))
        step = answering(WebRequest.from_environ(environ))
        return visit.respond(step)(environ, start_response)

    def _answering(self, environ: WSGIEnvironment) -> Callable[[WebRequest], Step] | None:
        """Return what answers a request, if it is not for the application."""
        path: str = environ.get("PATH_INFO", "")
        if self._callback_path in {path, environ.get("SCRIPT_NAME", "") + path}:
            return self.flow.callback
        if path == self._login_path and environ["REQUEST_METHOD"] == "POST":
            return self.flow.login
        return self.flow.logout if path == self._logout_path else None


class Visit:
    """What a request has to do with logins; ``environ["portier"]``."""

    __slots__ = ("_environ", "_flow", "_hooks", "_session")

    def __init__(self, flow: LoginFlow, hooks: Hooks, environ: WSGIEnvironment) -> None:
        self._flow, self._hooks, self._environ = flow, hooks, environ

    @classmethod
    def of(cls, environ: WSGIEnvironment) -> Visit:
        """Return the visit of a request, which is ``environ["portier"]``."""
        visit: Visit | None = environ.get(_KEY)
        if visit is None:
            raise RuntimeError("the middleware is missing: serve the PortierMiddleware")
        return visit

    @property
    def session(self) -> Session | None:
        """The session of the person who sends the request."""
        if not hasattr(self, "_session"):
            self._session = self._flow.session(self._head())
        return self._session

    def require_login(self) -> FinishedResponse:
        """Return the response for a page that needs a login, to somebody who is not signed in.

        Browsers are redirected to the login page, and then back. Scripts get the problem
        ``not_signed_in`` (401).
        """
        path: str = self._environ.get("SCRIPT_NAME", "") + self._environ.get("PATH_INFO", "")
        page, query = quote(path.encode("latin-1")), self._environ.get("QUERY_STRING")
        step = self._flow.require_login(self._head(), f"{page}?{query}" if query else page)
        return FinishedResponse(step.reply.status, step.header_list, step.reply.body)

    def start_login(self, email: str, next_page: str = "") -> WSGIApplication:
        """Start a login for an address, for a site whose form has other fields.

        The site reads the form and checks its origin. The response is a WSGI application.
        """
        try:
            return self.respond(self._flow.start(self._head(), email, next_page))
        finally:
            # Error trackers keep the locals of frames.
            del email, next_page

    def respond(self, step: Step) -> WSGIApplication:
        """Run the hooks of the site; return the response, a WSGI application."""
        responses = _Responses(is_login=step.login is not None)
        return answer_blocking(step, self._hooks, responses, self._environ)

    def renewing(self, start_response: StartResponse) -> StartResponse:
        """Return a ``start_response`` that renews the session, if the application has read it."""

        def renewing(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            renewal = getattr(getattr(self, "_session", None), "renewal", None)
            if renewal is not None:
                name = f"{renewal.partition('=')[0]}="
                # The response may end the session, or start another one.
                if not any(
                    header.lower() == "set-cookie" and value.startswith(name)
                    for header, value in headers
                ):
                    headers = [*headers, ("Set-Cookie", renewal)]
            return start_response(status, headers, *error)

        return renewing

    def _head(self) -> WebRequest:
        # The body belongs to the application.
        no_body = {"CONTENT_LENGTH": "", "wsgi.input_terminated": False}
        return WebRequest.from_environ({**self._environ, **no_body})


class FinishedResponse:
    """A response, as a WSGI application; its parts are for frameworks that make their own."""

    def __init__(self, status: int, headers: list[tuple[str, str]], body: str) -> None:
        self.status = status
        """The HTTP status."""
        self.headers = headers
        """Header names in lower case, and values."""
        self.body = body
        """HTML or JSON, according to ``content-type``; empty for a redirect."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        """Send the response."""
        body = self.body.encode()
        headers = [*self.headers, ("content-length", str(len(body)))]
        start_response(f"{self.status} {HTTPStatus(self.status).phrase}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


class _Response:
    """A WSGI application that sends one response, with cookies added."""

    def __init__(self, app: WSGIApplication, *, is_login: bool) -> None:
        self._app = app
        self._is_login = is_login
        self.cookies: list[str] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start_with_cookies(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            # With an error of the site, nobody was signed in.
            if not (self._is_login and int(status[:3]) >= 400):
                headers = [*headers, *(("Set-Cookie", cookie) for cookie in self.cookies)]
            return start_response(status, headers, *error)

        return self._app(environ, start_with_cookies)


class _Responses:
    def __init__(self, *, is_login: bool) -> None:
        self._is_login = is_login

    def respond(self, status: int, headers: list[tuple[str, str]], body: str) -> _Response:
        return _Response(FinishedResponse(status, headers, body), is_login=False)

    def to_response(self, answer: object) -> _Response:
        if not callable(answer):
            raise TypeError(
                "a hook must return None or a response, which is a WSGI application, "
                f"not {type(answer).__name__}"
            )
        return _Response(answer, is_login=self._is_login)

    def status(self, response: _Response) -> int:
        # It is not known before the response is sent.
        return 200

    def add_cookies(self, response: _Response, cookies: Iterable[str]) -> None:
        response.cookies.extend(cookies)
