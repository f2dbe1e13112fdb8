"""Handlers of Tornado that know who is signed in."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import ParamSpec, cast

from ._flow import is_accepted
from ._tornado import PortierMixin
from .web import Session

_Arguments = ParamSpec("_Arguments")


class SessionMixin(PortierMixin):
    """For handlers whose ``current_user`` is the person's :class:`~portier_client.web.Session`.

    The application needs the setting ``portier_secret``: at least 32 random bytes, as ``bytes`` or
    ``str``, or several of these, of which the first one seals. The session is read before the
    method of the handler runs, and its cookie is renewed in time. :func:`require_login` and
    Tornado's ``authenticated`` redirect everybody else. A handler with its own ``prepare`` begins
    it with ``await super().prepare()``.
    """

    async def prepare(self) -> None:
        """Read the session."""
        session = self._read_session()
        if session is not None:
            accepted = self.accept_session(session)
            if not is_accepted(accepted if isinstance(accepted, bool) else await accepted):
                session = None
        self.current_user = session
        self._renewal = None if session is None else session.renewal
        prepared = super().prepare()
        if prepared is not None:
            await prepared

    def accept_session(self, session: Session) -> bool | Awaitable[bool]:
        """Return whether a session is still valid; ``async`` or not.

        Override it to end sessions, for example those that started before a person signed out
        everywhere. It runs for each request with a session.
        """
        return True

    def get_current_user(self) -> Session | None:
        """Return ``None``: the session is read in ``prepare``, which has not run."""
        return None

    def _read_session(self) -> Session | None:
        self.require_setting("portier_secret", "sessions")
        cookie = "; ".join(self.request.headers.get_list("Cookie"))
        return self.login_flow._read_session(cookie)


def require_login(
    method: Callable[_Arguments, Awaitable[None] | None],
) -> Callable[_Arguments, Awaitable[None]]:
    """Require a signed-in person; decorates a method of a handler with :class:`SessionMixin`.

    Everybody else is redirected to the login page with ``next`` (303). A script gets the problem
    ``not_signed_in`` (401).
    """

    @functools.wraps(method)
    async def guarded(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> None:
        handler = cast("PortierMixin", args[0])
        if not handler.current_user:
            page = handler.request.uri or ""
            step = handler.login_flow.require_login(handler._web_request(), page)
            await handler._respond(step)
            return
        answer = method(*args, **kwargs)
        if answer is not None:
            await answer

    return guarded
