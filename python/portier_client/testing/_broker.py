"""The development broker."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Literal, Self, TypeAlias

from .. import _native
from .._native import ManualClock
from .._options import seconds

Algorithm = Literal["RS256", "EdDSA"]
KeyChoice = Literal["current", "next", "previous", "stranger"]
# "page", "mail", "accept", "refuse", "expired", "error:CODE" or "as:ADDRESS".
Mode: TypeAlias = str


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that the real broker would have sent."""

    to: str
    """The address as it was typed."""

    site: str
    """The origin of the site that asked."""

    code: str
    """The code to type on the page that waits; spaces in it do not matter."""

    link: str
    """The link to follow instead."""

    sent_at: float
    """When it was sent, in seconds since 1970."""


class DevBroker:
    """A Portier broker on this machine: anyone can sign in as anyone.

    It is an HTTP server in its own thread. It runs until :meth:`stop` or the end of the ``with`` or
    ``async with`` block. By default only this machine can reach it.

    ``host``
        The IP address to listen on. If it is not a loopback address, such as ``"0.0.0.0"``, anybody
        who can reach this machine can sign in as anyone.
    ``port``
        The port to listen on; ``0`` chooses a free one.
    ``origin``
        The origin under which browsers and sites reach the broker, such as
        ``"http://localhost:3333"``. The default consists of ``host`` and the port.
    ``mode``
        How it responds to logins; see :meth:`set_mode`.
    ``keys_lifetime``
        How long clients may cache the keys: seconds or a ``timedelta``.
    ``clock``
        The clock of the broker alone. By default it is that of the system, and
        :meth:`advance_time` moves it.

    Raises :class:`ConfigError` (``invalid_option``) if the port is in use or an option is invalid.

    >>> from portier_client.testing import DevBroker
    >>> with DevBroker() as broker:
    ...     client = Client("https://example.com/verify", broker=broker.origin)
    ...     url = asyncio.run(client.authenticate("alice@example.com"))
    ...     asyncio.run(client.verify(broker.mint(url)))
    'alice@example.com'
    """

    __slots__ = ("__dict__", "__weakref__", "_native")

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        origin: str | None = None,
        mode: Mode = "page",
        keys_lifetime: float | timedelta = 86400,
        clock: ManualClock | None = None,
    ) -> None:
        lifetime = seconds("keys_lifetime", keys_lifetime)
        self._native = _native.DevBroker(host, port, origin, mode, lifetime, clock)
        _running[self.origin] = self

    @property
    def origin(self) -> str:
        """The origin of the broker, for the ``broker`` option of a client."""
        return self._native.origin

    @property
    def port(self) -> int:
        """The port that the broker listens on."""
        return self._native.port

    @property
    def banner(self) -> str:
        """The text that a program should print when it starts the broker."""
        return self._native.banner

    @property
    def now(self) -> float:
        """The time of the broker, in seconds since 1970."""
        return self._native.now

    def freeze_time(self, at: float | datetime | None = None) -> None:
        """Stop the time of the broker and of its clients, now or at another time.

        ``at`` is a ``datetime`` or in seconds since 1970. The clients are all clients of this
        process whose ``broker`` is this one's :attr:`origin`, whoever made them. Clients of other
        brokers are not affected, and neither are the clocks of Python and of frameworks.

        Raises :class:`ConfigError` (``invalid_option``) if the broker has a clock of its own, or if
        its origin is not on this machine.

        >>> broker.freeze_time(1_800_000_000)
        >>> broker.advance_time(60)
        >>> broker.now
        1800000060.0
        >>> broker.resume_time()
        """
        if isinstance(at, datetime):
            at = at.timestamp()
        self._native.freeze_time(None if at is None else seconds("at", at))

    def advance_time(self, by: float | timedelta) -> None:
        """Move the time of the broker and of its clients forward, frozen or not.

        ``by`` is a ``timedelta`` or in seconds. See :meth:`freeze_time`.

        >>> client = Client("https://example.com/verify", broker=broker.origin)
        >>> token = broker.mint(asyncio.run(client.authenticate("alice@example.com")))
        >>> broker.advance_time(timedelta(days=1))
        >>> asyncio.run(client.verify(token))
        Traceback (most recent call last):
        ...
        portier_client.errors.TokenExpired: ...
        """
        self._native.advance_time(seconds("by", by))

    def resume_time(self) -> None:
        """Return to the time of the system; what has expired stays expired."""
        self._native.resume_time()

    def set_mode(self, mode: Mode) -> None:
        """Change how the broker responds to logins.

        ``"page"`` shows a page that asks, and ``"mail"`` one that waits for the code or the link of
        the mail in the :meth:`inbox`. The others respond at once: ``"accept"`` signs the person in,
        ``"refuse"`` cancels, ``"expired"`` signs in with a token that has expired,
        ``"error:CODE"`` responds with this error, ``"as:ADDRESS"`` signs another person in.
        """
        self._native.set_mode(mode)

    def set_account(self, pattern: str, mode: Mode) -> None:
        """Set how the broker responds to the logins of an address, instead of its mode.

        In ``pattern``, ``*`` stands for any text. An address comes before a pattern, and a long
        pattern before a short one.

        >>> broker.set_account("*@blocked.example", "refuse")
        """
        self._native.set_account(pattern, mode)

    def next_logins(self, *modes: Mode) -> None:
        """Set how the broker responds to the next logins, one after the other."""
        self._native.next_logins(list(modes))

    def set_reachable(self, reachable: bool) -> None:
        """Close connections without a response from now on, or serve them again."""
        self._native.set_reachable(reachable)

    def inbox(self) -> list[Mail]:
        """Return the last mails that the real broker would have sent, the newest one last."""
        return [Mail(*mail) for mail in self._native.inbox()]

    def clear_inbox(self) -> None:
        """Delete all mails. Their links and codes do not work any more."""
        self._native.clear_inbox()

    def reset(self) -> None:
        """Undo everything except the rotation of keys, so that one broker serves many tests."""
        self._native.reset()

    def requests(self) -> dict[str, int]:
        """Return the number of requests for each path.

        >>> broker.requests().get("/no/such/path", 0)
        0
        """
        return self._native.requests()

    def fail_next(
        self,
        path: str,
        *,
        requests: int = 1,
        status: int | None = None,
        delay: float | timedelta = 0,
        headers: Sequence[tuple[str, str]] = (),
        body: str | None = None,
    ) -> None:
        """Delay the next requests for a path, or answer them differently.

        The broker waits for ``delay`` seconds. With a ``status`` or a ``body`` it answers with
        ``status``, ``headers`` and ``body``, otherwise as usual.
        """
        self._native.fail_next(path, requests, status, seconds("delay", delay), list(headers), body)

    def hold(self, path: str) -> None:
        """Hold requests for a path until :meth:`release`. :meth:`requests` counts them at once."""
        self._native.hold(path)

    def release(self, path: str) -> None:
        """Answer the held requests for a path, and stop holding new ones."""
        self._native.release(path)

    def rotate_keys(self) -> None:
        """Make the next keys current. The old ones stay published until the next rotation."""
        self._native.rotate_keys()

    def forget_keys(self) -> None:
        """Replace all keys, like a broker that restarts without its key store."""
        self._native.forget_keys()

    def key_id(self, key: KeyChoice = "current", algorithm: Algorithm = "RS256") -> str:
        """Return the id of a key."""
        return self._native.key_id(key, algorithm)

    def mint(
        self,
        url: str | None = None,
        *,
        client_id: str | None = None,
        nonce: str | None = None,
        email: str | None = None,
        algorithm: Algorithm | None = None,
        key: KeyChoice | None = None,
        claims: Mapping[str, object] | None = None,
        remove_claims: Sequence[str] | None = None,
        header: Mapping[str, object] | None = None,
        remove_header: Sequence[str] | None = None,
        raw_header: str | None = None,
        raw_payload: str | None = None,
    ) -> str:
        """Return a token, without a browser.

        ``url`` is the result of :meth:`Client.authenticate` in the implicit flow: the token
        completes that login. The other arguments change the token. ``claims`` and ``header`` add or
        replace members; ``raw_header`` and ``raw_payload`` replace the whole text of header and
        payload.

        >>> client = Client("https://example.com/verify", broker=broker.origin)
        >>> url = asyncio.run(client.authenticate("alice@example.com"))
        >>> asyncio.run(client.verify(broker.mint(url, claims={"iss": "https://example.org"})))
        Traceback (most recent call last):
        ...
        portier_client.errors.InvalidToken: the token's iss is not the broker expected=http://127.0.0.1:...
        """
        members = {
            "url": url,
            "client_id": client_id,
            "nonce": nonce,
            "email": email,
            "algorithm": algorithm,
            "key": key,
            "claims": claims,
            "remove_claims": remove_claims,
            "header": header,
            "remove_header": remove_header,
            "raw_header": raw_header,
            "raw_payload": raw_payload,
        }
        given = {name: value for name, value in members.items() if value is not None}
        try:
            return self._native.mint(json.dumps(given, default=_plain))
        finally:
            # Error trackers keep the locals of frames.
            del url, nonce, email, claims, header, raw_header, raw_payload, members, given

    def sign_in(
        self, url: str, *, mode: Mode = "accept", email: str | None = None
    ) -> dict[str, str]:
        """Sign a person in without a browser, and return what the browser would bring back.

        ``url`` is what :meth:`Client.authenticate` returned. The names and values are those of the
        query of the redirect URI in the code flow, and of the form that is posted there in the
        implicit flow. Each call issues another code or token. ``mode`` is another response, as for
        :meth:`set_mode`, and ``email`` another address.

        Raises :class:`ConfigError` (``invalid_option``) for a URL that the broker does not accept.

        >>> client = Client("https://example.com/verify", broker=broker.origin, flow="code")
        >>> url = asyncio.run(client.authenticate("alice@example.com"))
        >>> asyncio.run(client.complete(broker.sign_in(url))).email
        'alice@example.com'
        """
        try:
            return dict(self._native.sign_in(url, mode, email))
        finally:
            del url, mode, email

    def stop(self) -> None:
        """Stop the server. Stopping it twice has no effect."""
        self._native.stop()
        if _running.get(self.origin) is self:
            del _running[self.origin]

    def __enter__(self) -> Self:
        """Return the broker itself."""
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the server."""
        self.stop()

    async def __aenter__(self) -> Self:
        """Return the broker itself."""
        return self

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the server."""
        self.stop()

    def __repr__(self) -> str:
        """Show the origin."""
        module = type(self).__module__.removesuffix("._broker")
        return f"<{module}.{type(self).__qualname__} origin={self.origin!r}>"


# A broker runs until it is stopped, even if nothing else refers to it.
_running: dict[str, DevBroker] = {}


def running_broker(origin: str) -> DevBroker | None:
    """Return the broker of this process that has an origin."""
    return _running.get(origin)


def running_brokers() -> list[DevBroker]:
    """Return the brokers of this process."""
    return [*_running.values()]


def _plain(value: object) -> object:
    # Any mapping or sequence is accepted, not only `dict` and `list`.
    if hasattr(value, "items"):
        return dict(value.items())
    return list(value)  # type: ignore[call-overload]
