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

from collections.abc import Awaitable, Callable, Mapping
from typing import Unpack

from . import Client
from ._apps import BaseFinishedResponse, BaseResponse, Responses
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
from ._face import Held, Hooks, Site, SiteOptions, answer
from .web import LoginFlow, Step

__all__ = ["FinishedResponse", "PortierMiddleware", "Visit"]

# The types of ASGI scopes that get a `Visit`.
TYPES = {"http", "websocket"}


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
    ``health_path``
        The path of health checks, such as ``"/healthz"``; ``None``: no path.
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
        **options: Unpack[SiteOptions],
    ) -> None:
        self._app = app
        self._site = Site(LoginFlow, client, options)
        self.flow = self._site.flow
        """The flow that answers the requests."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] not in TYPES:
            await self._app(scope, receive, send)
            return
        visit = scope[KEY] = Visit(self.flow, self._site.hooks, scope)
        answering = None
        if scope["type"] == "http":
            answering = self._site.answering(scope["method"], paths_of(scope))
        if answering is None:
            held = Held(scope, receive, visit.renewing(send))
            del scope
            await held.call(self._app)
            return
        body, held = await read_body(receive), Held(scope, receive, send)
        if body is not None:
            request = web_request(scope, body)
            del scope, body
            await held.call(await visit.respond(await answering(request)))


class Visit(BaseVisit):
    """What a request has to do with logins; ``scope["portier"]``."""

    __slots__ = ("_hooks",)

    def __init__(self, flow: LoginFlow, hooks: Hooks, scope: Scope) -> None:
        super().__init__(flow, scope)
        self._hooks = hooks

    @classmethod
    def of(cls, scope: Mapping[str, object]) -> Visit:
        """Return ``scope["portier"]``, typed; ``http`` and ``websocket`` scopes have it."""
        visit = scope.get(KEY)
        if not isinstance(visit, cls):
            if scope["type"] not in TYPES:
                raise RuntimeError(
                    "only http and websocket scopes have a visit: check scope['type'] first"
                    f" type={scope['type']}"
                )
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
        responses = Responses(_Response, FinishedResponse, is_login=step.login is not None)
        return await answer(step, self._hooks, responses, self._scope)


class _Response(BaseResponse[App]):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_cookies(message: Message) -> None:
            if message["type"] == "http.response.start":
                add_cookies(message, self._cookies_for(message["status"]))
            await send(message)

        held = Held(scope, receive, send_with_cookies)
        del scope
        await held.call(self._app)


class FinishedResponse(BaseFinishedResponse):
    """A response, as an ASGI application; its parts are for frameworks that make their own."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        body = self.body.encode()
        given = [*self.headers, ("content-length", str(len(body)))]
        headers = [(name.encode(), value.encode("latin-1")) for name, value in given]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
