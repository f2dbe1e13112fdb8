"""The common base of the asyncio client and the blocking client."""

from __future__ import annotations

import os

from . import _native
from ._options import BROKER, options

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime
    import typing
    from collections import abc

    import portier_client

    from ._flow import BaseLoginFlow
    from ._session import SessionCookie
else:
    from ._lazy import abc, datetime, portier_client, typing


class BaseClient:
    """A relying party of one broker."""

    # Slots are faster. `__dict__` allows tests to replace a method of an instance.
    __slots__ = (
        "__dict__",
        "__weakref__",
        "_broker",
        "_client_id",
        "_doubt",
        "_flows",
        "_native",
        "_on_flow",
        "_redirect_uri",
    )

    def __init__(
        self,
        redirect_uri: str,
        *,
        broker: str = BROKER,
        store: str | portier_client.Store | None = None,
        secret: str | bytes | abc.Iterable[str | bytes] | None = None,
        flow: str = "implicit",
        response_mode: str = "form_post",
        leeway: float | datetime.timedelta = 180,
        session_ttl: float | datetime.timedelta = 1800,
        timeout: float | datetime.timedelta = 10,
        store_timeout: float | datetime.timedelta = 5,
        algorithms: abc.Iterable[str] = ("RS256", "EdDSA"),
        idp: bool = False,
        danger_allow_http: bool = False,
        ca_file: str | os.PathLike[str] | None = None,
        user_agent: str | None = None,
    ) -> None:
        """Check the options. Nothing is fetched and no thread is started yet."""
        try:
            self._check_store(store)
            native = _native.Client(
                options(
                    redirect_uri,
                    broker=broker,
                    store=store,
                    flow=flow,
                    response_mode=response_mode,
                    leeway=leeway,
                    session_ttl=session_ttl,
                    timeout=timeout,
                    store_timeout=store_timeout,
                    secret=secret,
                    algorithms=algorithms,
                    idp=idp,
                    danger_allow_http=danger_allow_http,
                    ca_file=ca_file,
                    user_agent=user_agent,
                )
            )
        except Exception as error:
            # Error trackers keep the locals of frames, and URLs may contain a password.
            del redirect_uri, broker, store, secret
            raise error.with_traceback(None) from error.__cause__
        self._adopt(native)
        if store is not None:
            self._warn_of_memory()

    @staticmethod
    def _check_store(store: object) -> None:
        """Refuse a store that this kind of client cannot use."""

    def _adopt(self, native: _native.Client) -> None:
        # Modules that calls need are imported here. Later the files may be missing, as after
        # `chroot`. Also, an import lets other threads run, so the native module must not import
        # anything while the interpreter ends.
        import json  # noqa: F401
        from weakref import WeakSet

        from . import _events, _login, _processes  # noqa: F401

        self._native = native
        self._redirect_uri = native.redirect_uri
        self._client_id = native.client_id
        self._broker = native.broker
        self._flows: WeakSet[BaseLoginFlow[typing.Any] | SessionCookie] = WeakSet()
        # Called with each flow that is made, to trace its requests.
        self._on_flow: abc.Callable[[BaseLoginFlow[typing.Any]], None] | None = None
        self._doubt = _processes.doubt_of_memory_store(self) if native.has_local_store else None

    def _warn_of_memory(self) -> None:
        """Warn once if the memory store seems to be a mistake.

        A client without a store does so when it starts a login: a flow may seal its logins.
        """
        if self._doubt is None:
            return
        from ._processes import warn

        doubt, self._doubt = self._doubt, None
        warn(doubt)

    @property
    def redirect_uri(self) -> str:
        """The URL to which the broker returns the browser, as configured."""
        return self._redirect_uri

    @property
    def client_id(self) -> str:
        """The origin of the redirect URI, by which the broker knows this site."""
        return self._client_id

    @property
    def broker(self) -> str:
        """The broker's origin."""
        return self._broker

    def stats(self) -> dict[str, typing.Any]:
        """Return counters of this process, for monitoring.

        >>> client = Client("https://example.com/verify", broker=broker.origin)
        >>> client.stats()["keys"]["requests"]
        0
        """
        return _json_object(self._native.stats())

    def health(self) -> dict[str, typing.Any]:
        """Return whether logins work, as far as this process knows.

        ``status`` is ``"pass"``, ``"warn"``, or ``"fail"`` if this process has never been able to
        serve a login. ``checks`` has the same for ``discovery``, ``keys``, ``store`` and ``clock``,
        with the ``code`` of the error if there was one. It does not wait. Documents that are
        due are fetched in the background.

        >>> client = Client("https://example.com/verify", broker=broker.origin)
        >>> client.health()["status"]
        'pass'
        """
        return _json_object(self._native.health())

    def _close(self) -> None:
        # `_CLOSED` raises on access, so that open clients need no check.
        self._native = _CLOSED
        for flow in list(self._flows):
            flow._native = _CLOSED

    def __repr__(self) -> str:
        """Show nothing secret."""
        module = type(self).__module__.removesuffix("._client")
        name = type(self).__qualname__
        if not hasattr(self, "_broker"):  # its options were refused
            return f"<{module}.{name}>"
        return f"<{module}.{name} client_id={self._client_id!r} broker={self._broker!r}>"

    def __reduce__(self) -> typing.NoReturn:
        """Refuse to be pickled or copied."""
        raise TypeError(
            "a client cannot be pickled or copied, because it holds pending logins; "
            "make one in each process"
        )


class _Closed:
    def __getattr__(self, name: str) -> typing.NoReturn:
        if name.startswith("__"):  # what Python and its tools ask every object for
            raise AttributeError(name)
        raise RuntimeError("the client is closed")


_CLOSED: typing.Any = _Closed()


def _json_object(text: str) -> dict[str, typing.Any]:
    import json

    value: dict[str, typing.Any] = json.loads(text)
    return value
