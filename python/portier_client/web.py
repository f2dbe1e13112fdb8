"""The web side of a login, for any framework: requests in, answers out.

A site has a login form and a redirect URI. It gives the requests for both to a :class:`LoginFlow`
and sends the answer that comes back. With Starlette or FastAPI::

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

``login`` starts the login, ``verify`` completes it, and the flow does what is in between: it
refuses forms of other sites, binds each login to its browser, and makes the pages that people see
when something is wrong. :class:`portier_client.blocking.LoginFlow` is the same without an event
loop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ._client import Client
from ._flow import BaseLoginFlow, is_accepted
from ._login import Login, NativeLogin, login_from_native
from ._native import MAX_FORM_BYTES
from ._request import COOKIE, WebRequest
from ._session import Session, SessionCookie
from .errors import PortierError

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
"""What happens where a login ends in another browser than it was started in: nobody looks, the
person is asked whether to go on, or it is refused."""

Flow = Literal["auto", "implicit", "code"]
"""What the browser brings back from the broker: a token, a code that the site redeems for the
token, or a code wherever the broker and the store support that."""


class LoginFlow(BaseLoginFlow[Client]):
    """Answers the requests of a login, whatever framework they come through.

    Make one for each client, and keep it. Its methods take a :class:`WebRequest` and return a
    :class:`Step`: the finished answer, and what the site may add to it. The flow itself does no I/O
    over HTTP, and logs one record for each event, as the client does.

    ``client``
        The client to log in with. A closed client closes its flows.
    ``flow``
        ``"code"`` has the browser bring a code back, which the client redeems at the broker for the
        token; ``"implicit"`` has it bring the token itself; ``"auto"`` is the code flow where the
        broker's discovery document lists it and the store can keep its logins, else the implicit
        flow.
    ``browser_binding``
        What happens where a login ends in another browser than it was started in, as when mail is
        opened on another device: ``"confirm"`` asks the person whether to go on, ``"require"``
        refuses, ``"off"`` does not look, and then an attacker can sign a visitor in as the
        attacker.
    ``login_url``
        The page with the login form, to which pages about problems lead.
    ``default_next``
        The redirect target of a login without ``next``: a path on this site or an absolute URL.
    ``allowed_hosts``
        Hosts other than this site that ``next`` may lead to, over ``https`` only.
    ``identity_providers``
        Origins to which the broker sends people on at once, for :attr:`form_policy`. The public
        broker sends Gmail addresses to Google.
    ``callback_path``
        The path of the callback as the site sees it, where a proxy in front changes paths; that of
        the redirect URI by default.
    ``form_token_checked``
        Whether the site checks a token in every login form before the flow gets it, such as that of
        a CSRF protection. Then a form with ``Origin: null`` is accepted.
    ``languages``
        The languages of the pages, such as ``["de", "en"]``. ``Accept-Language`` chooses one of
        them; the first is for everybody else.
    ``texts``
        Texts in place of those built in, by language and id.
    ``secret``
        Turns sessions on: a completed login begins one, in a sealed cookie. At least 32 random
        bytes, as ``bytes`` or ``str``, or several of these: the first one seals, all of them open.
    ``session_max_age``
        How long a session lasts without a visit: seconds or a ``timedelta``.
    ``session_absolute_max_age``
        How long a session lasts with visits: seconds or a ``timedelta``, at most 400 days.
    ``accept``
        A function that gets each session that is read and returns whether it still counts, so that
        a site can end sessions. It may be ``async``.

    Raises :class:`ConfigError` (``invalid_option``) for a value that cannot work, ``TypeError`` for
    a wrong type, ``RuntimeError`` for a closed client.

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
        """Start a login: take the site's form with ``email`` and, optionally, ``next``.

        The reply redirects the browser to the broker. ``next`` is the page to lead to afterwards.
        Forms of other sites are refused, or any site could have mail sent in this one's name.
        """
        native = self._native.login(*request._facts)
        return step_from_native(native if isinstance(native, tuple) else await native)

    async def start(self, request: WebRequest, email: str, next_page: str = "") -> Step:
        """Start a login for a site with a form of another shape, for the address ``email``.

        The site checks where the request comes from and reads the form; the body of ``request`` is
        not looked at. A ``next_page`` that would lead off this site is dropped.
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
        return step_from_native(native if isinstance(native, tuple) else await native)

    async def session(self, request: WebRequest) -> Session | None:
        """Return the session of the person who sends a request, if ``accept`` accepts it.

        Set :attr:`Session.renewal <portier_client.web.Session.renewal>` as a cookie on the answer,
        if there is one: it makes the session last longer. ``None`` for everybody without a
        ``secret``. What ``accept`` raises is raised.
        """
        session = self._read_session(request._head[1][COOKIE])
        if session is None or self._accept is None:
            return session
        answer = self._accept(session)
        accepted = is_accepted(answer if isinstance(answer, bool) else await answer)
        return session if accepted else None

    async def logout(self, request: WebRequest) -> Step:
        """End the session in this browser, and lead it to the login page.

        Only a ``POST`` does, and only one of this site's own pages, by the rule for login forms.
        The body is not looked at.
        """
        return step_from_native(self._native.logout(*request._facts[:3]))


# Frozen ones take longer to make.
@dataclass(slots=True, kw_only=True)
class Step:
    """What came of a request: the finished answer, and what the site may add to it.

    A site acts in this order: on ``error``, on ``page``, on ``login``. Then it sends the reply.
    """

    reply: Reply
    """The answer to send."""

    login: Login | None
    """A completed login: sign this person in, then send the reply."""

    login_cookies: list[str]
    """``Set-Cookie`` values of a completed login. Add them to the answer only after its person was
    signed in. They prove to this site that this has happened: a reload then leads to the page the
    login was for, and without them to a page that says that the login was used already. With a
    ``secret``, the session's cookie is among them."""

    session: Session | None
    """The session that a completed login has begun, with a ``secret``."""

    page: Problem | Confirmation | None
    """What the page in the reply shows, for a site that has pages of its own."""

    error: PortierError | None
    """Why there is no login. The reply tells the person."""

    @property
    def header_list(self) -> list[tuple[str, str]]:
        """All headers of the answer, with cookies, policy and ``login_cookies``.

        Use it once the person of ``login`` has been signed in. Names are in lower case;
        ``set-cookie`` may be repeated.
        """
        reply = self.reply
        headers = [*reply.headers]
        if reply.policy is not None:
            headers.append(("content-security-policy", reply.policy))
        headers += [("set-cookie", cookie) for cookie in reply.cookies]
        headers += [("set-cookie", cookie) for cookie in self.login_cookies]
        return headers

    def __repr__(self) -> str:
        """Show what is no secret."""
        return f"<Step status={self.reply.status} login={self.login!r} error={self.error!r}>"


@dataclass(slots=True, kw_only=True)
class Reply:
    """A finished HTTP answer."""

    status: int
    """The HTTP status."""

    headers: list[tuple[str, str]]
    """Header names, in lower case, and values, without cookies and policy. No name is repeated."""

    cookies: list[str]
    """Values of ``Set-Cookie`` headers, to be added to those of the site."""

    policy: str | None
    """The ``Content-Security-Policy`` of ``body``. Leave it out when a page of the site's own
    replaces the body."""

    body: str
    """HTML or JSON, as the header ``content-type`` says; empty for a redirect."""

    def __repr__(self) -> str:
        """Show what is no secret."""
        return f"<Reply status={self.status}>"


@dataclass(frozen=True, slots=True)
class Problem:
    """A failed login in words for the person in front of the browser.

    Nothing of what came with the request is repeated in it.
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
    """Seconds after which it may work, or ``None`` where waiting does not help."""

    language: str
    """The language of ``title`` and ``text``, such as ``en``."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The question whether to sign in in a browser that did not start the login.

    A page of the site's own needs a form that posts ``fields`` to the address of the page, once and
    only when the person says so, and a ``Content-Security-Policy`` that forbids frames.
    """

    email: str
    """The address of the login. The person at this browser may be somebody else: an attacker can
    send anybody here."""

    fields: list[tuple[str, str]]
    """Names and values of the hidden fields of the form that says yes."""

    language: str
    """The language chosen for this browser, such as ``en``."""

    def __repr__(self) -> str:
        """Show what is no secret."""
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
    tuple[str, int, str, str, int | None, str] | None,
    tuple[str, list[tuple[str, str]], str] | None,
    PortierError | None,
]


def step_from_native(native: NativeStep) -> Step:
    """Make a step from what the native module returns."""
    status, headers, cookies, policy, body, login, login_cookies, *_ = native
    session, problem, confirmation, error = native[-4:]
    page: Problem | Confirmation | None = None
    if problem is not None:
        page = Problem(*problem)
    elif confirmation is not None:
        page = Confirmation(*confirmation)
    return Step(
        reply=Reply(status=status, headers=headers, cookies=cookies, policy=policy, body=body),
        login=None if login is None else login_from_native(login),
        login_cookies=login_cookies,
        session=session,
        page=page,
        error=error,
    )
