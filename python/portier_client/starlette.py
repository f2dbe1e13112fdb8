"""Log people in from a Starlette site.

The site adds a login page, whose form posts ``email`` and, optionally, ``next`` to ``/login``::

    import os

    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    from portier_client import Client
    from portier_client.starlette import Portier

    portier = Portier(Client("https://example.com/verify"), secret=os.urandom(32))

    @portier.require_login
    async def members(request: Request) -> PlainTextResponse:
        session = await portier.session(request)
        return PlainTextResponse(f"Hello, {session.email}")

    app = Starlette(routes=[Route("/members", members)])
    portier.install(app)

For FastAPI there is :mod:`portier_client.fastapi`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from ._starlette import BasePortier

__all__ = ["Portier"]

_Arguments = ParamSpec("_Arguments")


class Portier(BasePortier):
    """The login of a site.

    ``client``
        The :class:`~portier_client.Client` to log in with. The site closes it.
    ``on_login(request, login)``
        Signs the person in. It may be left out if there is a ``secret``.
    ``on_login_error(request, error)``
        Handles a failed login.
    ``show_problem(request, problem)``, ``show_confirmation(request, confirmation)``
        Return a page in the design of the site, as ``str``.
    ``login_path``
        The path to which login forms post; ``None``: the site routes :meth:`login` itself.
    ``logout_path``
        The path to which forms for signing out post, with a ``secret``; ``None``: the site routes
        :meth:`logout` itself.
    ``health_path``
        The path of health checks, such as ``"/healthz"``; ``None``: none.
    ``options``
        Those of :class:`~portier_client.web.LoginFlow`, with the same names. ``secret`` turns
        sessions on.

    Hooks may be ``async``. Each may return a response of its own. An ``on_login`` that uses
    ``request.session`` of Starlette's ``SessionMiddleware`` must begin with
    ``request.session.clear()``.

    Either call :meth:`install`, or use :attr:`routes` and, with a ``secret``, :attr:`middleware`
    when the application is made.

    Raises :class:`ConfigError` (``invalid_option``) for an invalid value, ``TypeError`` for a wrong
    type.
    """

    def require_login(
        self, endpoint: Callable[_Arguments, Awaitable[Response] | Response]
    ) -> Callable[_Arguments, Awaitable[Response]]:
        """Decorate an endpoint that needs a session: a function, or a method of an endpoint class.

        Browsers without a session are redirected to the login page, and then back. Scripts get the
        problem ``not_signed_in`` (401).
        """
        self._check_sessions()
        call: Callable[..., Awaitable[Any]] = functools.partial(run_in_threadpool, endpoint)
        if inspect.iscoroutinefunction(endpoint):
            call = endpoint

        @functools.wraps(endpoint)
        async def guarded(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> Response:
            given = (*args, *kwargs.values())
            request = next((value for value in given if isinstance(value, Request)), None)
            if request is None:
                raise TypeError("require_login guards endpoints that take a request")
            if await self.session(request) is None:
                return self.refuse(request)
            response: Response = await call(*args, **kwargs)
            return response

        return guarded
