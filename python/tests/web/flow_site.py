"""Replays the vectors of the web flow through a login flow, without a site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portier_client import LoginRefused, PortierError, blocking
from portier_client.testing import ManualClock, MockTransport, mock_client
from portier_client.web import LoginFlow, Step, WebRequest

from .expected import Answer
from .replay import NOWHERE, Request

if TYPE_CHECKING:
    import asyncio


EMAIL = "alice@example.com"
LOGIN_MEMBERS = ("email", "same_browser", "state", "session")


@dataclass(frozen=True)
class CaseClient:
    """The client of a case, and the parts that steps control."""

    client: Any
    """A client of either kind."""
    clock: ManualClock
    transport: MockTransport
    store: SwitchedStore | None
    flow_options: dict[str, Any]


def make_client(
    options: dict[str, Any],
    *,
    has_switched_store: bool,
    broker: str,
    documents: dict[str, str],
    now: int,
    is_blocking: bool = False,
) -> CaseClient:
    """Makes the client for the options of a case; the remaining options are the flow's."""
    # No case in `web.json` names it.
    options = {"flow": "implicit", **options}
    names = ("redirect_uri", "response_mode", "session_ttl")
    given = {name: options.pop(name) for name in names if name in options}
    given["broker"] = NOWHERE if options.pop("broker", None) else broker
    # Only a custom store can be down, and only the default store uses the manual clock.
    store = SwitchedStore() if has_switched_store else None
    if store is not None:
        given["store"] = store
    transport, clock = MockTransport(), ManualClock(now)
    for url, text in documents.items():
        transport.respond(url, text.encode())
    client: Any = mock_client(clock=clock, transport=transport, **given)
    if is_blocking:
        native, client = client._native, blocking.Client.__new__(blocking.Client)
        client._adopt(native)
    return CaseClient(client, clock, transport, store, options)


class SwitchedStore:
    """A store that can be unavailable."""

    def __init__(self) -> None:
        self.is_down = False
        self._records: dict[str, str] = {}

    def put(self, nonce: str, record: str, ttl: float, /) -> None:
        self._check()
        self._records[nonce] = record

    def take(self, nonce: str, /) -> str | None:
        self._check()
        record = self._records.get(nonce)
        if record is not None:
            self._records[nonce] = ""
        return record

    def contains(self, nonce: str, /) -> bool:
        self._check()
        return bool(self._records.get(nonce))

    def _check(self) -> None:
        if self.is_down:
            raise OSError("the store is down")


class FlowSite:
    """Answers the steps of a case like an integration, without HTTP."""

    def __init__(self, made: CaseClient, runner: asyncio.Runner) -> None:
        self._made = made
        self._runner = runner
        self._flow = LoginFlow(made.client, **made.flow_options)

    def ask(self, name: str, of: str) -> object:
        """Returns a property of the flow, or the result of its method `name` for `of`."""
        member = getattr(self._flow, name)
        return member(of) if callable(member) else member

    def authenticate(self, session: str) -> str:
        """Starts a login with the client itself."""
        return self._runner.run(self._made.client.authenticate(EMAIL, session=session))

    def advance(self, seconds: int) -> None:
        """Moves the clock of the client."""
        self._made.clock.advance(seconds)

    def send(self, step: dict[str, Any], request: Request) -> Answer:
        """Answers a request."""
        facts = WebRequest(
            request.method,
            request.headers,
            request.body,
            query=request.query,
            form_token_checked=request.form_token_checked,
        )
        if self._made.store is not None:
            self._made.store.is_down = "store" in step
        if step["do"] == "login":
            answering = self._flow.login(facts)
        elif step["do"] == "start":
            answering = self._flow.start(facts, step["email"], step["next"])
        elif step["do"] == "require_login":
            try:
                return answer(self._flow.require_login(facts, step["page"]), None)
            except PortierError as error:
                return Answer(500, [], [], "", error.code)
        elif step["do"] == "health":
            answering = self._flow.health(facts)
        elif step["do"] == "logout":
            answering = self._flow.logout(facts)
        else:
            answering = self._flow.callback(facts)
        return answer(self._runner.run(answering), step.get("hook"))

    def session(self, request: Request) -> tuple[str, str | None] | None:
        """The address of the session of a request, and the cookie that renews it."""
        facts = WebRequest(request.method, request.headers)
        session = self._runner.run(self._flow.session(facts))
        return session and (session.email, session.renewal)

    def answer_token_requests(self, status: int, body: str) -> None:
        """Sets how the broker answers token requests from now on."""
        headers = [("content-type", "application/json")]
        self._made.transport.respond(self._token_endpoint, body, status=status, headers=headers)

    def token_requests(self) -> int:
        """How many token requests there were so far."""
        return self._made.transport.requests(self._token_endpoint)

    @property
    def _token_endpoint(self) -> str:
        return f"{self._made.client.broker}/token"


def answer(step: Step, hook: str | list[Any] | dict[str, str] | None) -> Answer:
    """The response of an integration whose hook behaves as the case says."""
    login = None if step.login is None else login_members(step.login)
    if isinstance(hook, dict):
        step, hook = step.refuse(LoginRefused(code=hook["refuses"])), None
    reply = step.reply
    error = None if step.error is None else step.error.code
    if login is not None and hook == "throws":
        return Answer(500, [], [], "", error, login, is_ours=False)
    cookies = [*reply.cookies, *step.login_cookies]
    if login is not None and hook is not None:
        status, text = hook
        return Answer(status, [], cookies if status < 400 else [], text, error, login, False)
    policy = [] if reply.policy is None else [("content-security-policy", reply.policy)]
    headers = [*reply.headers, *policy]
    typed = {name: getattr(step.page, name, None) for name in ("typed_email", "next")}
    return Answer(reply.status, headers, cookies, reply.body, error, login, typed=typed)


def login_members(login: Any) -> dict[str, Any]:
    """The members of a login that a hook gets."""
    return {name: getattr(login, name) for name in LOGIN_MEMBERS}
