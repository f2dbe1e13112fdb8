"""The common base of the Tornado handlers."""

from __future__ import annotations

import asyncio
import operator
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
    "callback_path",
    "languages",
    "texts",
    "session_max_age",
    "session_absolute_max_age",
)


class PortierMixin(RequestHandler):
    """The options and hooks of all handlers; also for handlers that call :meth:`start_login`.

    The application's settings are ``portier`` (the client), ``login_url`` (the page with the login
    form, ``/`` by default) and ``portier_secret``, which turns sessions on, see
    :class:`SessionMixin`. Override the property ``portier`` to choose another client for a request.
    The class attributes are the options of :class:`~portier_client.web.LoginFlow`. Use the same
    values in all handlers of a site.
    """

    flow: ClassVar[Flow] = "auto"
    """What the browser brings back: a token, or a code that the client redeems at the broker."""

    browser_binding: ClassVar[BrowserBinding] = "confirm"
    """What happens if a login ends in another browser than it was started in."""

    default_next: ClassVar[str | None] = None
    """The redirect target of a login without ``next``; by default the first page of the site."""

    allowed_hosts: ClassVar[Sequence[str]] = ()
    """Other hosts that ``next`` may name, over ``https`` only."""

    identity_providers: ClassVar[Sequence[str]] = (GOOGLE,)
    """Origins to which the broker redirects at once, for ``login_flow.form_policy``."""

    callback_path: ClassVar[str | None] = None
    """The route of the redirect URI, if a proxy strips a prefix from the paths."""

    languages: ClassVar[Sequence[str]] = ("en",)
    """The languages of the pages; the first one is the default."""

    texts: ClassVar[Mapping[str, Mapping[str, str]]] = {}
    """Texts that replace the built-in ones, by language and id."""

    session_max_age: ClassVar[float | timedelta] = 1_209_600
    """The lifetime of a session without a visit: seconds or a ``timedelta``."""

    session_absolute_max_age: ClassVar[float | timedelta] = 7_776_000
    """The lifetime of a session with visits: seconds or a ``timedelta``, at most 400 days."""

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
        used = (
            self.portier,
            self.settings.get("login_url"),
            *[getattr(self, name) for name in _OPTIONS],
        )
        state = vars(self.application)
        latest: dict[type, tuple[tuple[Any, ...], LoginFlow]]
        latest = state.setdefault("_portier_latest_flows", {})
        before = latest.get(type(self))
        # Most requests have the same objects. To compare their texts takes ten times as long.
        if before is not None and all(map(operator.is_, used, before[0])):
            return before[1]
        flows: dict[object, LoginFlow] = state.setdefault("_portier_flows", {})
        client, login_url, *values = used
        options = {"login_url": login_url, **dict(zip(_OPTIONS, values, strict=True))}
        key = (client, repr(options))
        if key not in flows:
            if len(flows) >= _MAX_FLOWS:
                flows.clear()
                latest.clear()
            # Error trackers keep the locals of frames, so the secret is not one of them.
            flows[key] = LoginFlow(client, secret=self.settings.get("portier_secret"), **options)
        latest[type(self)] = used, flows[key]
        return flows[key]

    @property
    def cookie_flags(self) -> dict[str, Any]:
        """Flags for the cookie that keeps a person signed in, for ``set_signed_cookie``.

        ``SameSite=Lax``, because the browser comes from the broker's site: a ``Strict`` cookie
        would be missing on the next page. A site with sessions on its server should begin a new
        session in ``on_login``, and never continue the earlier one.
        """
        return {"httponly": True, "samesite": "Lax", "secure": self.login_flow.is_secure}

    async def start_login(self, email: str, next_page: str = "") -> None:
        """Redirect the browser to the broker, to verify the address ``email``.

        After the login, the browser is redirected to ``next_page``; a page on another site is
        ignored. The handler must check the origin of the request; Tornado's XSRF check does that.
        """
        try:
            starting = self.login_flow.start(self._web_request(), email, next_page)
        finally:
            # Error trackers keep the locals of frames.
            del email, next_page
        await self._respond(await starting)

    def safe_next(self, page: str) -> str | None:
        """Return ``page`` in the form for a redirect, or ``None`` if it is on another site."""
        return self.login_flow.safe_next(page)

    def see_other(self, url: str) -> None:
        """Redirect with 303, so that a form is not posted again, and without caching."""
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.redirect(url, status=303)

    def on_login_error(self, error: PortierError) -> Awaitable[None] | None:
        """Handle a failed login; ``async`` or not. Override it to answer certain errors.

        If it sends no response, the page about the problem is shown.
        """
        return None

    def show_problem(self, problem: Problem) -> Awaitable[None] | None:
        """Write the page about a failed login; ``async`` or not. Override it for your own page.

        Status, headers and cookies are set already. If it writes nothing, the built-in page is
        sent.
        """
        return None

    def show_confirmation(self, confirmation: Confirmation) -> Awaitable[None] | None:
        """Write the page that asks whether to continue the login in this browser.

        Override it for your own page, ``async`` or not. The page needs a form that posts the fields
        to the URL of the page, once and only when the person agrees, and a
        ``Content-Security-Policy`` that forbids frames. If it writes nothing, the built-in page is
        sent.
        """
        return None

    def flush(self, include_footers: bool = False) -> asyncio.Future[None]:
        """Send the response, with the cookies of a successful login."""
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
        """Whether Tornado's own XSRF check passes, even if the site overrides it."""
        if not self.settings.get("xsrf_cookies"):
            return False
        try:
            RequestHandler.check_xsrf_cookie(self)
        except HTTPError:
            return False
        return True

    async def _respond(self, step: Step) -> None:
        """Run the hooks, then send the reply unless a hook has sent a response."""
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
        """Renew the session, unless this response ends it or starts another one."""
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
        """Wait for a hook; return whether it has sent or written a response."""
        if answer is not None:
            await answer
        if not self._finished and (self._headers_written or self._write_buffer):
            self.finish()
        return self._finished
