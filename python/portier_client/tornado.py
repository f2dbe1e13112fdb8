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
``class Verify(VerifyHandler, BaseHandler)``. What that base overrides for both handlers, such as
:meth:`PortierMixin.show_problem` or ``languages``, it overrides as a subclass of
:class:`PortierMixin`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, cast

from tornado.web import HTTPError, RequestHandler

from . import Client, InvalidRequest, Login, PortierError
from .web import BrowserBinding, Confirmation, Flow, LoginFlow, Problem, Reply, Step, WebRequest

__all__ = [
    "Confirmation",
    "LoginHandler",
    "PortierMixin",
    "Problem",
    "VerifyHandler",
    "login_policy",
]

_GOOGLE = "https://accounts.google.com"

_MAX_FLOWS = 64

_OPTIONS = (
    "flow",
    "browser_binding",
    "default_next",
    "allowed_hosts",
    "identity_providers",
    "languages",
    "texts",
)


def login_policy(client: Client, *, identity_providers: Iterable[str] = (_GOOGLE,)) -> str:
    """Return a ``Content-Security-Policy`` for a page with a login form.

    The same as :attr:`LoginFlow.form_policy <portier_client.web.LoginFlow.form_policy>`, for pages
    whose handlers do not derive from :class:`PortierMixin`.

    >>> from portier_client import Client
    >>> login_policy(Client("https://example.com/verify"), identity_providers=()).split("; ")[1]
    "form-action 'self' https://broker.portier.io"
    """
    flow = LoginFlow(client, browser_binding="off", identity_providers=identity_providers)
    return flow.form_policy


class PortierMixin(RequestHandler):
    """What both ends of a login share; also for handlers that start one in their own way.

    The client is the application's setting ``portier``; override ``portier`` to choose another. The
    page with the login form is the setting ``login_url``, ``/`` by default. The options below are
    those of :class:`~portier_client.web.LoginFlow`; they should be the same for all handlers of a
    site.
    """

    flow: ClassVar[Flow] = "auto"
    """What the browser brings back: a token, or a code that the client redeems at the broker."""

    browser_binding: ClassVar[BrowserBinding] = "confirm"
    """What happens where a login ends in another browser than it was started in."""

    default_next: ClassVar[str] = "/"
    """The redirect target of a login without ``next``."""

    allowed_hosts: ClassVar[Sequence[str]] = ()
    """Hosts other than this site that ``next`` may lead to, over ``https`` only."""

    identity_providers: ClassVar[Sequence[str]] = (_GOOGLE,)
    """Origins to which the broker sends people on at once, for ``login_flow.form_policy``."""

    languages: ClassVar[Sequence[str]] = ("en",)
    """The languages of the pages; the first is for browsers that ask for no other of them."""

    texts: ClassVar[Mapping[str, Mapping[str, str]]] = {}
    """Texts in place of those built in, by language and id."""

    _cookies_of_login: Sequence[str] = ()

    @property
    def portier(self) -> Client:
        """The client to log in with."""
        self.require_setting("portier", "the login")
        return cast("Client", self.settings["portier"])

    @property
    def login_flow(self) -> LoginFlow:
        """The login flow of this handler's client and options. The application keeps it."""
        options = {name: getattr(self, name) for name in _OPTIONS}
        options["login_url"] = self.settings.get("login_url", "/")
        key = (self.portier, repr(options))
        flows: dict[object, LoginFlow] = vars(self.application).setdefault("_portier_flows", {})
        if key not in flows:
            if len(flows) >= _MAX_FLOWS:
                flows.clear()
            flows[key] = LoginFlow(self.portier, **options)
        return flows[key]

    @property
    def cookie_flags(self) -> dict[str, Any]:
        """Flags for the cookie that keeps a person signed in, for ``set_signed_cookie``.

        ``SameSite=Lax``, because the login arrives from the broker's site: a ``Strict`` cookie
        would be missing on the page that follows. A site that keeps sessions on its server should
        begin a new one in ``on_login``, never go on with the one from before.
        """
        return {"httponly": True, "samesite": "Lax", "secure": self.login_flow.is_secure}

    async def start_login(self, email: str, next_page: str = "") -> None:
        """Send the browser to the broker, to prove that ``email`` is its person's address.

        ``next_page`` comes back once that is done. Where it would lead off this site it is dropped.
        The site itself checks where the request comes from; Tornado's XSRF check does.
        """
        try:
            starting = self.login_flow.start(self._web_request(), email, next_page)
        finally:
            # Error trackers keep the locals of frames.
            del email, next_page
        await self._respond(await starting)

    def safe_next(self, page: str) -> str | None:
        """Return ``page`` as a redirect may use it, or ``None`` if it would lead off this site."""
        return self.login_flow.safe_next(page)

    def see_other(self, url: str) -> None:
        """Redirect with 303, so that a form is not posted on, and leave no trace in caches."""
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.redirect(url, status=303)

    def on_login_error(self, error: PortierError) -> Awaitable[None] | None:
        """Act on a failed login; ``async`` or not. Override it to answer certain errors.

        If it does not answer, the page about the problem is shown.
        """
        return None

    def show_problem(self, problem: Problem) -> Awaitable[None] | None:
        """Write the page about a failed login; ``async`` or not. Override it for one of your own.

        Status, headers and cookies are set. If it writes nothing, the page of the library is sent.
        """
        return None

    def show_confirmation(self, confirmation: Confirmation) -> Awaitable[None] | None:
        """Write the page that asks whether to sign in, in this browser, the person named there.

        Override it for a page of your own, ``async`` or not: with a form that posts the fields to
        the address of the page, once and only when a person says so, and with a
        ``Content-Security-Policy`` that forbids frames. If it writes nothing, the page of the
        library is sent.
        """
        return None

    def flush(self, include_footers: bool = False) -> asyncio.Future[None]:
        """Send what is there, with the cookies of a login that has not failed."""
        if not self._headers_written and self.get_status() < 400:
            self._add_cookies(self._cookies_of_login)
        return super().flush(include_footers)

    def _web_request(self, *, form_token_checked: bool = False) -> WebRequest:
        return WebRequest(
            self.request.method or "",
            self.request.headers,
            self.request.body,
            query=self.request.query,
            form_token_checked=form_token_checked,
        )

    async def _respond(self, step: Step) -> None:
        """Run the hooks, then send the reply unless one of them has answered."""
        reply, page = step.reply, step.page
        if step.login is None:
            self._add_cookies(reply.cookies)
        if step.error is not None and await self._answered(self.on_login_error(step.error)):
            return
        self._begin(reply)
        if isinstance(page, Problem) and await self._answered(self.show_problem(page)):
            return
        if isinstance(page, Confirmation) and await self._answered(self.show_confirmation(page)):
            return
        if reply.policy is not None:
            self.set_header("Content-Security-Policy", reply.policy)
        self.finish(reply.body)

    # Error trackers keep the locals of frames: cookies and headers have frames of their own.

    def _add_cookies(self, cookies: Iterable[str]) -> None:
        for cookie in cookies:
            self.add_header("Set-Cookie", cookie)

    def _begin(self, reply: Reply) -> None:
        self.set_status(reply.status)
        for name, value in reply.headers:
            self.set_header(name, value)

    async def _answered(self, answer: Awaitable[None] | None) -> bool:
        """Wait for a hook; return whether it has answered. What was written is an answer."""
        if answer is not None:
            await answer
        if not self._finished and (self._headers_written or self._write_buffer):
            self.finish()
        return self._finished


class LoginHandler(PortierMixin):
    """Starts a login: takes a form with ``email`` and, optionally, ``next``.

    Forms of other sites are refused, as their browsers tell, or any of them could send mail in this
    one's name. Tornado's XSRF check applies as well. Add a ``get`` that shows the form, or put the
    form on another page of this site.
    """

    async def post(self) -> None:
        """Redirect to the broker."""
        request = self._web_request(form_token_checked=self._is_form_token_checked())
        await self._respond(await self.login_flow.login(request))

    def check_xsrf_cookie(self) -> None:
        """Check Tornado's token, and tell those apart whose browser keeps no cookies."""
        try:
            super().check_xsrf_cookie()
        except HTTPError:
            name = self.settings.get("xsrf_cookie_name", "_xsrf")
            if self.request.method == "POST" and self.get_cookie(name) is None:
                raise _NoCookieError from None
            raise

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """Answer an error as Tornado does, but with a page of ours where cookies are needed."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if not isinstance(error, _NoCookieError) or self._headers_written:
            super().send_error(status_code, **kwargs)
            return
        self.clear()
        # Kept, because the loop does not keep it.
        self._refusal = asyncio.ensure_future(self._refuse())

    async def _refuse(self) -> None:
        try:
            missing = InvalidRequest("the XSRF cookie is missing", code="request_cookies")
            await self._respond(self.login_flow.refuse_login(self._web_request(), missing))
        except Exception:
            self.log_exception(*sys.exc_info())
            if not self._finished:
                super().send_error(exc_info=sys.exc_info())

    def _is_form_token_checked(self) -> bool:
        """Whether Tornado's own check passes, whatever the site has made of it."""
        if not self.settings.get("xsrf_cookies"):
            return False
        try:
            RequestHandler.check_xsrf_cookie(self)
        except HTTPError:
            return False
        return True


class VerifyHandler(PortierMixin):
    """Completes a login: the redirect URI, with which the browser comes back from the broker.

    In the code flow that is a ``GET``. In the implicit flow it is a ``POST`` from another site,
    without cookies, so that the XSRF check cannot apply. No other handler needs the exemption. In
    both flows a login is bound to the browser it was started in, see ``browser_binding``: or an
    attacker could have a visitor's browser bring the answer to the attacker's own login, and the
    visitor would be signed in as the attacker (login CSRF). With
    ``response_mode="fragment"`` the handler also shows the page that posts the fragment.
    """

    def on_login(self, login: Login) -> Awaitable[None] | None:
        """Sign in the person who owns ``login.email``; ``async`` or not. Every site overrides it.

        The handler then redirects to the page to go back to, unless this has answered. If it
        raises, or answers with a status of 400 or more, nobody counts as signed in. It must be
        done when it returns, or be awaited: what answers later is an error.
        """
        raise NotImplementedError

    async def post(self) -> None:
        """Take the broker's answer; also that of a ``GET``."""
        step = await self.login_flow.callback(self._web_request())
        if step.login is not None:
            self._cookies_of_login = [*step.reply.cookies, *step.login_cookies]
            try:
                answered = await self._answered(self.on_login(step.login))
            except BaseException:
                self._cookies_of_login = ()
                raise
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
        """Set a cookie as Tornado does, and refuse one that comes too late to be sent."""
        if self._headers_written:
            raise RuntimeError(
                "the cookie comes after the answer: on_login must be done when it returns, or be "
                f"async and await what it does cookie={name}"
            )
        super().set_cookie(name, value, *args, **kwargs)


class _NoCookieError(HTTPError):
    """The browser has sent no XSRF cookie."""

    def __init__(self) -> None:
        super().__init__(403)
