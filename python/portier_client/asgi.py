"""Log people in from any ASGI application, with a middleware.

The middleware answers the login form and the redirect URI, and passes all other requests to the
application::

    import os

    from portier_client import Client
    from portier_client.asgi import PortierMiddleware

    async def site(scope, receive, send):
        session = await scope["portier"].session()
        text = f"Hello, {session.email}" if session else "Hello"
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": text.encode()})

    client = Client("https://example.com/verify")
    app = PortierMiddleware(site, client, secret=os.urandom(32))

Put it around the whole application: frameworks such as Litestar run their own middleware after
routing, and answer 404 before. For Starlette and FastAPI there are
:mod:`portier_client.starlette` and :mod:`portier_client.fastapi`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Unpack
from urllib.parse import unquote

from . import Client
from ._asgi import (
    KEY,
    App,
    BaseVisit,
    Message,
    Receive,
    Scope,
    Send,
    add_cookies,
    page_of,
    paths_of,
    read_body,
    web_request,
)
from ._face import FlowOptions, Hook, Hooks, answer, check_paths
from .web import LoginFlow, Step, WebRequest

__all__ = ["FinishedResponse", "PortierMiddleware", "Visit"]


class PortierMiddleware:
    """Answers the requests of a login, and gives the application the session of each request.

    ``app``
        The application.
    ``client``
        The :class:`~portier_client.Client` to log in with. The middleware does not close it.
    ``on_login(scope, login)``
        Signs the person in. It may be left out if there is a ``secret``.
    ``on_login_error(scope, error)``
        Handles a failed login.
    ``show_problem(scope, problem)``, ``show_confirmation(scope, confirmation)``
        Return a page in the design of the site, as ``str``.
    ``login_path``
        The path to which login forms post; ``None``: no path.
    ``logout_path``
        The path to which forms for signing out post, with a ``secret``; ``None``: no path.
    ``options``
        Those of :class:`~portier_client.web.LoginFlow`, with the same names. ``secret`` turns
        sessions on.

    Hooks may be ``async``. Each may return a response of its own, as an ASGI application.

    The callback is at the ``callback_path`` of the flow. Paths must match exactly: either below the
    ``root_path`` of a request, or as a whole.

    ``scope["portier"]`` is the :class:`Visit` of the request, also for websockets; typed:
    ``Visit.of(scope)``.

    Raises :class:`ConfigError` (``invalid_option``) for an invalid value, ``TypeError`` for a wrong
    type.
    """

    def __init__(
        self,
        # Frameworks have types of their own for the arguments.
        app: Callable[..., Awaitable[None]],
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
        self._callback_path = unquote(self.flow.callback_path)
        self._login_path = login_path
        self._logout_path = logout_path if has_sessions else None
        check_paths(
            callback_path=self.flow.callback_path,
            login_path=self._login_path,
            logout_path=self._logout_path,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        visit = scope[KEY] = Visit(self.flow, self._hooks, scope)
        answering = self._answering(scope)
        if answering is None:
            await self._app(scope, receive, visit.renewing(send))
            return
        body = await read_body(receive)
        if body is not None:
            step = await answering(web_request(scope, body))
            response = await visit.respond(step)
            await response(scope, receive, send)

    def _answering(self, scope: Scope) -> Callable[[WebRequest], Awaitable[Step]] | None:
        """Return what answers a request, if it is not for the application."""
        if scope["type"] != "http":
            return None
        paths = paths_of(scope)
        if self._callback_path in paths:
            return self.flow.callback
        if self._login_path in paths and scope["method"] == "POST":
            return self.flow.login
        return self.flow.logout if self._logout_path in paths else None


class Visit(BaseVisit):
    """What a request has to do with logins; ``scope["portier"]``."""

    __slots__ = ("_hooks",)

    def __init__(self, flow: LoginFlow, hooks: Hooks, scope: Scope) -> None:
        super().__init__(flow, scope)
        self._hooks = hooks

    @classmethod
    def of(cls, scope: Mapping[str, object]) -> Visit:
        """Return ``scope["portier"]``, typed."""
        visit = scope.get(KEY)
        if not isinstance(visit, cls):
            raise RuntimeError("the middleware is missing: serve the PortierMiddleware")
        return visit

    def require_login(self) -> FinishedResponse:
        """Return the response for a page that needs a login, to somebody who is not signed in.

        Browsers are redirected to the login page, and then back. Scripts get the problem
        ``not_signed_in`` (401).
        """
        step = self._flow.require_login(web_request(self._scope), page_of(self._scope))
        return FinishedResponse(step.reply.status, step.header_list, step.reply.body)

    async def start_login(self, email: str, next_page: str = "") -> App:
        """Start a login for an address, for a site whose form has other fields.

        The site reads the form and checks its origin. The response is an ASGI application.
        """
        request = web_request(self._scope)
        try:
            starting = self._flow.start(request, email, next_page)
        finally:
            # Error trackers keep the locals of frames.
            del email, next_page
        return await self.respond(await starting)

    async def respond(self, step: Step) -> App:
        """Run the hooks of the site; return the response, an ASGI application."""
        responses = _Responses(is_login=step.login is not None)
        return await answer(step, self._hooks, responses, self._scope)


class _Response:
    """An ASGI application that sends one response, with cookies added."""

    def __init__(self, app: App, *, is_login: bool) -> None:
        self._app = app
        self._is_login = is_login
        self.cookies: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_cookies(message: Message) -> None:
            # With an error of the site, nobody was signed in.
            is_start = message["type"] == "http.response.start"
            if is_start and not (self._is_login and message["status"] >= 400):
                add_cookies(message, self.cookies)
            await send(message)

        await self._app(scope, receive, send_with_cookies)


class _Responses:
    def __init__(self, *, is_login: bool) -> None:
        self._is_login = is_login

    def respond(self, status: int, headers: list[tuple[str, str]], body: str) -> _Response:
        return _Response(FinishedResponse(status, headers, body), is_login=False)

    def to_response(self, answer: object) -> _Response:
        if not callable(answer):
            raise TypeError(
                "a hook must return None or a response, which is an ASGI application, "
                f"not {type(answer).__name__}"
            )
        return _Response(answer, is_login=self._is_login)

    def status(self, response: _Response) -> int:
        # It is not known before the response is sent.
        return 200

    def add_cookies(self, response: _Response, cookies: Iterable[str]) -> None:
        response.cookies.extend(cookies)


class FinishedResponse:
    """A response, as an ASGI application; its parts are for frameworks that make their own."""

    def __init__(self, status: int, headers: list[tuple[str, str]], body: str) -> None:
        self.status = status
        """The HTTP status."""
        self.headers = headers
        """Header names in lower case, and values."""
        self.body = body
        """HTML or JSON, according to ``content-type``; empty for a redirect."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        body = self.body.encode()
        given = [*self.headers, ("content-length", str(len(body)))]
        headers = [(name.encode(), value.encode("latin-1")) for name, value in given]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
