"""Log people in from a FastAPI site.

The site adds a login page, whose form posts ``email`` and, optionally, ``next`` to ``/login``::

    import os
    from typing import Annotated

    from fastapi import Depends, FastAPI

    from portier_client import Client
    from portier_client.fastapi import Portier, Session

    portier = Portier(Client("https://example.com/verify"), secret=os.urandom(32))
    app = FastAPI()
    portier.install(app)

    @app.get("/members")
    async def members(session: Annotated[Session, Depends(portier.require_login)]) -> str:
        return f"Hello, {session.email}"

Forms need no ``python-multipart``.
"""

from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import cast

from fastapi import APIRouter, FastAPI
from fastapi.openapi.models import APIKey
from fastapi.security.base import SecurityBase
from starlette.applications import Starlette
from starlette.exceptions import HTTPException, WebSocketException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from ._starlette import BasePortier
from .web import Session

__all__ = ["LoginRequired", "Portier", "Session"]


class LoginRequired(HTTPException):
    """Raised by ``require_login`` in a request of somebody who is not signed in."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code, headers=dict(response.headers))
        self.response = response
        """The response: a redirect to the login page, or a problem for scripts."""


class Portier(BasePortier):
    """The login of a site. Its arguments are those of :class:`portier_client.starlette.Portier`.

    :meth:`session` and :attr:`require_login` are dependencies: ``Annotated[Session | None,
    Depends(portier.session)]`` and ``Annotated[Session, Depends(portier.require_login)]``. Tests
    replace them by ``app.dependency_overrides``.

    Raises :class:`ConfigError` (``invalid_option``) for an invalid value, ``TypeError`` for a wrong
    type.
    """

    @property
    def require_login(self) -> Callable[[HTTPConnection], Awaitable[Session]]:
        """The dependency of a route that needs a session, which it returns.

        Browsers without a session are redirected to the login page, and then back. Scripts get the
        problem ``not_signed_in`` (401), and websockets are closed (1008). OpenAPI shows that the
        route needs the cookie.
        """
        self._check_sessions()
        return self._guard

    @cached_property
    def router(self) -> APIRouter:
        """The routes of the login, for ``app.include_router``; OpenAPI does not show them.

        :meth:`install` needs no router. Behind a prefix, a router needs the ``callback_path``.
        """
        return APIRouter(routes=self.routes, include_in_schema=False)

    def install(self, app: Starlette) -> None:
        """Add the routes, the middleware, and the handler of :class:`LoginRequired`."""
        if not isinstance(app, FastAPI):
            raise TypeError(f"app must be a FastAPI, not {type(app).__name__}")
        super().install(app)
        app.add_exception_handler(LoginRequired, _refuse)

    @cached_property
    def _guard(self) -> "_Guard":
        return _Guard(self)


class _Guard(SecurityBase):
    def __init__(self, portier: BasePortier) -> None:
        prefix = "__Host-" if portier.flow.is_secure else ""
        self.model = APIKey.model_validate({"in": "cookie", "name": f"{prefix}portier-session"})
        self.scheme_name = "Portier"
        self._portier = portier

    async def __call__(self, connection: HTTPConnection) -> Session:
        session = await self._portier.session(connection)
        if session is not None:
            return session
        if connection.scope["type"] == "websocket":
            raise WebSocketException(1008, "login required")
        raise LoginRequired(self._portier.refuse(connection))


async def _refuse(request: Request, error: Exception) -> Response:
    return cast("LoginRequired", error).response
