"""Log people in from a Tornado site.

A login needs two handlers. The site adds a login page and ``on_login``::

    import os

    from tornado.web import Application

    from portier_client import Client, Login
    from portier_client.tornado import LoginHandler, VerifyHandler

    class Verify(VerifyHandler):
        def on_login(self, login: Login) -> None:
            self.set_signed_cookie("email", login.email, **self.cookie_flags)

    application = Application(
        [("/login", LoginHandler), ("/verify", Verify)],
        portier=Client("https://example.com/verify"),
        cookie_secret=os.urandom(32),
        xsrf_cookies=True,
    )

The login page is the site's own. Its form posts ``email``, Tornado's XSRF field and, optionally,
``next`` to ``/login``. If the handlers of a site have a base class, name both:
``class Verify(VerifyHandler, BaseHandler)``. To set options or override hooks in that base class,
derive it from :class:`PortierMixin`.

Settings of the application:

``portier``
    The :class:`~portier_client.Client`. Required, unless a handler overrides ``portier``.
``login_url``
    The page with the login form, which pages about problems link to; by default ``"/"``, below the
    prefix that ``callback_path`` shows.
``portier_secret``
    Turns sessions on, see :class:`SessionMixin`.

Options of the handlers, as class attributes. They are options of
:class:`~portier_client.web.LoginFlow`, which describes them:

``flow``
    ``"auto"`` (default), ``"implicit"`` or ``"code"``.
``browser_binding``
    ``"confirm"`` (default), ``"require"`` or ``"off"``.
``default_next``
    The redirect target of a login without ``next``; by default ``"/"``, below the prefix that
    ``callback_path`` shows.
``allowed_hosts``
    Other hosts that ``next`` may name; none by default.
``identity_providers``
    Origins to which the broker redirects at once, for the policy of the login page.
``callback_path``
    The route of the redirect URI, if a proxy strips a prefix from the paths.
``languages``, ``texts``
    The languages of the pages, and texts that replace the built-in ones.
``session_max_age``, ``session_absolute_max_age``
    The lifetime of a session without and with visits.

Hooks to override; each may be ``async``:

``on_login(login)``
    Signs the person in; in :class:`VerifyHandler`.
``on_login_error(error)``
    Handles a failed login.
``show_problem(problem)``, ``show_confirmation(confirmation)``
    Write pages in the design of the site.
``accept_session(session)``
    Ends sessions; in :class:`SessionMixin`.

Methods for a site: ``start_login``, ``safe_next``, ``see_other``, and the properties
``login_flow`` and ``cookie_flags``. All other members come from Tornado's ``RequestHandler``.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Iterable
from typing import Any

from tornado.web import HTTPError

from . import Client, InvalidRequest, Login, LoginRefused
from ._tornado import GOOGLE, PortierMixin
from ._tornado_checks import check_sign_in
from ._tornado_sessions import SessionMixin, require_login
from .web import Confirmation, LoginFlow, Problem

__all__ = [
    "Confirmation",
    "HealthHandler",
    "LoginHandler",
    "LogoutHandler",
    "PortierMixin",
    "Problem",
    "SessionMixin",
    "VerifyHandler",
    "login_policy",
    "require_login",
]


def login_policy(client: Client, *, identity_providers: Iterable[str] = (GOOGLE,)) -> str:
    """Return a ``Content-Security-Policy`` for a page with a login form.

    The same as :attr:`LoginFlow.form_policy <portier_client.web.LoginFlow.form_policy>`, for pages
    whose handlers do not derive from :class:`PortierMixin`.

    >>> from portier_client import Client
    >>> login_policy(Client("https://example.com/verify"), identity_providers=()).split("; ")[1]
    "form-action 'self' https://broker.portier.io"
    """
    flow = _Policy(client, browser_binding="off", identity_providers=identity_providers)
    return flow.form_policy


class _Policy(LoginFlow):
    """Starts no logins, so the memory store is no reason to warn."""

    __slots__ = ()
    _starts_logins = False


class LoginHandler(PortierMixin):
    """Starts a login from a form with ``email`` and, optionally, ``next``.

    Forms of other sites are refused, according to ``Sec-Fetch-Site`` or ``Origin``; otherwise any
    site could send mails in this site's name. Tornado's XSRF check applies as well. Add a ``get``
    that shows the form, or put the form on another page of this site.
    """

    async def post(self) -> None:
        """Redirect to the broker."""
        check_sign_in(self.application, VerifyHandler)
        request = self._web_request(form_token_checked=self._is_form_token_checked())
        await self._respond(await self.login_flow.login(request))

    def check_xsrf_cookie(self) -> None:
        """Check Tornado's token, and recognize browsers that keep no cookies."""
        try:
            super().check_xsrf_cookie()
        except HTTPError:
            name = self.settings.get("xsrf_cookie_name", "_xsrf")
            if self.request.method == "POST" and self.get_cookie(name) is None:
                raise _NoCookieError from None
            raise

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """Answer an error as Tornado does, but with a built-in page if cookies are missing."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if not isinstance(error, _NoCookieError) or self._headers_written:
            super().send_error(status_code, **kwargs)
            return
        self.clear()
        # The event loop holds only a weak reference to the task.
        self._refusal = asyncio.ensure_future(self._refuse())

    async def _refuse(self) -> None:
        try:
            missing = InvalidRequest("the XSRF cookie is missing", code="request_cookies")
            await self._respond(self.login_flow.refuse_login(self._web_request(), missing))
        except Exception:
            self.log_exception(*sys.exc_info())
            if not self._finished:
                super().send_error(exc_info=sys.exc_info())


class VerifyHandler(PortierMixin):
    """Completes a login: the handler of the redirect URI.

    In the code flow, the browser returns with a ``GET``. In the implicit flow, it returns with a
    ``POST`` from another site and without cookies, so the XSRF check cannot apply. No other handler
    needs the exemption. In both flows a login is bound to the browser that started it, see
    ``browser_binding``. Otherwise an attacker could make a visitor's browser post the token of the
    attacker's own login, and the visitor would be signed in as the attacker (login CSRF). With
    ``response_mode="fragment"`` the handler also shows the page that posts the fragment.
    """

    def on_login(self, login: Login) -> Awaitable[None] | None:
        """Sign in the person who owns ``login.email``; ``async`` or not.

        A site without the setting ``portier_secret`` must override it; otherwise a
        :class:`~portier_client.ConfigError` is raised before a login starts or completes. With the
        setting, ``current_user`` is the new :class:`~portier_client.web.Session`.

        Afterwards the handler redirects to the page of the login, unless this method has sent a
        response. If it raises, or responds with a status of 400 or more, nobody counts as signed
        in. It must be finished when it returns, or be ``async``: a later response is an error.
        """
        return None

    async def post(self) -> None:
        """Handle the broker's answer, in a ``POST`` or a ``GET``."""
        check_sign_in(self.application, VerifyHandler, type(self))
        step = await self.login_flow.callback(self._web_request())
        if step.login is not None:
            if step.session is not None:
                self.current_user = step.session
            self._cookies_of_login = [*step.reply.cookies, *step.login_cookies]
            try:
                answered = await self._answered(self.on_login(step.login))
            except BaseException as error:
                self._cookies_of_login = ()
                if not isinstance(error, LoginRefused):
                    raise
                if step.session is not None:
                    self.current_user = None
                answered, step = False, step.refuse(error)
            if answered:
                return
        await self._respond(step)

    get = head = put = patch = delete = options = post

    def check_xsrf_cookie(self) -> None:
        """Exempt the broker's post, and nothing else."""
        if self.request.method != "POST":
            super().check_xsrf_cookie()

    def check_trusted_origin(self, origin: str) -> bool:
        """Exempt the broker's post from ``cross_origin_protection`` (Tornado 6.6) as well."""
        return self.request.method == "POST" or super().check_trusted_origin(origin)

    def set_cookie(self, name: str, value: str | bytes, *args: Any, **kwargs: Any) -> None:
        """Set a cookie as Tornado does; raise if it is too late to send it."""
        if self._headers_written:
            raise RuntimeError(
                "the cookie was set after the response: on_login must be finished when it returns, "
                f"or be async and await its work cookie={name}"
            )
        super().set_cookie(name, value, *args, **kwargs)


class LogoutHandler(PortierMixin):
    """Signs out with a form of one of this site's pages, and redirects to the login page.

    Only a ``POST`` signs out. Tornado's XSRF check applies as well.
    """

    async def post(self) -> None:
        """End the session in this browser."""
        request = self._web_request(form_token_checked=self._is_form_token_checked())
        await self._respond(await self.login_flow.logout(request))

    get = head = put = patch = delete = options = post


class HealthHandler(PortierMixin):
    """Answers health checks, on a path such as ``/healthz``.

    See :meth:`LoginFlow.health <portier_client.web.LoginFlow.health>`.
    """

    async def get(self) -> None:
        """Answer with 200 or 503."""
        await self._respond(await self.login_flow.health(self._web_request()))

    head = post = put = patch = delete = options = get

    def check_xsrf_cookie(self) -> None:
        """Check nothing: the flow refuses methods that could change anything."""


class _NoCookieError(HTTPError):
    """The browser has sent no XSRF cookie."""

    def __init__(self) -> None:
        super().__init__(403)
