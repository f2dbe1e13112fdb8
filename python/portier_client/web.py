"""The web side of a login, for any framework: requests in, answers out.

A site has a login form and a redirect URI. It passes the requests for both to a
:class:`LoginFlow`, and sends the answer that the flow returns. With Starlette or FastAPI::

    from starlette.requests import Request
    from starlette.responses import Response

    from portier_client import Client
    from portier_client.web import LoginFlow, Step, WebRequest

    flow = LoginFlow(Client("https://example.com/verify"))

    async def login(request: Request) -> Response:  # POST /login
        return answer(await flow.login(await facts(request)))

    async def verify(request: Request) -> Response:  # every method of /verify
        step = await flow.callback(await facts(request))
        if step.login:
            request.session.clear()
            request.session["email"] = step.login.email
        return answer(step)

    async def facts(request: Request) -> WebRequest:
        body = await request.body()
        return WebRequest(request.method, request.headers, body, query=request.url.query)

    def answer(step: Step) -> Response:
        response = Response(step.reply.body, step.reply.status)
        response.raw_headers = [(name.encode(), value.encode()) for name, value in step.header_list]
        return response

``login`` starts the login, and ``verify`` completes it. The flow refuses forms of other sites,
binds each login to its browser, and makes the pages about problems.
:class:`portier_client.blocking.LoginFlow` is the same without an event loop.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from ._client import Client
from ._flow import BaseLoginFlow, is_accepted
from ._login import Login, NativeLogin, login_from_native
from ._native import MAX_FORM_BYTES
from ._request import COOKIE, WebRequest
from ._session import Session, SessionCookie
from .errors import LoginRefused, PortierError

__all__ = [
    "MAX_FORM_BYTES",
    "BrowserBinding",
    "Confirmation",
    "Flow",
    "LoginFlow",
    "Problem",
    "Reply",
    "Session",
    "SessionCookie",
    "Step",
    "WebRequest",
]

BrowserBinding = Literal["off", "confirm", "require"]
"""What happens if a login ends in another browser than it was started in: nothing,
by asking the person, or by refusing it."""

Flow = Literal["auto", "implicit", "code"]
"""What the browser brings back from the broker: a token (``"implicit"``), a code that the site
redeems for the token (``"code"``), or a code if broker and store support it (``"auto"``)."""


class LoginFlow(BaseLoginFlow[Client]):
    """Answers the requests of a login, in any framework.

    Make one for each client, and keep it. Its methods take a :class:`WebRequest` and return a
    :class:`Step`: the finished answer, and data for the site's own code. The flow does no I/O over
    HTTP. It logs one record for each event, like the client.

    ``client``
        The client to log in with. A closed client closes its flows.
    ``flow``
        With ``"code"``, the browser brings back a code, which the client redeems at the broker for
        the token. With ``"implicit"``, it brings back the token itself. ``"auto"`` is the code flow
        if the broker's discovery document lists it and the store supports it, otherwise the
        implicit flow.
    ``browser_binding``
        What happens if a login ends in another browser than it was started in, for example because
        the mail was opened on another device. ``"confirm"`` asks the person whether to
        continue, ``"require"`` refuses the login. ``"off"`` does not check the browser, so an
        attacker can sign a visitor in as the attacker.
    ``login_url``
        The page with the login form, which pages about problems link to: a path or an absolute URL,
        as browsers see it. By default ``/``, below the prefix that ``callback_path`` shows.
    ``default_next``
        The redirect target of a login without ``next``. It has the same form and default.
    ``allowed_hosts``
        Other hosts that ``next`` may name, over ``https`` only.
    ``identity_providers``
        Origins to which the broker redirects at once, for :attr:`form_policy`. The public broker
        redirects Gmail addresses to Google.
    ``callback_path``
        The path of the callback as the site sees it, if a proxy changes paths; by default the path
        of the redirect URI. What precedes it there is the prefix that the proxy strips.
    ``form_token_checked``
        Whether the site checks a token in every login form before it calls the flow, for example of
        a CSRF protection. Then a form with ``Origin: null`` is accepted.
    ``languages``
        The languages of the pages, such as ``["de", "en"]``. ``Accept-Language`` selects one of
        them; the first one is the default.
    ``texts``
        Texts that replace the built-in ones, by language and id.
    ``secret``
        Turns sessions on: a completed login starts a session in a sealed cookie. A secret has at
        least 32 random bytes, as ``bytes`` or ``str``. Of several secrets, the first one seals, and
        all of them open.
    ``session_max_age``
        The lifetime of a session without a visit: seconds or a ``timedelta``.
    ``session_absolute_max_age``
        The lifetime of a session with visits: seconds or a ``timedelta``, at most 400 days.
    ``accept``
        A function that returns whether a session is still valid, so that a site can end sessions.
        It is called with each session that is read, and may be ``async``.

    Raises :class:`ConfigError` (``invalid_option``) for an invalid value, ``TypeError`` for a wrong
    type, ``RuntimeError`` for a closed client.

    >>> from portier_client.web import LoginFlow, WebRequest
    >>> flow = LoginFlow(Client("https://example.com/verify", broker=broker.origin))
    >>> headers = {"Content-Type": "application/x-www-form-urlencoded"}
    >>> form = WebRequest("POST", headers, b"email=alice%40example.com&next=/members")
    >>> step = asyncio.run(flow.login(form))
    >>> step.reply.status, dict(step.reply.headers)["location"]  # doctest: +ELLIPSIS
    (303, 'http://127.0.0.1:.../auth?...')
    """

    __slots__ = ()
    _kind = Client

    async def login(self, request: WebRequest) -> Step:
        """Start a login from the site's form with ``email`` and, optionally, ``next``.

        The reply redirects the browser to the broker. ``next`` is the page to redirect to after the
        login. Forms of other sites are refused; otherwise any site could send mails in this site's
        name.
        """
        native = self._native.login(*request._facts)
        return step_from_native(native if isinstance(native, tuple) else await native)

    async def start(self, request: WebRequest, email: str, next_page: str = "") -> Step:
        """Start a login for the address ``email``, for a site whose form has other fields.

        The site reads the form and checks its origin; the body of ``request`` is ignored. A
        ``next_page`` on another site is ignored.
        """
        try:
            native = self._native.start(*request._head, email, next_page)
        finally:
            # Error trackers keep the locals of frames.
            del email, next_page
        return step_from_native(native if isinstance(native, tuple) else await native)

    async def callback(self, request: WebRequest) -> Step:
        """Answer a request to the redirect URI, whatever its method.

        The broker's answer is in the query of a ``GET`` in the code flow, and in the form of a
        ``POST`` otherwise. Nothing else completes a login.

        ``step.login`` is the completed login, if there is one: sign that person in, then send the
        reply with :attr:`Step.header_list`.
        """
        native = self._native.callback(*request._facts, request._query)
        step = step_from_native(native if isinstance(native, tuple) else await native)
        step._refusing = self._native.refuse_account, request._head
        return step

    async def session(self, request: WebRequest) -> Session | None:
        """Return the session of the person who sends a request, if ``accept`` accepts it.

        Set :attr:`Session.renewal <portier_client.web.Session.renewal>` as a cookie on the answer,
        if there is one: it renews the session. Without a ``secret``, there are no sessions. An
        exception of ``accept`` is raised.
        """
        session = self._read_session(request._head[1][COOKIE])
        if session is None or self._accept is None:
            return session
        answer = self._accept(session)
        accepted = is_accepted(answer if isinstance(answer, bool) else await answer)
        return session if accepted else None

    async def health(self, request: WebRequest) -> Step:
        """Answer a health check with :meth:`portier_client.Client.health`: 503 for ``fail``."""
        return step_from_native(self._native.health(*request._head))

    async def logout(self, request: WebRequest) -> Step:
        """End the session in this browser, and redirect it to the login page.

        Only a ``POST`` from a page of this site ends the session, by the rule for login forms. The
        body is ignored.
        """
        return step_from_native(self._native.logout(*request._facts[:3]))


# Frozen ones take longer to make.
@dataclass(slots=True, kw_only=True)
class Step:
    """The result of a request: the finished answer, and data for the site's own code.

    A site acts in this order: on ``error``, on ``page``, on ``login``. Then it sends the reply.
    """

    reply: Reply
    """The answer to send."""

    login: Login | None
    """A completed login: sign this person in, then send the reply."""

    login_cookies: list[str]
    """``Set-Cookie`` values of a completed login. Add them to the answer only after the person was
    signed in. They prove that to this site: a reload then redirects to the page of the login.
    Without them, a reload shows that the login was used already. With a ``secret``, the session's
    cookie is among them."""

    session: Session | None
    """The session that a completed login has started, with a ``secret``."""

    page: Problem | Confirmation | None
    """The content of the page in the reply, for a site with its own pages."""

    error: PortierError | None
    """The reason why there is no login. The reply tells the person."""

    _refusing: tuple[Callable[..., NativeStep], tuple[Any, ...]] | None = field(
        default=None, repr=False, compare=False
    )

    def refuse(self, error: LoginRefused) -> Step:
        """Return the step of a login that the site refuses.

        It shows a page (403), or a problem to scripts, in the language of the person. It has no
        cookies, and no ``login``. A step without a login stays as it is.

        For example ``step = step.refuse(LoginRefused(code="account_unknown"))``.
        """
        if self.login is None or self._refusing is None:
            return self
        refuse, head = self._refusing
        step = step_from_native(refuse(*head, error.code, str(error)))
        step.error = error
        return step

    @property
    def header_list(self) -> list[tuple[str, str]]:
        """All headers of the answer, with cookies, policy and ``login_cookies``.

        Use it after the person of ``login`` was signed in. Names are in lower case; ``set-cookie``
        may be repeated.
        """
        reply = self.reply
        headers = [*reply.headers]
        if reply.policy is not None:
            headers.append(("content-security-policy", reply.policy))
        headers += [("set-cookie", cookie) for cookie in reply.cookies]
        headers += [("set-cookie", cookie) for cookie in self.login_cookies]
        return headers

    def __repr__(self) -> str:
        """Show nothing secret."""
        return f"<Step status={self.reply.status} login={self.login!r} error={self.error!r}>"


@dataclass(slots=True, kw_only=True)
class Reply:
    """A finished HTTP answer."""

    status: int
    """The HTTP status."""

    headers: list[tuple[str, str]]
    """Header names in lower case, and values, without cookies and policy. No name occurs twice."""

    cookies: list[str]
    """Values of ``Set-Cookie`` headers, to be added to those of the site."""

    policy: str | None
    """The ``Content-Security-Policy`` of ``body``. Omit it if the site's own page replaces the
    body."""

    body: str
    """HTML or JSON, according to the header ``content-type``; empty for a redirect."""

    def __repr__(self) -> str:
        """Show nothing secret."""
        return f"<Reply status={self.status}>"


@dataclass(frozen=True, slots=True)
class Problem:
    """A failed login, described for the person at the browser.

    ``title`` and ``text`` contain nothing of the request.
    """

    id: str
    """A stable name, such as ``over`` or ``broker_unavailable``."""

    status: int
    """The HTTP status."""

    title: str
    """A few words."""

    text: str
    """A sentence or two: what happened, and what to do."""

    retry_after: int | None
    """Seconds to wait before another attempt, or ``None`` if waiting does not help."""

    language: str
    """The language of ``title`` and ``text``, such as ``en``."""

    typed_email: str | None = field(default=None, repr=False)
    """What was typed into the login form as the address, to show the form again with it, or
    ``None`` if the problem is not about a login form with an address. It can be any text: escape
    it."""

    next: str | None = field(default=None, repr=False)
    """The field ``next`` of that login form, if it is an allowed redirect target."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The question whether to sign in in a browser that did not start the login.

    The site's own page needs a form that posts ``fields`` to the URL of the page, once and only
    when the person agrees, and a ``Content-Security-Policy`` that forbids frames.
    """

    email: str
    """The address of the login. The person at this browser may be somebody else: an attacker can
    redirect any browser here."""

    fields: list[tuple[str, str]]
    """Names and values of the hidden fields of the form that confirms."""

    language: str
    """The language chosen for this browser, such as ``en``."""

    def __repr__(self) -> str:
        """Show nothing secret."""
        return f"<Confirmation language={self.language!r}>"


NativeStep = tuple[
    int,
    list[tuple[str, str]],
    list[str],
    str | None,
    str,
    NativeLogin | None,
    list[str],
    Session | None,
    tuple[str, int, str, str, int | None, str, str | None, str | None] | None,
    tuple[str, list[tuple[str, str]], str] | None,
    PortierError | None,
]


def step_from_native(native: NativeStep) -> Step:
    """Make a step from what the native module returns."""
    # The constructors take twice as long.
    step, reply = _new(Step), _new(Reply)
    (
        reply.status,
        reply.headers,
        reply.cookies,
        reply.policy,
        reply.body,
        login,
        step.login_cookies,
        step.session,
        problem,
        confirmation,
        step.error,
    ) = native
    step.reply = reply
    step._refusing = None
    step.login = None if login is None else login_from_native(login)
    if problem is not None:
        step.page = Problem(*problem)
    else:
        step.page = None if confirmation is None else Confirmation(*confirmation)
    return step


_new = object.__new__
