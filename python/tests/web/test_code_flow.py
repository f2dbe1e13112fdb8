"""Logins of the code flow: the browser brings a code, which the client redeems for the token."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from portier_client import (
    BrokerError,
    BrokerUnavailable,
    Client,
    ConfigError,
    InvalidSession,
    InvalidToken,
    PortierError,
    SessionUsed,
    blocking,
)
from portier_client.testing import flush_events
from portier_client.tornado import LoginHandler, VerifyHandler
from portier_client.web import Confirmation, LoginFlow, Problem, Step, WebRequest

from ..client.test_frames import secrets_in
from ..stores.written import Plain, Waiting
from .by_hand import HEADERS, REDIRECT_URI, SECRET
from .conftest import Verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from portier_client.testing import DevBroker

    from .visitor import Visitor

TOKEN = "/token"
FORM = b"email=Alice%40Example.com&next=/members"


def location(step: Step) -> str:
    return dict(step.reply.headers)["location"]


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


@pytest.fixture
def client(broker: DevBroker) -> Client:
    return Client(REDIRECT_URI, broker=broker.origin, flow="code")


async def start(client: Client, broker: DevBroker) -> dict[str, str]:
    """Starts a login; returns the broker's answer, as the browser brings it."""
    url = await client.authenticate("Alice@Example.com", state="mine", session="/members")
    assert query_of(url)["response_type"] == "code"
    assert query_of(url)["response_mode"] == "query"
    return broker.sign_in(url)


def test_a_client_redeems_a_code(client: Client, broker: DevBroker) -> None:
    async def log_in() -> None:
        answer = await start(client, broker)
        assert answer.keys() == {"code", "state"}
        login = await client.complete(answer)
        assert (login.email, login.session, login.state) == (
            "alice@example.com",
            "/members",
            "mine",
        )
        with pytest.raises(SessionUsed):
            await client.complete(answer)

    asyncio.run(log_in())


def test_a_blocking_client_redeems_a_code(broker: DevBroker) -> None:
    client = blocking.Client(REDIRECT_URI, broker=broker.origin, flow="code")
    answer = broker.sign_in(client.authenticate("alice@example.com"))
    assert client.complete(list(answer.items())).email == "alice@example.com"
    with pytest.raises(SessionUsed):
        client.complete(answer)


def test_a_client_accepts_no_token_for_a_login_of_the_code_flow(
    client: Client, broker: DevBroker
) -> None:
    async def log_in() -> None:
        token = broker.mint(await client.authenticate("alice@example.com"))
        with pytest.raises(InvalidSession):
            await client.verify(token)

    asyncio.run(log_in())


@pytest.mark.parametrize("flow", ["hybrid", "auto", ""])
def test_a_client_has_one_flow(flow: str) -> None:
    with pytest.raises(ConfigError, match="neither implicit nor code"):
        Client(REDIRECT_URI, flow=flow)
    with pytest.raises(TypeError, match="flow must be str"):
        Client(REDIRECT_URI, flow=None)  # type: ignore[arg-type]


@pytest.mark.parametrize("store", [Plain, Waiting])
def test_a_custom_store_keeps_the_login_of_the_code_flow(store: Any, broker: DevBroker) -> None:
    async def log_in() -> None:
        client = Client(REDIRECT_URI, broker=broker.origin, store=store(), flow="code")
        answer = await start(client, broker)
        before = broker.requests().get(TOKEN, 0)
        with pytest.raises(InvalidSession):
            await client.complete({**answer, "state": "A" * 32})
        assert broker.requests().get(TOKEN, 0) == before, "an unknown state asks nothing"
        assert (await client.complete(answer)).session == "/members"
        assert broker.requests().get(TOKEN, 0) == before + 1
        with pytest.raises(InvalidSession):
            await client.complete(answer)
        assert broker.requests().get(TOKEN, 0) == before + 1

    asyncio.run(log_in())


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        ({"status": 503}, BrokerUnavailable, "broker_status"),
        ({"status": 302, "headers": [("Location", "/x")]}, BrokerUnavailable, "broker_status"),
        ({"status": 200, "body": "{}"}, BrokerUnavailable, "broker_document"),
        (
            {
                "status": 400,
                "body": '{"error":"invalid_client"}',
                "headers": [("Content-Type", "application/json")],
            },
            BrokerError,
            "broker_error",
        ),
    ],
    ids=lambda value: str(value)[:14],
)
def test_a_token_endpoint_that_fails_leaves_the_login_pending(
    client: Client, broker: DevBroker, *, fault: dict[str, Any], error: type[Exception], code: str
) -> None:
    async def log_in() -> None:
        answer = await start(client, broker)
        broker.fail_next(TOKEN, **fault)
        with pytest.raises(error) as caught:
            await client.complete(answer)
        assert isinstance(caught.value, PortierError)
        assert caught.value.code == code
        # The broker has not seen the code yet.
        assert (await client.complete(answer)).email == "alice@example.com"

    asyncio.run(log_in())


def test_a_login_whose_callback_is_cancelled_completes_at_most_once(
    client: Client, broker: DevBroker
) -> None:
    async def log_in() -> None:
        answer = await start(client, broker)
        broker.hold(TOKEN)
        before = broker.requests().get(TOKEN, 0)
        task = asyncio.create_task(client.complete(answer, confirmation="vanishing"))
        deadline = time.monotonic() + 30
        while broker.requests().get(TOKEN, 0) == before:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.005)
        task.cancel()
        try:
            await task
            raise AssertionError("it was not cancelled")
        except asyncio.CancelledError as cancelled:
            error = cancelled
        finally:
            broker.release(TOKEN)
        assert secrets_in(error, {answer["code"], answer["state"], "vanishing"}) == []
        # Whether the broker redeems the code depends on when it notices that the connection was
        # closed.
        (outcome,) = await asyncio.gather(client.complete(answer), return_exceptions=True)
        code = outcome.code if isinstance(outcome, InvalidToken) else "session_used"
        with pytest.raises(PortierError) as again:
            await client.complete(answer)
        assert again.value.code == code in {"session_used", "code_refused"}

    asyncio.run(log_in())


def test_one_of_two_concurrent_callbacks_completes(client: Client, broker: DevBroker) -> None:
    async def log_in() -> None:
        answer = await start(client, broker)
        attempts = [client.complete(answer) for _ in range(8)]
        outcomes = await asyncio.gather(*attempts, return_exceptions=True)
        errors = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        assert len(errors) == 7
        assert all(isinstance(error, (InvalidSession, InvalidToken)) for error in errors)

    asyncio.run(log_in())


@pytest.mark.parametrize("flow_option", ["auto", "code"])
@pytest.mark.parametrize("is_blocking", [False, True])
def test_a_flow_completes_a_login_by_a_get(
    broker: DevBroker, *, flow_option: Any, is_blocking: bool
) -> None:
    def make() -> tuple[Callable[[WebRequest], Step], Callable[[WebRequest], Step]]:
        if is_blocking:
            client = blocking.Client(REDIRECT_URI, broker=broker.origin)
            flow = blocking.LoginFlow(client, flow=flow_option)
            return flow.login, flow.callback
        waiting = LoginFlow(Client(REDIRECT_URI, broker=broker.origin), flow=flow_option)
        return (
            lambda request: asyncio.run(waiting.login(request)),
            lambda request: asyncio.run(waiting.callback(request)),
        )

    login, callback = make()
    answer = broker.sign_in(location(login(WebRequest("POST", HEADERS, FORM))))
    query = urlencode(answer)
    done = callback(WebRequest("GET", HEADERS, query=query.encode()))
    assert done.login is not None
    assert (done.login.email, location(done)) == ("alice@example.com", "/members")
    assert done.login.same_browser
    # The cookies of the answer were lost: the browser repeats the request once.
    again = location(callback(WebRequest("GET", HEADERS, query=query)))
    assert again == f"?{query}&portier_again=1"
    lost = callback(WebRequest("GET", HEADERS, query=again))
    assert (lost.error and lost.error.code) == "session_used"


def test_another_browser_is_asked_before_the_code_is_redeemed(broker: DevBroker) -> None:
    async def log_in() -> None:
        flow = LoginFlow(Client(REDIRECT_URI, broker=broker.origin))
        answer = broker.sign_in(location(await flow.login(WebRequest("POST", HEADERS, FORM))))
        phone = {"Cookie": f"__Host-portier={'t' * 43}"}
        before = broker.requests().get(TOKEN, 0)
        asked = await flow.callback(WebRequest("GET", phone, query=urlencode(answer)))
        assert isinstance(asked.page, Confirmation)
        assert asked.page.email == "alice@example.com"
        assert broker.requests().get(TOKEN, 0) == before
        form = {**phone, "Content-Type": "application/x-www-form-urlencoded"}
        yes = WebRequest("POST", form, urlencode(asked.page.fields).encode())
        done = await flow.callback(yes)
        assert done.login is not None
        assert not done.login.same_browser

    asyncio.run(log_in())


def test_the_implicit_flow_ignores_the_query(broker: DevBroker) -> None:
    async def log_in() -> None:
        flow = LoginFlow(Client(REDIRECT_URI, broker=broker.origin), flow="implicit")
        url = location(await flow.login(WebRequest("POST", HEADERS, FORM)))
        assert query_of(url)["response_type"] == "id_token"
        query = urlencode(broker.sign_in(url))
        visit = await flow.callback(WebRequest("GET", HEADERS, query=query))
        assert isinstance(visit.page, Problem)
        assert (visit.page.id, visit.login) == ("post_only", None)

    asyncio.run(log_in())


def test_the_code_flow_shows_and_logs_no_secret(
    broker: DevBroker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)

    async def log_in() -> None:
        flow = LoginFlow(Client(REDIRECT_URI, broker=broker.origin))
        form = b"email=vanishing%40example.com"
        answer = broker.sign_in(location(await flow.login(WebRequest("POST", HEADERS, form))))
        visit = WebRequest("GET", HEADERS, query=urlencode(answer))
        broker.fail_next(TOKEN, status=503)
        steps = [await flow.callback(visit) for _ in range(3)]
        assert [step.reply.status for step in steps][:2] == [503, 303]
        shown = repr([visit, steps, [(step.reply, step.login, step.error) for step in steps]])
        flush_events()
        told = [f"{record.getMessage()} {vars(record)}" for record in caplog.records]
        assert told
        secrets = {SECRET, "vanishing", *answer.values()}
        assert not [secret for secret in secrets for text in [shown, *told] if secret in text]

    asyncio.run(log_in())


class Start(LoginHandler):
    flow = "auto"


class Complete(Verify):
    flow = "auto"


def test_a_login_at_tornado_completes_by_the_code_flow(
    visitor: Visitor, serve_handlers: Callable[..., str], broker: DevBroker
) -> None:
    site = serve_handlers(Complete, Start)
    form = {"email": "alice@example.com", "next": "/members"}
    started = visitor.post(f"{site}/login", form, origin=site, follow=False)
    callback = f"{site}/verify?{urlencode(broker.sign_in(started.headers['Location']))}"
    # A reload redirects to the same page.
    for _ in range(2):
        page = visitor.get(callback, follow=False)
        assert (page.status, page.headers["Location"]) == (303, "/members")
    assert visitor.cookies["localhost"]["email"].value == "alice@example.com"
    refused = visitor.request("PUT", f"{site}/verify")
    assert (refused.status, refused.headers["Allow"]) == (405, "GET, POST")


def test_a_tornado_hook_that_fails_after_a_get_signs_nobody_in(
    visitor: Visitor, serve_handlers: Callable[..., str], broker: DevBroker
) -> None:
    class Fails(VerifyHandler):
        flow = "auto"

        def on_login(self, login: object) -> None:
            raise LookupError("the database said no")

    site = serve_handlers(Fails, Start)
    form = {"email": "alice@example.com"}
    started = visitor.post(f"{site}/login", form, origin=site, follow=False)
    callback = f"{site}/verify?{urlencode(broker.sign_in(started.headers['Location']))}"
    assert [visitor.get(callback).status for _ in range(2)] == [500, 400]
    assert visitor.cookies["localhost"].keys() == {"portier", "portier-probe"}
