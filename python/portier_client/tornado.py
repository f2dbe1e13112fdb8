"""Log people in from a Tornado site.

Two handlers make a login; the site adds what happens once an address is known::

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

The login page is the site's own: a form that posts ``email``, Tornado's XSRF field and, if it
likes, ``next`` to ``/login``. A site whose handlers have a base class of their own names both,
``class Verify(VerifyHandler, BaseHandler)``; what that base is to override, such as
:meth:`PortierMixin.show_problem`, it overrides as a subclass of :class:`PortierMixin`.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Iterable, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Any, ClassVar, Literal, cast

from tornado.web import RequestHandler

from . import (
    BrowserMismatch,
    Client,
    InvalidEmail,
    Login,
    PortierError,
    SessionUsed,
    _binding,
    _fragment,
    _pages,
    safe_next,
)
from ._pages import Confirmation
from ._problems import FROM_ELSEWHERE, NO_COOKIES, TOO_LARGE, Problem, explain

__all__ = [
    "Confirmation",
    "FragmentVerifyHandler",
    "LoginHandler",
    "PortierMixin",
    "Problem",
    "VerifyHandler",
    "login_policy",
]

_log = logging.getLogger(__name__)

_MOST_OCTETS_OF_A_FORM = 64 * 1024

_GOOGLE = "https://accounts.google.com"


def login_policy(client: Client, *, identity_providers: Iterable[str] = (_GOOGLE,)) -> str:
    """Return a ``Content-Security-Policy`` for a page with a login form.

    Chromium holds a form to ``form-action`` through every redirect that follows it. So the
    broker's origin must be in there, and the origins of the ``identity_providers`` to which the
    broker at once sends people on: the public one sends Gmail addresses to Google. Without them
    the form does nothing, and only the browser's console says why.

    >>> from portier_client import Client
    >>> login_policy(Client("https://example.com/verify"), identity_providers=()).split("; ")[1]
    "form-action 'self' https://broker.portier.io"
    """
    targets = " ".join(["'self'", client.broker, *identity_providers])
    return (
        f"default-src 'self'; form-action {targets}; "
        "base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
    )


class PortierMixin(RequestHandler):
    """What both ends of a login share; also for handlers that do it in their own way.

    The client is the application's setting ``portier``; override ``portier`` to choose another.
    """

    default_next: ClassVar[str] = "/"
    """Where a login leads that did not start from a page to go back to."""

    allowed_hosts: ClassVar[Sequence[str]] = ()
    """Hosts other than this site that ``next`` may lead to, over ``https`` only."""

    browser_binding: ClassVar[Literal["off", "confirm", "require"]] = "confirm"
    """What happens where a login ends in another browser than it was started in, as when mail is
    opened on another device: the person is asked whether to go on (``"confirm"``), it is refused
    (``"require"``), or nobody looks (``"off"``), and then an attacker can sign a visitor in as the
    attacker. The same for all handlers of a site."""

    @property
    def portier(self) -> Client:
        """The client to log in with."""
        self.require_setting("portier", "the login")
        return cast("Client", self.settings["portier"])

    @property
    def cookie_flags(self) -> dict[str, Any]:
        """Flags for the cookie that keeps a person signed in, for ``set_signed_cookie``.

        ``SameSite=Lax``, because the login arrives from the broker's site: a ``Strict`` cookie
        would be missing on the page that follows. A site that keeps sessions on its server should
        begin a new one in ``on_login``, never go on with the one from before.
        """
        return {"httponly": True, "samesite": "Lax", "secure": self._is_secure}

    async def start_login(self, email: str, next_page: str = "") -> None:
        """Send the browser to the broker, to prove that ``email`` is its person's address.

        ``next_page`` comes back once that is done. Where it would lead off this site it is dropped.
        """
        binds = self.browser_binding != "off"
        secret = (self._browser_secret() or _binding.new_secret()) if binds else None
        try:
            page = self.safe_next(next_page)
            url = await self.portier.authenticate(email, session=page, browser=secret)
            if secret is not None:
                self._keep_browser_secret(secret)
        except PortierError as error:
            failure = error
        else:
            self.see_other(url)
            return
        finally:
            # Error trackers keep the locals of frames.
            del email, next_page, secret
        await self._fail(failure)

    async def finish_login(self) -> Login | None:
        """Read the broker's answer from this request's form. Call it once per request.

        Returns ``None`` if the request has been answered with a page instead: one that posts the
        form again, with cookies, or one that asks the person whether to go on in this browser.
        Raises the :class:`~portier_client.PortierError` that says why there is no login.
        """
        # Error trackers keep the locals of frames: the form is none of them.
        if self.browser_binding == "off":
            return await self.portier.complete(self.request.body_arguments)
        asks = self.browser_binding == "confirm"
        secret = self._browser_secret()
        confirmation = _binding.confirmation_of(self.request.body_arguments) if asks else None
        site = self.request.headers.get("Sec-Fetch-Site")
        if secret is None and not _binding.is_posted_again(self.request.body_arguments, site):
            self._post_again()
            return None
        if secret is None and confirmation is not None:
            # The cookie that came with the question is not there.
            self.answer_problem(NO_COOKIES)
            return None
        if secret is None:
            # This browser did not start the login; from here on it can be told from others.
            secret = _binding.new_secret()
            self._keep_browser_secret(secret)
        try:
            completing = self.portier.complete(
                self.request.body_arguments, secret, confirmation=confirmation
            )
        finally:
            del secret, confirmation
        try:
            return await completing
        except BrowserMismatch as error:
            if not asks or error.confirmation is None:
                raise
            self._keep_private()
            self.set_header("X-Frame-Options", "DENY")
            self.show_confirmation(self._question(error.email, error.confirmation))
            return None

    def safe_next(self, page: str) -> str | None:
        """Return ``page`` as a redirect may use it, or ``None`` if it would lead off this site."""
        return safe_next(page, self.allowed_hosts)

    def see_other(self, url: str) -> None:
        """Redirect with 303, so that the form is not posted on, and leave no trace in caches."""
        self._keep_private()
        self.redirect(url, status=303)

    def on_login_error(self, error: PortierError) -> Awaitable[None] | None:
        """Answer a failed login; ``async`` or not. Override it to act on certain errors."""
        self.answer_problem(explain(error))
        return None

    def answer_problem(self, problem: Problem) -> None:
        """Answer with the problem's status and page."""
        self.set_status(problem.status)
        self._keep_private()
        self.set_header("X-Frame-Options", "DENY")
        if problem.retry_after is not None:
            self.set_header("Retry-After", str(problem.retry_after))
        self.show_problem(problem)

    def show_problem(self, problem: Problem) -> None:
        """Write the page about a failed login. Override it for the looks of the site."""
        self.set_header("Content-Security-Policy", _pages.PROBLEM_POLICY)
        self.finish(_pages.problem_page(problem, self.settings.get("login_url", "/")))

    def show_confirmation(self, confirmation: Confirmation) -> None:
        """Write the page that asks whether to sign in, in this browser, the person named there.

        Override it for the looks of the site: with a form that posts its fields to the address of
        the page, once and only when a person says so, and with a ``Content-Security-Policy`` that
        forbids frames.
        """
        self.set_header("Content-Security-Policy", _pages.CONFIRMATION_POLICY)
        self.finish(_pages.confirmation_page(confirmation, self.settings.get("login_url", "/")))

    def _question(self, email: str, confirmation: str) -> Confirmation:
        fields = _binding.fields_to_confirm(self.request.body_arguments, confirmation)
        return Confirmation(email, fields)

    def _post_again(self) -> None:
        self._keep_private()
        self.set_header("X-Frame-Options", "DENY")
        self.set_header("Content-Security-Policy", _pages.POSTING_POLICY)
        self.finish(
            _pages.page_that_posts(_binding.fields_to_post_again(self.request.body_arguments))
        )

    @property
    def _is_secure(self) -> bool:
        return self.portier.redirect_uri.lower().startswith("https:")

    def _browser_secret(self) -> str | None:
        cookies = self.request.headers.get_list("Cookie")
        return _binding.known_secret(cookies, secure=self._is_secure)

    def _keep_browser_secret(self, secret: str) -> None:
        name, seconds = _binding.cookie_name(secure=self._is_secure), _binding.COOKIE_SECONDS
        self.set_cookie(name, secret, max_age=seconds, **self.cookie_flags)

    def _keep_private(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("X-Content-Type-Options", "nosniff")

    async def _fail(self, error: PortierError) -> None:
        ours = explain(error).status >= HTTPStatus.INTERNAL_SERVER_ERROR
        level = logging.WARNING if ours else logging.INFO
        _log.log(level, "login failed: %s code=%s", error, error.code)
        await _settle(self.on_login_error(error))


class LoginHandler(PortierMixin):
    """Starts a login: takes a form with ``email`` and, optionally, ``next``.

    Forms of other sites are refused, as their browsers tell, or any of them could send mail in this
    one's name. Tornado's XSRF check applies as well. Add a ``get`` that shows the form, or put the
    form on another page of this site.
    """

    async def post(self) -> None:
        """Redirect to the broker."""
        if _binding.is_from_elsewhere(self.request.headers, self.portier.client_id):
            self.answer_problem(FROM_ELSEWHERE)
            return
        if len(self.request.body) > _MOST_OCTETS_OF_A_FORM:
            self.answer_problem(TOO_LARGE)
            return
        if (email := self._field("email")) is None:
            await self._fail(InvalidEmail("the address is not UTF-8"))
            return
        starting = self.start_login(email, self._field("next") or "")
        del email
        await starting

    def _field(self, name: str) -> str | None:
        # Tornado's own look-up would log what is not UTF-8, and that may be an address.
        with suppress(UnicodeDecodeError):
            return self.request.body_arguments.get(name, [b""])[-1].decode()
        return None


class VerifyHandler(PortierMixin):
    """Completes a login: the redirect URI, to which the broker has the browser post its answer.

    That post comes from another site, without cookies, so that the XSRF check cannot apply. In its
    place a login is bound to the browser it was started in, see ``browser_binding``: or an attacker
    could have a visitor's browser post an answer to the attacker's own login, and the visitor would
    be signed in as the attacker (login CSRF). No other handler needs the exemption.
    """

    def on_login(self, login: Login) -> Awaitable[None] | None:
        """Sign in the person who owns ``login.email``; ``async`` or not. Every site overrides it.

        The handler then redirects to the page to go back to, unless this has finished the request.
        """
        raise NotImplementedError

    async def post(self) -> None:
        """Take the broker's answer."""
        if unacceptable := self._unacceptable():
            self.answer_problem(unacceptable)
            return
        try:
            login = await self.finish_login()
        except PortierError as error:
            if isinstance(error, SessionUsed) and error.same_browser:
                # A reload, or a second answer: this browser has completed this very login.
                self.see_other(self.default_next)
            else:
                await self._fail(error)
            return
        if login is None:
            return
        await _settle(self.on_login(login))
        if not self._finished:
            self.see_other(self.safe_next(login.session or "") or self.default_next)

    def get(self) -> None:
        """Refuse: nobody's link, mail scanner or reload completes a login."""
        self.set_header("Allow", "POST")
        self.answer_problem(
            Problem(405, "Nothing to see here", "This address only takes the end of a sign-in.")
        )

    head = get

    def check_xsrf_cookie(self) -> None:
        """Exempt the broker's post, and nothing else."""
        if self.request.method != "POST":
            super().check_xsrf_cookie()

    def check_trusted_origin(self, origin: str) -> bool:
        """Exempt the broker's post from ``cross_origin_protection`` (Tornado 6.6) as well."""
        return self.request.method == "POST" or super().check_trusted_origin(origin)

    def _unacceptable(self) -> Problem | None:
        content_type = self.request.headers.get("Content-Type", "")
        if content_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
            return Problem(415, "Sign-in did not work", "The request was not a form.")
        return TOO_LARGE if len(self.request.body) > _MOST_OCTETS_OF_A_FORM else None


class FragmentVerifyHandler(VerifyHandler):
    """Completes a login whose answer comes in the URL's fragment (``response_mode="fragment"``).

    Prefer ``form_post``: this one needs JavaScript, and puts the token into the address bar for a
    moment.
    """

    def get(self) -> None:
        """Show a page that posts the fragment to this handler."""
        self._keep_private()
        self.set_header("X-Frame-Options", "DENY")
        self.set_header("Content-Security-Policy", _fragment.PAGE_POLICY)
        self.finish(_fragment.PAGE)

    head = get


async def _settle(answer: Awaitable[None] | None) -> None:
    if answer is not None:
        await answer
