"""The common base of the asyncio login flow and the blocking one."""

from __future__ import annotations

import typing

from . import _native
from ._base import _CLOSED, BaseClient
from ._options import flow_options

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime
    from collections import abc

    import portier_client
    from portier_client import web
else:
    from ._lazy import abc, datetime, portier_client, web


AnyClient = typing.TypeVar("AnyClient", bound=BaseClient)


class BaseLoginFlow(typing.Generic[AnyClient]):
    """The web side of a client's logins."""

    _kind: typing.ClassVar[type[BaseClient]]

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_accept",
        "_allowed_hosts",
        "_callback_path",
        "_client",
        "_form_policy",
        "_form_targets",
        "_is_secure",
        "_native",
    )

    _starts_logins = True

    def __init__(
        self,
        client: AnyClient,
        *,
        flow: web.Flow = "auto",
        browser_binding: web.BrowserBinding = "confirm",
        login_url: str | None = None,
        default_next: str | None = None,
        allowed_hosts: abc.Iterable[str] = (),
        identity_providers: abc.Iterable[str] = ("https://accounts.google.com",),
        callback_path: str | None = None,
        form_token_checked: bool = False,
        languages: abc.Iterable[str] = ("en",),
        texts: abc.Mapping[str, abc.Mapping[str, str]] | None = None,
        secret: str | bytes | abc.Iterable[str | bytes] | None = None,
        session_max_age: float | datetime.timedelta = 1_209_600,
        session_absolute_max_age: float | datetime.timedelta = 7_776_000,
        accept: abc.Callable[[web.Session], bool | abc.Awaitable[bool]] | None = None,
    ) -> None:
        """Check the options."""
        if not isinstance(client, self._kind):
            raise TypeError(f"client must be {_name(self._kind)}, not {_name(type(client))}")
        if client._native is _CLOSED:
            raise RuntimeError("the client is closed")
        # Modules that requests need are imported here: later the files may be missing.
        from . import web  # noqa: F401

        try:
            options = flow_options(
                flow=flow,
                browser_binding=browser_binding,
                login_url=login_url,
                default_next=default_next,
                allowed_hosts=allowed_hosts,
                identity_providers=identity_providers,
                callback_path=callback_path,
                form_token_checked=form_token_checked,
                languages=languages,
                texts={} if texts is None else texts,
                secret=secret,
                session_max_age=session_max_age,
                session_absolute_max_age=session_absolute_max_age,
                accept=accept,
            )
            self._native = _native.LoginFlow(client._native, options)
            self._allowed_hosts = options["allowed_hosts"]
        except Exception as error:
            # Error trackers keep the locals of frames.
            del secret
            options = None
            raise error.with_traceback(None) from error.__cause__
        if secret is None and self._starts_logins:
            client._warn_of_memory()
        self._accept = accept
        # A site may ask for these on every page, also while it shuts down.
        self._callback_path = self._native.callback_path
        self._form_policy = self._native.form_policy
        self._form_targets = self._native.form_targets
        self._is_secure = self._native.is_secure
        self._client = client
        client._flows.add(self)
        if client._on_flow is not None:
            client._on_flow(self)

    @property
    def client(self) -> AnyClient:
        """The client of the flow."""
        return self._client

    @property
    def callback_path(self) -> str:
        """The path of the callback."""
        return self._callback_path

    def is_callback(self, target: str) -> bool:
        """Whether a request is for the callback.

        ``target`` is the target in the request line: a path, perhaps with a query, or an absolute
        URL. The path must match exactly.
        """
        return _native.target_path(target) == self._callback_path

    @property
    def form_policy(self) -> str:
        """A ``Content-Security-Policy`` for a page with a login form.

        Chromium applies ``form-action`` to every redirect that follows a form. So the policy
        contains the origins of the broker and of the ``identity_providers``. Without them the form
        does nothing, and only the browser's console says why.
        """
        return self._form_policy

    @property
    def form_targets(self) -> list[str]:
        """The sources that ``form-action`` needs in a policy of the site's own."""
        return [*self._form_targets]

    def safe_next(self, page: str) -> str | None:
        """Return ``page`` in the form for a redirect, or ``None`` if it is on another site.

        A URL of this site becomes its path, with the query and the fragment.
        """
        return _native.safe_next_on(self._client.client_id, page, self._allowed_hosts)

    def explain(
        self, error: portier_client.PortierError, accept_language: str | None = None
    ) -> web.Problem:
        """Explain an error to the person at the browser.

        ``accept_language`` is the header of that name, which chooses among the ``languages``.
        """
        from .web import Problem

        broker_error = getattr(error, "error", None)
        return Problem(*self._native.explain(error.code, broker_error, accept_language))

    def refuse_login(self, request: web.WebRequest, error: portier_client.PortierError) -> web.Step:
        """Answer a login form that the framework or the site has refused, with a problem page.

        For example with :class:`InvalidRequest` (``request_cookies``) if a CSRF protection finds no
        cookie.
        """
        from .web import step_from_native

        return step_from_native(self._native.refuse_login(*request._head, error.code, str(error)))

    def require_login(self, request: web.WebRequest, page: str) -> web.Step:
        """Answer the request of somebody who is not signed in, for a page that needs a login.

        A browser is redirected to the login page, with ``page`` as ``next``. ``page`` is the path
        and the query of the request; it is left out if it would lead off this site, and for methods
        other than ``GET`` and ``HEAD``. A script gets the problem ``not_signed_in`` (401), and htmx
        is sent to the login page with the page that it runs on as ``next``.

        Raises :class:`ConfigError` (``invalid_option``) if ``page`` is the login page: it needs a
        login itself, so that browsers would be redirected without end.
        """
        from .web import step_from_native

        step = step_from_native(self._native.require_login(*request._head, page))
        if step.error is not None:
            raise step.error
        return step

    def start_session(self, email: str) -> tuple[web.Session, str]:
        """Begin a session outside of a login, for example after a change of address.

        Returns the session and the value of its ``Set-Cookie`` header.

        Raises :class:`ConfigError` (``invalid_option``) without a ``secret``, and
        :class:`InvalidEmail`.
        """
        try:
            return self._native.start_session(email)
        finally:
            # Error trackers keep the locals of frames.
            del email

    def _read_session(self, cookie: str | None) -> web.Session | None:
        """Return the session in a ``Cookie`` header, which ``accept`` has not seen yet."""
        return self._native.session(cookie)

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach the site over ``https``, so that its cookies need ``Secure``."""
        return self._is_secure


def is_accepted(answer: object) -> bool:
    """Return the result of ``accept``; only ``True`` accepts a session."""
    if not isinstance(answer, bool):
        raise TypeError(f"accept must return True or False, not {type(answer).__name__}")
    return answer


def _name(kind: type) -> str:
    return f"{kind.__module__.removesuffix('._client')}.{kind.__qualname__}"
