"""The sessions of a flow: they begin with a login, are read, renewed and ended."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from portier_client import Client, ConfigError, InvalidEmail, blocking
from portier_client.testing import ManualClock, MockTransport, mock_client
from portier_client.web import LoginFlow, Session, SessionCookie, WebRequest

from ..client.test_frames import secrets_in
from .by_hand import HEADERS, REDIRECT_URI

if TYPE_CHECKING:
    from portier_client.testing import DevBroker
    from portier_client.web import Step

SECRET = "rN5yH8cV2bM7kX4zT9wQ1pL6sD3gF0jA"
NAME = "__Host-portier-session"
DAY = 24 * 60 * 60
NOW = 1_790_000_000
HERE = {"Sec-Fetch-Site": "same-origin"}


def make(clock: ManualClock | None = None, **options: Any) -> LoginFlow:
    clock = ManualClock(NOW) if clock is None else clock
    client = mock_client(REDIRECT_URI, clock=clock, transport=MockTransport())
    return LoginFlow(client, **{"secret": SECRET, **options})


def visit(set_cookie: str, method: str = "GET", **headers: str) -> WebRequest:
    return WebRequest(method, {"Cookie": set_cookie.partition(";")[0], **headers})


def names(cookies: list[str]) -> list[str]:
    return [cookie.partition("=")[0] for cookie in cookies]


def of(step: Step) -> dict[str, str]:
    return dict(step.reply.headers)


@pytest.mark.parametrize("is_blocking", [False, True])
def test_a_login_begins_a_session(broker: DevBroker, *, is_blocking: bool) -> None:
    sessions: list[Session | None] = []

    def log_in_blocking() -> Step:
        client = blocking.Client(REDIRECT_URI, broker=broker.origin)
        flow = blocking.LoginFlow(client, secret=SECRET)
        started = flow.login(WebRequest("POST", HEADERS, b"email=Alice%40Example.com"))
        query = urlencode(broker.sign_in(of(started)["location"]))
        step = flow.callback(WebRequest("GET", HEADERS, query=query))
        sessions.append(flow.session(visit(step.login_cookies[-1])))
        return step

    async def log_in() -> Step:
        flow = LoginFlow(Client(REDIRECT_URI, broker=broker.origin), secret=SECRET)
        started = await flow.login(WebRequest("POST", HEADERS, b"email=Alice%40Example.com"))
        query = urlencode(broker.sign_in(of(started)["location"]))
        step = await flow.callback(WebRequest("GET", HEADERS, query=query))
        sessions.append(await flow.session(visit(step.login_cookies[-1])))
        return step

    step = log_in_blocking() if is_blocking else asyncio.run(log_in())
    assert names(step.login_cookies) == ["__Host-portier-signed-in", NAME]
    assert step.session is not None
    (read,) = sessions
    assert read is not None
    assert (read.email, read.id) == ("alice@example.com", step.session.id)
    assert [name for name, _ in step.header_list].count("set-cookie") == 2


def test_without_a_secret_there_are_no_sessions() -> None:
    flow = make(secret=None)
    _, set_cookie = make().start_session("alice@example.com")
    assert asyncio.run(flow.session(visit(set_cookie))) is None
    with pytest.raises(ConfigError, match="no sessions"):
        flow.start_session("alice@example.com")


def test_a_session_is_renewed_in_the_second_half_of_its_time() -> None:
    clock = ManualClock(NOW)
    flow = make(clock, session_max_age=10 * DAY)
    begun, set_cookie = flow.start_session("Alice@Example.com")
    assert begun.email == "alice@example.com"
    first = asyncio.run(flow.session(visit(set_cookie)))
    assert first is not None
    assert (first.renewal, first.expires_at) == (None, NOW + 10 * DAY)
    clock.advance(6 * DAY)
    second = asyncio.run(flow.session(visit(set_cookie)))
    assert second is not None
    assert second.renewal is not None
    clock.advance(6 * DAY)
    assert asyncio.run(flow.session(visit(set_cookie))) is None
    third = asyncio.run(flow.session(visit(second.renewal)))
    assert third is not None
    assert (third.id, third.signed_in_at) == (begun.id, NOW)
    with pytest.raises(InvalidEmail):
        flow.start_session("nobody")


def test_the_flow_accepts_a_cookie_of_session_cookie() -> None:
    flow = make()
    cookie = SessionCookie(flow.client, SECRET)
    session, set_cookie = cookie.start("alice@example.com")
    read = asyncio.run(flow.session(visit(set_cookie)))
    assert read is not None
    assert read.id == session.id


@pytest.mark.parametrize("is_async", [False, True])
def test_a_site_may_end_sessions(*, is_async: bool) -> None:
    ended: set[str] = set()

    def counts(session: Session) -> bool:
        return session.id not in ended

    async def counts_later(session: Session) -> bool:
        await asyncio.sleep(0)
        return session.id not in ended

    flow = make(accept=counts_later if is_async else counts)
    session, set_cookie = flow.start_session("alice@example.com")
    assert asyncio.run(flow.session(visit(set_cookie))) is not None
    ended.add(session.id)
    assert asyncio.run(flow.session(visit(set_cookie))) is None
    assert asyncio.run(flow.session(WebRequest("GET", {}))) is None


def test_if_accept_fails_nobody_is_signed_in() -> None:
    def fails(session: Session) -> bool:
        raise LookupError("the database said no")

    answers: list[Any] = [None, 1, "yes"]
    flow = make(accept=fails)
    _, set_cookie = flow.start_session("alice@example.com")
    with pytest.raises(LookupError, match="the database said no"):
        asyncio.run(flow.session(visit(set_cookie)))
    forgetful = blocking.LoginFlow(
        blocking.Client(REDIRECT_URI), secret=SECRET, accept=lambda _: answers.pop()
    )
    _, set_cookie = forgetful.start_session("alice@example.com")
    while answers:
        with pytest.raises(TypeError, match="accept must return True or False"):
            forgetful.session(visit(set_cookie))


def test_a_page_that_needs_a_login_redirects_to_the_login_page_and_back() -> None:
    flow = make(login_url="/login")
    for method, page, expected in [
        ("GET", "/members?page=2", "/login?next=%2Fmembers%3Fpage%3D2"),
        ("POST", "/members", "/login"),
        ("GET", "//evil.example", "/login"),
        ("GET", "/\udc00", "/login"),
    ]:
        step = flow.require_login(WebRequest(method, {}), page)
        assert (step.reply.status, of(step)["location"]) == (303, expected)
        assert (step.error, step.page, step.login) == (None, None, None)
    script = flow.require_login(WebRequest("GET", {"Accept": "application/json"}), "/members")
    assert script.reply.status == 401
    assert json.loads(script.reply.body)["type"] == "urn:portier-client:problem:not_signed_in"


@pytest.mark.parametrize("is_blocking", [False, True])
def test_only_a_form_of_this_site_signs_out(*, is_blocking: bool) -> None:
    flow = make(login_url="/login")
    plain = blocking.LoginFlow(blocking.Client(REDIRECT_URI), secret=SECRET, login_url="/login")

    def logout(request: WebRequest) -> Step:
        return plain.logout(request) if is_blocking else asyncio.run(flow.logout(request))

    done = logout(WebRequest("POST", HERE, b"anything"))
    assert (done.reply.status, of(done)["location"]) == (303, "/login")
    assert names(done.reply.cookies)[0] == NAME
    assert "Max-Age=0" in done.reply.cookies[0]
    for method, headers, status in [
        ("GET", HERE, 405),
        ("POST", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("POST", {"Origin": "null"}, 403),
    ]:
        refused = logout(WebRequest(method, headers))
        assert (refused.reply.status, refused.reply.cookies) == (status, [])
    checked = logout(WebRequest("POST", {"Origin": "null"}, form_token_checked=True))
    assert checked.reply.status == 303


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"secret": "too short, but long enough to see"[:31]}, ConfigError, "32 bytes"),
        ({"secret": f"change-me-{SECRET}"}, ConfigError, "placeholder"),
        ({"secret": 1}, TypeError, "secret must be"),
        ({"session_max_age": 1}, ConfigError, "ages"),
        ({"session_max_age": "1"}, TypeError, "session_max_age"),
        ({"session_absolute_max_age": 1}, ConfigError, "ages"),
        ({"accept": True}, TypeError, "accept must be a function"),
        ({"secret": None, "accept": bool}, ConfigError, "give a secret"),
    ],
    ids=repr,
)
def test_options_of_sessions_are_checked_without_showing_the_secret(
    options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        make(**options)
    given = str({"secret": SECRET, **options}["secret"])
    assert given not in str(caught.value)
    if len(given) > 9:
        assert secrets_in(caught.value, {given}) == []
