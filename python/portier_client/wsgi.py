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

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Unpack
from urllib.parse import quote
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from ._apps import BaseFinishedResponse, BaseResponse, Responses
from ._face import Held, Hooks, Site, SiteOptions, answer_blocking, due_renewal
from .blocking import Client, LoginFlow
from .web import Session, Step, WebRequest

__all__ = ["FinishedResponse", "PortierMiddleware", "Visit"]

_KEY = "portier"


class PortierMiddleware:
    """Answers the requests of a login, and gives the application the session of each request.

    ``app``
        The application.
    ``client``
        The client to log in with, from :mod:`portier_client.blocking`. The site closes it.
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
    ``health_path``
        The path of health checks, such as ``"/healthz"``; ``None``: no path.
    ``options``
        Those of :class:`~portier_client.web.LoginFlow`, with the same names. ``secret`` turns
        sessions on.

    Each hook may return a response of its own, as a WSGI application, such as a response of
    Werkzeug, WebOb or Pyramid, or a :class:`FinishedResponse`.

    The callback is at the ``callback_path`` of the flow. Paths must match exactly: either below the
    ``SCRIPT_NAME`` of a request, or as a whole.

    ``environ["portier"]`` is the :class:`Visit` of the request.

    Raises :class:`ConfigError` (``invalid_option``) for an invalid value, ``TypeError`` for a wrong
    type.
    """

    def __init__(
        self, app: WSGIApplication, client: Client, **options: Unpack[SiteOptions]
    ) -> None:
        self._app = app
        self._site = Site(LoginFlow, client, options)
        self.flow = self._site.flow
        """The flow that answers the requests."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        visit = environ[_KEY] = Visit(self.flow, self._site.hooks, environ)
        path, prefix = _text(environ, "PATH_INFO"), _text(environ, "SCRIPT_NAME")
        answering = self._site.answering(environ["REQUEST_METHOD"], (path, prefix + path))
        if answering is None:
            held = Held(environ, visit.renewing(start_response))
            del environ
            return held.call(self._app)
        request, held = WebRequest.from_environ(environ), Held(environ, start_response)
        del environ
        return held.call(visit.respond(answering(request)))


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
        responses = Responses(_Response, FinishedResponse, is_login=step.login is not None)
        return answer_blocking(step, self._hooks, responses, self._environ)

    def renewing(self, start_response: StartResponse) -> StartResponse:
        """Return a ``start_response`` that renews the session, if the application has read it."""

        def renewing(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            cookies = (value for name, value in headers if name.lower() == "set-cookie")
            due = due_renewal(getattr(self, "_session", None), cookies)
            return start_response(status, _with_cookies(headers, due), *error)

        return renewing

    def _head(self) -> WebRequest:
        # The body belongs to the application.
        no_body = {"CONTENT_LENGTH": "", "wsgi.input_terminated": False}
        return WebRequest.from_environ({**self._environ, **no_body})


class _Response(BaseResponse[WSGIApplication]):
    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start_with_cookies(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            headers = _with_cookies(headers, self._cookies_for(int(status[:3])))
            return start_response(status, headers, *error)

        held = Held(environ, start_with_cookies)
        del environ
        return held.call(self._app)


class FinishedResponse(BaseFinishedResponse):
    """A response, as a WSGI application; its parts are for frameworks that make their own."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        """Send the response."""
        body = self.body.encode()
        headers = [*self.headers, ("content-length", str(len(body)))]
        start_response(f"{self.status} {HTTPStatus(self.status).phrase}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _text(environ: WSGIEnvironment, name: str) -> str:
    """A part of the path, whose bytes are characters in the environment."""
    given: str = environ.get(name, "")
    return given.encode("latin-1").decode(errors="replace")


def _with_cookies(headers: list[tuple[str, str]], cookies: Iterable[str]) -> list[tuple[str, str]]:
    return [*headers, *(("Set-Cookie", cookie) for cookie in cookies)]
