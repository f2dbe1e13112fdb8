"""The flow by hand: requests as frameworks give them, options, and what is shown of it."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import time
import weakref
from email.message import Message
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from wsgiref.headers import Headers as WSGIHeaders

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from multidict import CIMultiDict
from starlette.applications import Starlette
from starlette.datastructures import FormData, Headers
from starlette.routing import Route
from tornado.httputil import HTTPHeaders
from werkzeug.datastructures import EnvironHeaders, MultiDict

from portier_client import (
    Client,
    ConfigError,
    InvalidRequest,
    blocking,
    web,
)
from portier_client.web import MAX_FORM_BYTES, Confirmation, LoginFlow, Problem, Step, WebRequest

from ..client.test_frames import secrets_in
from ..examples import literal_blocks_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from portier_client.testing import DevBroker

REDIRECT_URI = "https://example.com/verify"
FORM = "application/x-www-form-urlencoded"
SECRET = "s" * 43
COOKIES = [("Cookie", "a=1"), ("Cookie", f"__Host-portier={SECRET}"), ("X-Other", "b")]
HEADERS = [*COOKIES, ("Content-Type", FORM)]


@pytest.fixture
def flow(broker: DevBroker) -> LoginFlow:
    return LoginFlow(Client(REDIRECT_URI, broker=broker.origin))


def start(flow: LoginFlow, form: object, headers: Any = HEADERS, **options: Any) -> Step:
    return asyncio.run(flow.login(WebRequest("POST", headers, form, **options)))  # type: ignore[arg-type]


def environ_of(headers: list[tuple[str, str]], body: bytes = b"") -> dict[str, Any]:
    environ: dict[str, Any] = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(len(body))}
    for name, value in headers:
        key = name.upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        environ[key] = "; ".join([*([environ[key]] if key in environ else []), value])
    return {**environ, "wsgi.input": io.BytesIO(body), "PATH_INFO": "/login"}


def message() -> Message:
    message = Message()
    for name, value in HEADERS:
        message[name] = value
    return message


def tornado_headers() -> HTTPHeaders:
    headers = HTTPHeaders()
    for name, value in HEADERS:
        headers.add(name, value)
    return headers


KINDS: dict[str, Callable[[], Any]] = {
    "pairs": lambda: HEADERS,
    "an iterator": lambda: iter(HEADERS),
    "ASGI": lambda: [(name.lower().encode(), value.encode()) for name, value in HEADERS],
    "a dict": lambda: dict(HEADERS),
    "a dict in capitals": lambda: {name.upper(): value for name, value in HEADERS},
    "Starlette": lambda: Headers(raw=KINDS["ASGI"]()),
    "Werkzeug": lambda: EnvironHeaders(environ_of(HEADERS)),
    "aiohttp": lambda: CIMultiDict(HEADERS),
    "Tornado": tornado_headers,
    "Django": lambda: WSGIRequest(environ_of(HEADERS)).headers,
    "http.server": message,
    "wsgiref": lambda: WSGIHeaders(HEADERS),
}


@pytest.fixture(autouse=True, scope="module")
def django() -> None:
    if not settings.configured:
        settings.configure(DEFAULT_CHARSET="utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_headers_are_read_as_frameworks_give_them(flow: LoginFlow, kind: str) -> None:
    step = start(flow, b"email=alice%40example.com", KINDS[kind]())
    assert step.reply.status == 303
    # The cookie was seen, although there was another one before it.
    assert [cookie.partition(";")[0] for cookie in step.reply.cookies] == [
        f"__Host-portier={SECRET}"
    ]


def test_repeated_headers_count(flow: LoginFlow) -> None:
    twice = [*HEADERS, ("Sec-Fetch-Site", "same-origin"), ("sec-fetch-site", "cross-site")]
    assert start(flow, b"email=alice%40example.com", twice).reply.status == 403


@pytest.mark.parametrize(
    "headers", [None, 1, "Cookie: a=b", {1: "a"}, [("Cookie", SECRET), ("origin", 1)], ["abc"]]
)
def test_what_is_not_headers_is_a_type_error(headers: Any) -> None:
    with pytest.raises(TypeError, match="headers must be a mapping or pairs") as caught:
        WebRequest("POST", headers, SECRET.encode())
    assert secrets_in(caught.value, {SECRET}) == []


BODIES: dict[str, Any] = {
    "bytes": urlencode({"email": "bj\u00f6rn@example.com"}).encode(),
    "bytearray": bytearray(b"email=alice@example.com"),
    "memoryview": memoryview(b"email=alice@example.com"),
    "text": "email=alice%40example.com",
    "a dict": {"email": "alice@example.com"},
    "lists": {"email": ["alice@example.com"], "next": []},
    "octets": {b"email": [b"alice@example.com"]},
    "pairs": [("email", "alice@example.com"), ("other", object())],
    "Starlette": FormData([("email", "alice@example.com")]),
    "Werkzeug": MultiDict([("email", "alice@example.com")]),
}


@pytest.mark.parametrize("kind", BODIES)
def test_bodies_are_read_as_frameworks_give_them(flow: LoginFlow, kind: str) -> None:
    assert start(flow, BODIES[kind]).reply.status == 303


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_email"),
        ({"email": ["a@example.com", "b@example.com"]}, "invalid_email"),
        (MultiDict([("email", "a@example.com"), ("email", "b@example.com")]), "invalid_email"),
        ({"email": object()}, "invalid_email"),
        ({"email": b"\xff@example.com"}, "invalid_email"),
        ({"email": "\ud800@example.com"}, "invalid_email"),
        ("email=\ud800", "invalid_email"),
        ([1, 2], "invalid_email"),
        (b"a" * (MAX_FORM_BYTES + 1), "request_too_large"),
        ({"email": "a" * (MAX_FORM_BYTES + 1)}, "request_too_large"),
        (None, "invalid_option"),
    ],
    ids=repr,
)
def test_bodies_that_start_no_login_are_answered(flow: LoginFlow, body: Any, code: str) -> None:
    error = start(flow, body).error
    assert error is not None
    assert error.code == code


@pytest.mark.parametrize("body", [object(), lambda: None, int])
def test_what_is_not_a_body_is_a_type_error(flow: LoginFlow, body: Any) -> None:
    with pytest.raises(TypeError, match="body must be bytes, a form or None"):
        start(flow, body)


def test_a_body_that_was_read_before_is_noticed(flow: LoginFlow) -> None:
    """As Flask's `get_data()` is empty after `form`."""
    step = start(flow, b"", [*HEADERS, ("Content-Length", "20")])
    assert step.reply.status == 500
    assert isinstance(step.error, ConfigError)
    assert "read before" in str(step.error)


def test_json_is_no_form(flow: LoginFlow) -> None:
    for body in (b"[1]", [1], 1, True, {"email": "alice@example.com"}):
        step = start(flow, body, {"Content-Type": "application/json"})
        assert isinstance(step.error, InvalidRequest)
        assert step.error.code == "request_form"


@pytest.mark.parametrize("extra", [{}, {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""}])
def test_a_wsgi_environment_is_read(broker: DevBroker, extra: dict[str, Any]) -> None:
    flow = blocking.LoginFlow(blocking.Client(REDIRECT_URI, broker=broker.origin))
    body = b"email=alice%40example.com"
    request = WebRequest.from_environ({**environ_of(HEADERS, body), **extra})
    assert flow.login(request).reply.status == 303
    read_before = environ_of(HEADERS, body) | {"wsgi.input": io.BytesIO()}
    assert flow.login(WebRequest.from_environ(read_before)).reply.status == 500
    large = environ_of(HEADERS, b"a" * 10**6)
    assert flow.login(WebRequest.from_environ(large)).reply.status == 413
    assert large["wsgi.input"].tell() == MAX_FORM_BYTES + 1
    for length in ("", "-1", "x", "\u0661"):
        odd = environ_of(HEADERS) | {"CONTENT_LENGTH": length}
        assert flow.login(WebRequest.from_environ(odd)).error is not None


def test_a_login_by_hand_through_wsgi(broker: DevBroker) -> None:
    flow = blocking.LoginFlow(blocking.Client(REDIRECT_URI, broker=broker.origin))
    signed_in: list[str] = []

    def site(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        request = WebRequest.from_environ(environ)
        if flow.is_callback(environ["PATH_INFO"]):
            step = flow.callback(request)
            if step.login:
                signed_in.append(step.login.email)
        else:
            step = flow.login(request)
        start_response(f"{step.reply.status} Status", step.header_list)
        return [step.reply.body.encode()]

    def post(path: str, cookies: str, form: dict[str, str]) -> tuple[str, list[tuple[str, str]]]:
        answers: list[tuple[str, list[tuple[str, str]]]] = []
        headers = [("Cookie", cookies), ("Content-Type", FORM)]
        environ = environ_of(headers, urlencode(form).encode()) | {"PATH_INFO": path}
        site(environ, lambda *answer: answers.append(answer))
        return answers[0]

    status, headers = post("/login", "", {"email": "alice@example.com", "next": "/members"})
    assert status.startswith("303")
    cookies = cookies_in(headers)
    answer = {"id_token": broker.mint(dict(headers)["location"]), "state": ""}
    _, headers = post("/verify", cookies, answer)
    assert (dict(headers)["location"], signed_in) == ("/members", ["alice@example.com"])
    # A reload leads on, with the proof.
    _, headers = post("/verify", f"{cookies}; {cookies_in(headers)}", answer)
    assert (dict(headers)["location"], len(signed_in)) == ("/members", 1)


def cookies_in(headers: list[tuple[str, str]]) -> str:
    return "; ".join(value.partition(";")[0] for name, value in headers if name == "set-cookie")


def test_the_example_for_starlette_logs_in(
    broker: DevBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functools import partial

    monkeypatch.setattr("portier_client.Client", partial(Client, broker=broker.origin))
    names: dict[str, Any] = {}
    monkeypatch.setattr("portier_client.web.LoginFlow._kind", object)
    for code in literal_blocks_in(web.__doc__ or "", "web.py"):
        exec(code, names)
    app = Starlette(
        routes=[
            Route("/login", names["login"], methods=["POST"]),
            Route("/verify", names["verify"], methods=["GET", "POST"]),
        ]
    )
    session: dict[str, str] = {}

    async def post(path: str, cookies: str, form: dict[str, str]) -> tuple[int, Any]:
        sent: list[Any] = []
        headers = {"content-type": FORM, "cookie": cookies}

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": urlencode(form).encode()}

        async def send(message: Any) -> None:
            sent.append(message)

        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        kind = {"type": "http", "http_version": "1.1", "scheme": "https", "query_string": b""}
        scope = {**kind, "method": "POST", "path": path, "headers": raw, "session": session}
        await app(scope, receive, send)
        decoded = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
        return sent[0]["status"], decoded

    async def log_in() -> None:
        status, headers = await post("/login", "", {"email": "alice@example.com"})
        assert status == 303
        cookies = cookies_in(headers)
        answer = {"id_token": broker.mint(dict(headers)["location"]), "state": ""}
        status, headers = await post("/verify", cookies, answer)
        assert (status, dict(headers)["location"]) == (303, "/")
        assert session == {"email": "alice@example.com"}
        assert "__Host-portier-signed-in=" in cookies_in(headers)

    asyncio.run(log_in())


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"browser_binding": "on"}, ConfigError, "browser_binding"),
        ({"default_next": "//evil.example"}, ConfigError, "default_next"),
        ({"callback_path": "verify"}, ConfigError, "callback_path"),
        ({"languages": "en"}, TypeError, "languages"),
        ({"allowed_hosts": [b"a"]}, TypeError, "allowed_hosts"),
        ({"form_token_checked": 1}, TypeError, "form_token_checked"),
        ({"login_url": "\udc00"}, ConfigError, "login_url"),
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


def test_a_flow_wants_a_client_of_its_kind() -> None:
    with pytest.raises(TypeError, match=r"portier_client\.Client, not portier_client\.blocking"):
        LoginFlow(blocking.Client(REDIRECT_URI))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"portier_client\.blocking\.Client, not"):
        blocking.LoginFlow(Client(REDIRECT_URI))  # type: ignore[arg-type]


def test_a_refusal_of_the_framework_has_a_page_of_ours(flow: LoginFlow) -> None:
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
    del client, flow
    gc.collect()
    assert native() is None


def test_nothing_that_is_shown_has_a_secret(broker: DevBroker, flow: LoginFlow) -> None:
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


class Failing:
    """A store that fails in a way of its own."""

    def __init__(self, raised: BaseException) -> None:
        self.raised = raised

    def put(self, *_: object) -> None:
        raise self.raised

    take = put


def test_what_ends_the_program_is_raised(broker: DevBroker) -> None:
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
