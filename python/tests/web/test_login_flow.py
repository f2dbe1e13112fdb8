"""The flow: its options, its representation, and its failures."""

from __future__ import annotations

import asyncio
import gc
import json
import time
import weakref
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from portier_client import (
    BrokerError,
    Client,
    ConfigError,
    InvalidRequest,
    PortierError,
    blocking,
)
from portier_client.testing import flush_events
from portier_client.web import Confirmation, LoginFlow, Problem, Step, WebRequest

from ..client.test_frames import secrets_in
from ..forks import in_child, needs_fork
from .by_hand import FORM, HEADERS, REDIRECT_URI, SECRET, start

if TYPE_CHECKING:
    from pathlib import Path

    from portier_client.testing import DevBroker


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"flow": "hybrid"}, ConfigError, "none of auto, implicit, code"),
        ({"flow": None}, TypeError, "flow"),
        ({"browser_binding": "on"}, ConfigError, "browser_binding"),
        ({"default_next": "//evil.example"}, ConfigError, "default_next"),
        ({"callback_path": "verify"}, ConfigError, "callback_path"),
        ({"languages": []}, ConfigError, "languages"),
        ({"languages": "en"}, TypeError, "languages"),
        ({"allowed_hosts": [b"a"]}, TypeError, "allowed_hosts"),
        ({"form_token_checked": 1}, TypeError, "form_token_checked"),
        ({"login_url": "\udc00"}, ConfigError, "login_url"),
        ({"texts": {"en": {"no.such.id": "x"}}}, ConfigError, "no.such.id"),
        ({"texts": {"en": ["x"]}}, TypeError, "texts"),
        ({"texts": {"en": {"x": 1}}}, TypeError, "texts"),
        ({"default_nxt": "/"}, TypeError, "default_nxt"),
    ],
    ids=str,
)
def test_options_are_checked_when_the_flow_is_made(
    options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        LoginFlow(Client(REDIRECT_URI), **options)


def test_a_flow_requires_a_client_of_its_kind() -> None:
    with pytest.raises(TypeError, match=r"portier_client\.Client, not portier_client\.blocking"):
        LoginFlow(blocking.Client(REDIRECT_URI))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"portier_client\.blocking\.Client, not"):
        blocking.LoginFlow(Client(REDIRECT_URI))  # type: ignore[arg-type]


def test_an_error_is_explained_in_the_language_of_the_browser() -> None:
    flow = LoginFlow(Client(REDIRECT_URI), languages=["en", "de"])
    refused = BrokerError("refused", code="broker_error", error="access_denied")
    problem = flow.explain(refused, "de")
    assert (problem.id, problem.status, problem.language) == ("cancelled", 403, "de")
    assert problem != flow.explain(refused)
    assert flow.explain(PortierError("of the site's own", code="odd")).id == "internal"


def test_a_refusal_of_the_framework_has_a_built_in_page(flow: LoginFlow) -> None:
    error = InvalidRequest("no cookie", code="request_cookies")
    step = flow.refuse_login(WebRequest("POST", HEADERS), error)
    assert isinstance(step.page, Problem)
    assert (step.page.id, step.reply.status) == ("cookies_needed", 400)
    assert step.error is not None
    assert (str(step.error), step.error.code) == ("no cookie", "request_cookies")


def test_a_closed_client_closes_its_flows(broker: DevBroker, tmp_path: Path) -> None:
    client = Client(REDIRECT_URI, broker=broker.origin, store=f"sqlite:///{tmp_path}/logins.db")
    flow = LoginFlow(client)
    assert start(flow, b"email=alice%40example.com").reply.status == 303
    native = weakref.ref(client)
    asyncio.run(client.aclose())
    with pytest.raises(RuntimeError, match="the client is closed"):
        start(flow, b"email=alice%40example.com")
    with pytest.raises(RuntimeError, match="the client is closed"):
        LoginFlow(client)
    # The properties that pages without a login need.
    assert flow.is_callback("/verify?code=1")
    assert not flow.is_callback("/verify/")
    assert (flow.is_secure, flow.safe_next("/a"), flow.callback_path) == (True, "/a", "/verify")
    assert flow.form_targets[0] in flow.form_policy
    del client, flow
    gc.collect()
    assert native() is None


def test_a_flow_and_everything_that_references_it_is_collected(broker: DevBroker) -> None:
    class Store:
        flow: LoginFlow

        def put(self, nonce: str, record: str, ttl: float) -> None:
            del nonce, record, ttl

        def take(self, nonce: str) -> str | None:
            del nonce
            return None

    store = Store()
    store.flow = LoginFlow(Client(REDIRECT_URI, broker=broker.origin, store=store))
    assert start(store.flow, b"email=alice%40example.com").reply.status == 303
    alive = weakref.ref(store)
    del store
    gc.collect()
    assert alive() is None


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_flow_works_in_a_forked_child(broker: DevBroker, tmp_path: Path) -> None:
    client = blocking.Client(
        REDIRECT_URI, broker=broker.origin, store=f"sqlite:///{tmp_path}/logins.db"
    )
    flow = blocking.LoginFlow(client)
    started = flow.login(WebRequest("POST", HEADERS, b"email=alice%40example.com&next=/members"))
    query = urlencode(broker.sign_in(dict(started.reply.headers)["location"]))

    def complete() -> None:
        step = flow.callback(WebRequest("GET", HEADERS, query=query))
        assert dict(step.reply.headers)["location"] == "/members"

    assert in_child(complete) == 0
    # A login that was used up there is used up here as well.
    again = WebRequest("GET", HEADERS, query=f"{query}&portier_again=1")
    error = flow.callback(again).error
    assert error is not None
    assert error.code == "session_used"


def test_no_representation_shows_a_secret(broker: DevBroker, flow: LoginFlow) -> None:
    step = start(flow, b"email=vanishing%40example.com")
    token = broker.mint(dict(step.reply.headers)["location"])
    body = urlencode({"id_token": token, "portier_again": "1"}).encode()
    elsewhere = [("Cookie", f"__Host-portier={'t' * 43}"), ("Content-Type", FORM)]
    question = WebRequest("POST", elsewhere, body)
    asked = asyncio.run(flow.callback(question))
    assert isinstance(asked.page, Confirmation)
    signed_in = asyncio.run(flow.callback(WebRequest("POST", HEADERS, body)))
    assert signed_in.login is not None
    shown = repr([step, asked, signed_in, question, flow, *map(vars_of, [step, asked, signed_in])])
    for secret in ("vanishing", SECRET, token, *dict(asked.page.fields).values()):
        assert len(secret) == 1 or secret not in shown


def vars_of(step: Step) -> list[object]:
    return [step.reply, step.login, step.page, step.error]


def test_no_log_record_shows_a_secret(
    broker: DevBroker, flow: LoginFlow, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)
    step = start(flow, b"email=vanishing%40example.com")
    token = broker.mint(dict(step.reply.headers)["location"])
    forms = [
        {"id_token": token[:-8] + "AAAAAAAA", "state": "a-state"},
        {"id_token": token, "portier_confirmation": "a-confirmation"},
        {"id_token": token},
        {"error": "access_denied", "error_description": "vanishing"},
    ]
    for form in forms:
        asyncio.run(flow.callback(WebRequest("POST", HEADERS, form)))
    for headers, email in [
        (HEADERS, "vanishing@two@example.com"),
        ([*HEADERS, ("Origin", "https://vanishing.example")], "vanishing@example.com"),
        ([("Content-Type", "text/vanishing")], "vanishing@example.com"),
    ]:
        assert start(flow, {"email": email}, headers).error is not None
    flush_events()
    told = [f"{record.getMessage()} {vars(record)}" for record in caplog.records]
    assert len([text for text in told if "login refused" in text]) == 6
    secrets = {SECRET, "vanishing@", *token.split("."), "a-confirmation", "a-state"}
    assert not [secret for secret in secrets for text in told if secret in text]


class Failing:
    """A store that raises its own exception."""

    def __init__(self, raised: BaseException) -> None:
        self.raised = raised

    def put(self, *_: object) -> None:
        raise self.raised

    take = put


def test_an_exception_that_ends_the_program_is_raised(broker: DevBroker) -> None:
    def log_in(raised: BaseException) -> Step:
        client = blocking.Client(REDIRECT_URI, broker=broker.origin, store=Failing(raised))
        request = WebRequest("POST", HEADERS, b"email=vanishing%40example.com")
        return blocking.LoginFlow(client).login(request)

    with pytest.raises(SystemExit) as caught:
        log_in(SystemExit(3))
    assert secrets_in(caught.value, {SECRET, "vanishing"}) == []
    step = log_in(LookupError("the database said no"))
    assert (step.reply.status, getattr(step.error, "code", "")) == (503, "store_failed")
    assert step.error is not None
    assert isinstance(step.error.__cause__, LookupError)


def test_a_cancelled_login_holds_no_secret(broker: DevBroker) -> None:
    broker.hold("/.well-known/openid-configuration")
    path = "/.well-known/openid-configuration"
    before = broker.requests().get(path, 0)
    flow = LoginFlow(Client(REDIRECT_URI, broker=broker.origin))
    request = WebRequest("POST", HEADERS, b"email=vanishing%40example.com")

    def wait_for_the_request() -> None:
        deadline = time.monotonic() + 30
        while broker.requests().get(path, 0) == before:
            assert time.monotonic() < deadline
            time.sleep(0.005)

    async def cancel() -> asyncio.CancelledError:
        task = asyncio.create_task(flow.start(request, "vanishing@example.com", "/vanishing"))
        await asyncio.to_thread(wait_for_the_request)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError as error:
            return error
        raise AssertionError("it was not cancelled")

    try:
        error = asyncio.run(cancel())
    finally:
        broker.release(path)
    assert secrets_in(error, {SECRET, "vanishing"}) == []


def test_a_problem_for_a_script_is_json(flow: LoginFlow) -> None:
    step = start(flow, b"", [*HEADERS, ("Accept", "application/json")])
    assert dict(step.reply.headers)["content-type"] == "application/problem+json"
    assert json.loads(step.reply.body)["code"] == "invalid_email"
    assert step.page is None
