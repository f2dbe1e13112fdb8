"""Requests as frameworks give them, and sites that use the flow by hand."""

from __future__ import annotations

import asyncio
import io
from email.message import Message
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from wsgiref.headers import Headers as WSGIHeaders

import pytest
from django.http.request import HttpHeaders
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
from portier_client.web import MAX_FORM_BYTES, LoginFlow, WebRequest

from ..client.test_frames import secrets_in
from ..examples import literal_blocks_in
from .by_hand import FORM, HEADERS, REDIRECT_URI, SECRET, environ_of, start

if TYPE_CHECKING:
    from collections.abc import Callable

    from portier_client.testing import DevBroker


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


LISTS = {"cookie": ["a=1", f"__Host-portier={SECRET}"], "content-type": [FORM]}

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
    "Django": lambda: HttpHeaders(environ_of(HEADERS)),
    "http.server": message,
    "Twisted": lambda: [(name.encode(), [v.encode() for v in vs]) for name, vs in LISTS.items()],
    "AWS Lambda": lambda: LISTS,
    "wsgiref": lambda: WSGIHeaders(HEADERS),
}


@pytest.mark.parametrize("kind", KINDS)
def test_headers_are_read_as_frameworks_give_them(flow: LoginFlow, kind: str) -> None:
    step = start(flow, b"email=alice%40example.com", KINDS[kind]())
    assert step.reply.status == 303
    # The cookie was found, although another one comes before it.
    assert [cookie.partition(";")[0] for cookie in step.reply.cookies] == [
        f"__Host-portier={SECRET}"
    ]


def test_repeated_headers_count(flow: LoginFlow) -> None:
    twice = [*HEADERS, ("Sec-Fetch-Site", "same-origin"), ("sec-fetch-site", "cross-site")]
    assert start(flow, b"email=alice%40example.com", twice).reply.status == 403


@pytest.mark.parametrize(
    "headers", [None, 1, "Cookie: a=b", {1: "a"}, [("Cookie", SECRET), ("origin", 1)], ["abc"]]
)
def test_headers_of_another_type_are_a_type_error(headers: Any) -> None:
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
    "a dict of bytes": {b"email": [b"alice@example.com"]},
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
        ({"email": ...}, "invalid_email"),
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
def test_a_body_of_another_type_is_a_type_error(flow: LoginFlow, body: Any) -> None:
    with pytest.raises(TypeError, match="body must be bytes, a form or None"):
        start(flow, body)


def test_a_body_that_was_read_before_is_noticed(flow: LoginFlow) -> None:
    """Flask's `get_data()` is empty after `form`."""
    step = start(flow, b"", [*HEADERS, ("Content-Length", "20")])
    assert step.reply.status == 500
    assert isinstance(step.error, ConfigError)
    assert "read before" in str(step.error)


@pytest.mark.parametrize("query", [None, 1, ["a=1"]])
def test_a_query_of_another_type_is_a_type_error(query: Any) -> None:
    with pytest.raises(TypeError, match="query must be str or bytes") as caught:
        WebRequest("GET", {"Cookie": SECRET}, query=query)
    assert secrets_in(caught.value, {SECRET}) == []


def test_a_json_body_is_not_a_form(flow: LoginFlow) -> None:
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


def test_a_client_that_goes_away_leaves_no_secret_behind() -> None:
    class Gone(io.BytesIO):
        def read(self, *_: object) -> bytes:
            raise OSError("the client is gone")

    environ = {**environ_of(HEADERS, b"x" * 9), "wsgi.input": Gone()}
    with pytest.raises(OSError, match="gone") as caught:
        WebRequest.from_environ(environ)
    assert secrets_in(caught.value, {SECRET}) == []


def test_a_wsgi_site_without_an_integration_logs_in(broker: DevBroker) -> None:
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

    def send(cookies: str, **facts: str) -> tuple[str, list[tuple[str, str]]]:
        answers: list[tuple[str, list[tuple[str, str]]]] = []
        headers = [("Cookie", cookies), ("Content-Type", FORM)]
        environ = environ_of(headers, facts.pop("body", "").encode()) | facts
        site(environ, lambda *answer: answers.append(answer))
        return answers[0]

    status, headers = send("", body="email=alice%40example.com&next=/members")
    assert status.startswith("303")
    cookies = cookies_in(headers)
    query = urlencode(broker.sign_in(dict(headers)["location"]))
    back = {"REQUEST_METHOD": "GET", "PATH_INFO": "/verify", "QUERY_STRING": query}
    _, headers = send(cookies, **back)
    assert (dict(headers)["location"], signed_in) == ("/members", ["alice@example.com"])
    # A reload with the proof redirects to the same page.
    _, headers = send(f"{cookies}; {cookies_in(headers)}", **back)
    assert (dict(headers)["location"], len(signed_in)) == ("/members", 1)


def cookies_in(headers: list[tuple[str, str]]) -> str:
    return "; ".join(value.partition(";")[0] for name, value in headers if name == "set-cookie")


def test_the_example_for_starlette_signs_people_in(
    broker: DevBroker, monkeypatch: pytest.MonkeyPatch
) -> None:

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

    async def send(
        method: str, path: str, cookies: str, body: bytes = b"", query: str = ""
    ) -> tuple[int, Any]:
        sent: list[Any] = []
        headers = {"content-type": FORM, "cookie": cookies}

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": body}

        async def keep(message: Any) -> None:
            sent.append(message)

        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        kind = {"type": "http", "http_version": "1.1", "scheme": "https", "method": method}
        scope = {**kind, "path": path, "query_string": query.encode(), "session": session}
        await app({**scope, "headers": raw}, receive, keep)
        decoded = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
        return sent[0]["status"], decoded

    async def log_in() -> None:
        status, headers = await send("POST", "/login", "", b"email=alice%40example.com")
        assert status == 303
        cookies = cookies_in(headers)
        query = urlencode(broker.sign_in(dict(headers)["location"]))
        status, headers = await send("GET", "/verify", cookies, query=query)
        assert (status, dict(headers)["location"]) == (303, "/")
        assert session == {"email": "alice@example.com"}
        assert "__Host-portier-signed-in=" in cookies_in(headers)

    asyncio.run(log_in())
