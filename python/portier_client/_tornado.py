"""What the handlers of a login share in Tornado."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar, cast

from tornado.web import HTTPError, RequestHandler

from . import Client, PortierError
from .web import BrowserBinding, Confirmation, Flow, LoginFlow, Problem, Reply, Step, WebRequest

GOOGLE = "https://accounts.google.com"

_MAX_FLOWS = 64

_OPTIONS = (
    "flow",
    "browser_binding",
    "default_next",
    "allowed_hosts",
    "identity_providers",
    "languages",
    "texts",
    "session_max_age",
    "session_absolute_max_age",
)


class PortierMixin(RequestHandler):
    """What both ends of a login share; also for handlers that start one in their own way.

    The client is the application's setting ``portier``; override ``portier`` to choose another. The
    page with the login form is the setting ``login_url``, ``/`` by default. The setting
    ``portier_secret`` turns sessions on, see :class:`SessionMixin`. The options below are
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

    identity_providers: ClassVar[Sequence[str]] = (GOOGLE,)
    """Origins to which the broker sends people on at once, for ``login_flow.form_policy``."""

    languages: ClassVar[Sequence[str]] = ("en",)
    """The languages of the pages; the first is for browsers that ask for no other of them."""

    texts: ClassVar[Mapping[str, Mapping[str, str]]] = {}
    """Texts in place of those built in, by language and id."""

    session_max_age: ClassVar[float | timedelta] = 1_209_600
    """How long a session lasts without a visit: seconds or a ``timedelta``."""

    session_absolute_max_age: ClassVar[float | timedelta] = 7_776_000
    """How long a session lasts with visits: seconds or a ``timedelta``, at most 400 days."""

    _cookies_of_login: Sequence[str] = ()
    _renewal: str | None = None

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
            # Error trackers keep the locals of frames, so the secret is not one of them.
            flows[key] = LoginFlow(
                self.portier, secret=self.settings.get("portier_secret"), **options
            )
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
        if not self._headers_written:
            if self.get_status() < 400:
                self._add_cookies(self._cookies_of_login)
            self._renew_session()
        return super().flush(include_footers)

    def _web_request(self, *, form_token_checked: bool = False) -> WebRequest:
        return WebRequest(
            self.request.method or "",
            self.request.headers,
            self.request.body,
            query=self.request.query,
            form_token_checked=form_token_checked,
        )

    def _is_form_token_checked(self) -> bool:
        """Whether Tornado's own check passes, whatever the site has made of it."""
        if not self.settings.get("xsrf_cookies"):
            return False
        try:
            RequestHandler.check_xsrf_cookie(self)
        except HTTPError:
            return False
        return True

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

    def _renew_session(self) -> None:
        """Make the session last longer, unless this answer ends it or begins another one."""
        if self._renewal is None:
            return
        name = self._renewal.partition("=")[0]
        cookies = self._headers.get_list("Set-Cookie")
        if not any(cookie.startswith(f"{name}=") for cookie in cookies):
            self._add_cookies([self._renewal])

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
