"""The client for asyncio."""

from __future__ import annotations

import types

from ._base import BaseClient, _json_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    import typing

    import portier_client

    from . import _form
else:
    from ._lazy import _form, portier_client, typing


class Client(BaseClient):
    """Logs people in through a Portier broker.

    Make one client per site and process, and keep it: it holds the broker's documents and, without
    a ``store``, the pending logins. It can be made before an event loop runs, and can serve several
    loops and threads at the same time. A forked child starts without pending logins.

    ``redirect_uri``
        The URL to which the broker returns the browser; its origin is the ``client_id``.
    ``broker``
        The broker's origin. Plain ``http`` only on the loopback interface.
    ``store``
        The store of pending logins: ``None`` or ``"memory:"`` for the memory of this process, the
        URL of a store, or an object with the methods of :class:`Store`.
    ``secret``
        Seals pending logins, so that they are in no store and every process with the secret
        completes them. A secret has at least 32 random bytes, as ``bytes`` or ``str``. Of several
        secrets, the first one seals, and all of them open. In the implicit flow, completed logins
        are written to the ``store``; without one that all processes share, logins must be bound to
        a ``browser``.
    ``flow``
        With ``"implicit"``, the browser brings back the token. With ``"code"``, it brings back a
        code, which :meth:`complete` redeems at the broker for the token. The code flow needs a
        broker whose discovery document lists it.
    ``response_mode``
        In the implicit flow: ``"form_post"`` or ``"fragment"``.
    ``leeway``
        The accepted difference of the broker's clock: seconds or a ``timedelta``, at most 300
        seconds.
    ``session_ttl``
        How long a login may take: seconds or a ``timedelta``, from one second to a day.
    ``timeout``
        How long fetching one of the broker's documents may take: seconds or a ``timedelta``, at
        most 60 seconds.
    ``store_timeout``
        The time limit for each call of a custom store: seconds or a ``timedelta``, at most 60
        seconds. Built-in stores have their own limits.
    ``algorithms``
        The signature algorithms to accept, the preferred one first: ``"RS256"``, ``"EdDSA"``.
    ``idp``
        For a broker that uses an untrusted identity provider: an address that differs from the
        requested one is an error.
    ``danger_allow_http``
        Allows a broker with plain ``http``. Anyone on the network can then log in as any user, so
        this is for tests only.
    ``ca_file``
        A file of PEM certificates to trust in addition to those of the system.
    ``user_agent``
        The ``User-Agent`` of requests to the broker.

    Raises :class:`ConfigError` for an invalid value, ``TypeError`` for a wrong type.

    >>> from portier_client import Client
    >>> client = Client("https://example.com/verify")
    >>> client.client_id
    'https://example.com'
    """

    async def authenticate(
        self,
        email: str | None,
        *,
        state: str | None = None,
        session: str | None = None,
        browser: str | None = None,
    ) -> str:
        """Start a login and return the URL to redirect the browser to, with status 303.

        ``email`` is the address as the person typed it; with ``None`` the broker asks for it.
        ``state`` is sent through the browser and comes back untrusted. ``session`` is a text of the
        application that is kept until the login completes, for example the page to return to; at
        most 4 KiB, or 512 bytes in a client with a ``secret``. ``browser`` is a secret of this
        browser with at least 128 random bits, for example from a cookie. The login can then be
        completed only with the same secret, or if the person confirms it.

        Raises :class:`InvalidEmail`, :class:`BrokerUnavailable`, :class:`StoreError`, or
        :class:`ConfigError` (``invalid_option``) for a text that is too long.

        >>> client = Client("https://example.com/verify", broker=broker.origin)
        >>> asyncio.run(client.authenticate("alice@example.com"))  # doctest: +ELLIPSIS
        'http://127.0.0.1:.../auth?login_hint=alice%40example.com&scope=openid%20email&...'
        """
        if self._doubt is not None:
            self._warn_of_memory()
        try:
            url = self._native.authenticate(email, state, session, browser)
        finally:
            # Error trackers keep the locals of frames.
            del email, state, session, browser
        return url if isinstance(url, str) else await url

    async def verify(self, id_token: str) -> str:
        """Verify the token of a callback, complete its login, and return the normalized address.

        Use the address unchanged as the key of the account. A token works once: of any number of
        concurrent calls, at most one succeeds. A cancelled call may have completed the login; then
        the person starts again. In the code flow no token comes through the browser: call
        :meth:`complete`.

        Raises :class:`InvalidToken`, :class:`InvalidSession`, :class:`BrokerUnavailable` or
        :class:`StoreError`.

        >>> client = Client("https://example.com/verify", broker=broker.origin)
        >>> url = asyncio.run(client.authenticate("Alice@Example.com"))
        >>> asyncio.run(client.verify(broker.mint(url)))
        'alice@example.com'
        """
        try:
            email = self._native.verify(id_token)
        finally:
            del id_token
        return email if isinstance(email, str) else await email

    async def complete(
        self,
        form: _form.Form,
        browser: str | None = None,
        *,
        confirmation: str | None = None,
    ) -> portier_client.Login:
        """Complete a login with the broker's answer, and return its result.

        ``form`` is the form that the broker posted or, in the code flow, the query of the redirect
        URI. Pass it as the framework reads it: a mapping of names to values or lists of them, a
        multi-dict, or pairs, with ``str`` or ``bytes``. Do not turn it into a ``dict``, which hides
        repeated fields. Other fields are ignored. ``browser`` is the secret of this browser. With
        it, a login that was started with another secret, or without one, does not complete.
        ``confirmation`` is the one of a :class:`BrowserMismatch` for the same answer and secret,
        after the person has agreed to continue in this browser.

        Raises :class:`BrokerError` if the broker sent an error instead of a token,
        :class:`InvalidToken` if a field is repeated or a file, or there is no form,
        :class:`BrowserMismatch` if the login was not started in this browser, where it can still be
        completed, and the errors of :meth:`verify`.

        >>> client = Client("https://example.com/verify", broker=broker.origin)
        >>> url = asyncio.run(client.authenticate("alice@example.com", session="/members"))
        >>> login = asyncio.run(client.complete({"id_token": broker.mint(url), "state": ""}))
        >>> login.email, login.session
        ('alice@example.com', '/members')
        """
        from ._login import login_from_native

        try:
            login = self._native.complete(form, browser, confirmation)
        finally:
            del form, browser, confirmation
        return login_from_native(login if isinstance(login, tuple) else await login)

    async def discover(self) -> dict[str, typing.Any]:
        """Return the broker's discovery document; fetch it if necessary.

        Raises :class:`BrokerUnavailable`.

        >>> client = Client("https://example.com/verify", broker=broker.origin)
        >>> asyncio.run(client.discover())["jwks_uri"]  # doctest: +ELLIPSIS
        'http://127.0.0.1:.../keys.json'
        """
        document = self._native.discover()
        return _json_object(document if isinstance(document, str) else await document)

    async def keys(self) -> list[portier_client.Key]:
        """Return the broker's usable keys; fetch them if necessary.

        Raises :class:`BrokerUnavailable`.

        >>> client = Client("https://example.com/verify", broker=broker.origin)
        >>> sorted({key.algorithm for key in asyncio.run(client.keys())})
        ['EdDSA', 'RS256']
        """
        from ._login import Key

        keys = self._native.keys()
        return [Key(*key) for key in (keys if isinstance(keys, list) else await keys)]

    async def warm(self) -> None:
        """Fetch the broker's documents before the first login.

        Raises :class:`BrokerUnavailable`; the client still works once the broker is available.

        >>> client = Client("https://example.com/verify", broker=broker.origin)
        >>> asyncio.run(client.warm())
        """
        pending = self._native.warm()
        if pending is not None:
            await pending

    async def aclose(self) -> None:
        """Close the client; pending logins in its memory are lost. Closing it twice has no effect.

        Calls in progress are completed; later calls raise ``RuntimeError``.

        >>> client = Client("https://example.com/verify")
        >>> asyncio.run(client.aclose())
        """
        self._close()

    async def __aenter__(self) -> typing.Self:
        """Return the client itself."""
        return self

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        """Close the client."""
        self._close()
