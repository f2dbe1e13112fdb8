"""The common base of the integrations with Starlette and FastAPI."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Unpack

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from . import Client, ConfigError, PortierError
from ._asgi import KEY, App, BaseVisit, Receive, Scope, Send, page_of, paths_of, web_request
from ._face import Held, Site, SiteOptions, answer
from .web import MAX_FORM_BYTES, LoginFlow, Session, Step, WebRequest


class BasePortier:
    """The login of a site; see the classes that derive from it."""

    def __init__(self, client: Client, **options: Unpack[SiteOptions]) -> None:
        self._site = site = Site(LoginFlow, client, options)
        self.flow = site.flow
        """The flow that answers the requests."""
        given = [
            (site.login_path, self.login, ["POST"]),
            (site.callback_path, self.callback, None),
            (site.logout_path, self.logout, None),
            (site.health_path, self.health, None),
        ]
        self.routes: list[BaseRoute] = [
            _ExactRoute(path, endpoint, methods) for path, endpoint, methods in given if path
        ]
        """The routes of the login form, the redirect URI and the form for signing out."""

    @property
    def middleware(self) -> Middleware:
        """The middleware that renews sessions, for ``Starlette(middleware=[...])``."""
        return Middleware(_VisitMiddleware, flow=self.flow)

    def install(self, app: Starlette) -> None:
        """Add the routes and the middleware to an application."""
        # In front of an application that is mounted at `/`. The paths are exact.
        app.router.routes[:0] = self.routes
        app.add_middleware(_VisitMiddleware, flow=self.flow)

    async def login(self, request: Request) -> Response:
        """Start a login from the site's form; the endpoint of ``login_path``."""
        return await self._answer(request, self.flow.login)

    async def callback(self, request: Request) -> Response:
        """Complete a login; the endpoint of the redirect URI, for every method."""
        return await self._answer(request, self.flow.callback)

    async def logout(self, request: Request) -> Response:
        """End the session in this browser; the endpoint of ``logout_path``, for every method."""
        return await self._answer(request, self.flow.logout)

    async def health(self, request: Request) -> Response:
        """Answer a health check; the endpoint of ``health_path``, for every method."""
        return await self._answer(request, self.flow.health)

    async def start_login(self, request: Request, email: str, next_page: str = "") -> Response:
        """Start a login for an address, for a site whose form has other fields.

        The site reads the form and checks its origin.
        """
        try:
            starting = self.flow.start(web_request(request.scope), email, next_page)
        finally:
            # Error trackers keep the locals of frames.
            del email, next_page
        return await self._respond(request, await starting)

    async def session(self, connection: HTTPConnection) -> Session | None:
        """Return the session of the person who sends a request, or opens a websocket."""
        visit: BaseVisit | None = connection.scope.get(KEY)
        if visit is None:
            raise RuntimeError(
                "the middleware is missing: call portier.install(app), or add portier.middleware"
            )
        return await visit.session()

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Fetch the documents of the broker when the application starts.

        If the broker is not reachable, the application starts nevertheless.
        """
        with suppress(PortierError):
            await self.flow.client.warm()
        yield

    def refuse(self, connection: HTTPConnection) -> Response:
        """Return the response for a page that needs a login, to somebody who is not signed in."""
        request = web_request(connection.scope)
        step = self.flow.require_login(request, page_of(connection.scope))
        return _Responses().respond(step.reply.status, step.header_list, step.reply.body)

    def _check_sessions(self) -> None:
        if not self._site.has_cookie:
            wrong = "require_login needs sessions: give a secret option=secret"
            raise ConfigError(wrong, code="invalid_option")

    async def _answer(
        self, request: Request, answering: Callable[[WebRequest], Awaitable[Step]]
    ) -> Response:
        try:
            body = await _body(request)
        except ClientDisconnect:
            # Nobody reads it.
            return Response(status_code=400)
        facts = web_request(request.scope, body)
        # Error trackers keep the locals of frames.
        del body
        return await self._respond(request, await answering(facts))

    async def _respond(self, request: Request, step: Step) -> Response:
        return await answer(step, self._site.hooks, _Responses(), request)


class _ExactRoute(Route):
    """A route for one path and nothing else, whatever characters are in it."""

    def __init__(
        self,
        path: str,
        endpoint: Callable[[Request], Awaitable[Response]],
        methods: list[str] | None,
    ) -> None:
        super().__init__("/", endpoint, methods=methods, include_in_schema=False)
        self.path = self.path_format = path
        self.methods = None if methods is None else {*methods}

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Compare the path."""
        if scope["type"] != "http" or self.path not in paths_of(scope):
            return Match.NONE, {}
        child = {"endpoint": self.endpoint, "path_params": dict(scope.get("path_params", {}))}
        is_full = self.methods is None or scope["method"] in self.methods
        return (Match.FULL if is_full else Match.PARTIAL), child


class _VisitMiddleware:
    """Puts a visit into the scope of each request, and renews its session."""

    def __init__(self, app: App, flow: LoginFlow) -> None:
        self._app = app
        self._flow = flow

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"}:
            visit = scope[KEY] = BaseVisit(self._flow, scope)
            send = visit.renewing(send)
        held = Held(scope, receive, send)
        del scope
        await held.call(self._app)


class _Responses:
    def respond(self, status: int, headers: list[tuple[str, str]], body: str) -> Response:
        response = Response(body, status)
        for name, value in headers:
            response.headers.append(name, value)
        return response

    def to_response(self, answer: object) -> Response:
        if not isinstance(answer, Response):
            raise TypeError(f"a hook must return None or a Response, not {type(answer).__name__}")
        return answer

    def status(self, response: Response) -> int:
        return response.status_code

    def add_cookies(self, response: Response, cookies: Iterable[str]) -> None:
        for cookie in cookies:
            response.headers.append("set-cookie", cookie)


async def _body(request: Request) -> bytes | None:
    """Read a body that is not too large, and of others the beginning."""
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_FORM_BYTES:
                break
    except RuntimeError:
        # The site has read the form.
        return None
    return body
