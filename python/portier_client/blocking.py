"""The client for programs without an event loop.

The same as :class:`portier_client.Client`, but its methods return when they are done. Other threads
run meanwhile, and Ctrl-C works. In an event loop, use :class:`portier_client.Client`.
"""

from __future__ import annotations

import types

from ._base import BaseClient, _json_object
from ._flow import BaseLoginFlow, is_accepted
from .errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import typing

    import portier_client

    from . import _form, web
else:
    from ._lazy import _form, portier_client, typing, web

__all__ = ["Client", "LoginFlow"]


class Client(BaseClient):
    """Logs people in through a Portier broker, one blocking call at a time.

    The arguments are those of :class:`portier_client.Client`. Threads may share a client.

    >>> from portier_client.blocking import Client
    >>> client = Client("https://example.com/verify", broker=broker.origin)
    >>> url = client.authenticate("Alice@Example.com")
    >>> client.verify(broker.mint(url))
    'alice@example.com'
    """

    @staticmethod
    def _check_store(store: object) -> None:
        if getattr(store, "_is_for_asyncio", None) is True:
            raise ConfigError(
                "the blocking client cannot await the client of its RedisClientStore; "
                "give the store a plain client, such as redis.Redis",
                code="invalid_option",
            )

    def authenticate(
        self,
        email: str | None,
        *,
        state: str | None = None,
        session: str | None = None,
        browser: str | None = None,
    ) -> str:
        """Start a login; see :meth:`portier_client.Client.authenticate`."""
        if self._doubt is not None:
            self._warn_of_memory()
        try:
            return self._native.authenticate(email, state, session, browser, True)
        finally:
            # Error trackers keep the locals of frames.
            del email, state, session, browser

    def verify(self, id_token: str) -> str:
        """Verify a token; see :meth:`portier_client.Client.verify`."""
        try:
            return self._native.verify(id_token, True)
        finally:
            del id_token

    def complete(
        self,
        form: _form.Form,
        browser: str | None = None,
        *,
        confirmation: str | None = None,
    ) -> portier_client.Login:
        """Complete a login; see :meth:`portier_client.Client.complete`."""
        from ._login import login_from_native

        try:
            login = self._native.complete(form, browser, confirmation, True)
        finally:
            del form, browser, confirmation
        return login_from_native(login)

    def discover(self) -> dict[str, typing.Any]:
        """Return the discovery document; see :meth:`portier_client.Client.discover`."""
        return _json_object(self._native.discover(True))

    def keys(self) -> list[portier_client.Key]:
        """Return the usable keys; see :meth:`portier_client.Client.keys`."""
        from ._login import Key

        return [Key(*key) for key in self._native.keys(True)]

    def warm(self) -> None:
        """Fetch the documents ahead of time; see :meth:`portier_client.Client.warm`."""
        self._native.warm(True)

    def close(self) -> None:
        """Close the client; see :meth:`portier_client.Client.aclose`."""
        self._close()

    def __enter__(self) -> typing.Self:
        """Return the client itself."""
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        """Close the client."""
        self._close()


class LoginFlow(BaseLoginFlow[Client]):
    """Answers the requests of a login, one blocking call at a time.

    The arguments are those of :class:`portier_client.web.LoginFlow`, with a client of this module.
    Threads may share a flow.

    >>> from portier_client.blocking import Client, LoginFlow
    >>> from portier_client.web import WebRequest
    >>> flow = LoginFlow(Client("https://example.com/verify", broker=broker.origin))
    >>> headers = {"Content-Type": "application/x-www-form-urlencoded"}
    >>> flow.login(WebRequest("POST", headers, b"email=alice%40example.com")).reply.status
    303
    """

    __slots__ = ()
    _kind = Client

    def login(self, request: web.WebRequest) -> web.Step:
        """Start a login; see :meth:`portier_client.web.LoginFlow.login`."""
        from .web import step_from_native

        return step_from_native(self._native.login(*request._facts, True))

    def start(self, request: web.WebRequest, email: str, next_page: str = "") -> web.Step:
        """Start a login; see :meth:`portier_client.web.LoginFlow.start`."""
        from .web import step_from_native

        try:
            step = self._native.start(*request._head, email, next_page, True)
        finally:
            # Error trackers keep the locals of frames.
            del email, next_page
        return step_from_native(step)

    def callback(self, request: web.WebRequest) -> web.Step:
        """Answer the redirect URI; see :meth:`portier_client.web.LoginFlow.callback`."""
        from .web import step_from_native

        step = step_from_native(self._native.callback(*request._facts, request._query, True))
        step._refusing = self._native.refuse_account, request._head
        return step

    def session(self, request: web.WebRequest) -> web.Session | None:
        """Return the session of a request; see :meth:`portier_client.web.LoginFlow.session`.

        ``accept`` is a plain function here.
        """
        from ._request import COOKIE

        session = self._read_session(request._head[1][COOKIE])
        if session is None or self._accept is None:
            return session
        return session if is_accepted(self._accept(session)) else None

    def health(self, request: web.WebRequest) -> web.Step:
        """Answer a health check; see :meth:`portier_client.web.LoginFlow.health`."""
        from .web import step_from_native

        return step_from_native(self._native.health(*request._head))

    def logout(self, request: web.WebRequest) -> web.Step:
        """End the session in this browser; see :meth:`portier_client.web.LoginFlow.logout`."""
        from .web import step_from_native

        return step_from_native(self._native.logout(*request._facts[:3]))
