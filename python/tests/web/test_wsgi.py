"""The WSGI middleware."""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from werkzeug.test import Client as Browser
from werkzeug.wrappers import Response

import portier_client.blocking
import portier_client.wsgi
from portier_client import ConfigError
from portier_client.blocking import Client
from portier_client.testing import DevBroker
from portier_client.wsgi import PortierMiddleware

from ..examples import literal_blocks_in
from .flow_site import make_client
from .replay import NOWHERE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from werkzeug.test import TestResponse

ALICE = "alice@example.com"
SITE = "http://localhost"
NOW = 1_750_000_000


@pytest.fixture(scope="module")
def broker() -> Iterator[DevBroker]:
    with DevBroker() as broker:
        yield broker


def site(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Says who is signed in, and repeats the body of a request."""
    session = environ["portier"].session
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{session.email if session else 'nobody'} {body.decode()}".encode()]


def guarded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    visit = environ["portier"]
    app: WSGIApplication = site if visit.session else visit.require_login()
    return app(environ, start_response)


def make(broker: DevBroker, app: WSGIApplication = site, **options: Any) -> PortierMiddleware:
    redirect_uri = options.pop("redirect_uri", f"{SITE}/verify")
    client = Client(redirect_uri, broker=broker.origin)
    return PortierMiddleware(app, client, **{"secret": secrets.token_urlsafe(32), **options})


def log_in(browser: Browser, broker: DevBroker, prefix: str = "", **fields: str) -> TestResponse:
    started = browser.post(f"{prefix}/login", data={"email": ALICE, **fields})
    assert started.location is not None
    answer = broker.sign_in(started.location)
    if "code" in answer:
        return browser.get(f"{prefix}/verify?{urlencode(answer)}")
    return browser.post(f"{prefix}/verify", data=answer)


def test_the_site_of_the_docstring_logs_in(
    broker: DevBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: dict[str, Any] = {"__name__": "example"}
    monkeypatch.setattr(portier_client.blocking, "Client", partial(Client, broker=broker.origin))
    for code in literal_blocks_in(portier_client.wsgi.__doc__ or "", "wsgi.py"):
        exec(code, names)
    browser = Browser(names["app"])
    site = {"base_url": "https://example.com"}
    assert 'action="/login"' in browser.get("/", **site).text
    started = browser.post("/login", data={"email": ALICE}, **site)
    assert started.location is not None
    browser.get("/verify", query_string=broker.sign_in(started.location), **site)
    assert browser.get("/", **site).text == f"You are {ALICE}."
    browser.post("/logout", **site)
    assert 'action="/login"' in browser.get("/", **site).text


@pytest.mark.parametrize("flow", ["code", "implicit"])
def test_the_middleware_keeps_people_signed_in(broker: DevBroker, flow: str) -> None:
    browser = Browser(make(broker, flow=flow))
    assert log_in(browser, broker, next="/members").location == "/members"
    assert browser.get("/").text == f"{ALICE} "
    assert browser.post("/logout").status_code == 303
    assert browser.get("/").text == "nobody "


def test_the_body_of_a_request_is_left_to_the_application(broker: DevBroker) -> None:
    browser = Browser(make(broker))
    log_in(browser, broker)
    assert browser.post("/", data=b"body").text == f"{ALICE} body"


def test_pages_may_need_a_login(broker: DevBroker) -> None:
    browser = Browser(make(broker, guarded))
    refused = browser.get("/m%C3%BC?page=2")
    assert (refused.status_code, refused.location) == (
        303,
        "/?next=%2Fm%25C3%25BC%3Fpage%3D2",
    )
    assert browser.get("/", headers={"Accept": "application/json"}).status_code == 401
    log_in(browser, broker)
    assert browser.get("/").text == f"{ALICE} "


@pytest.mark.parametrize("redirect_uri", [f"{SITE}/app/verify", f"{SITE}/verify"])
def test_the_application_may_be_mounted(broker: DevBroker, redirect_uri: str) -> None:
    middleware = make(broker, guarded, redirect_uri=redirect_uri)

    def server(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["SCRIPT_NAME"], environ["PATH_INFO"] = "/app", environ["PATH_INFO"][4:]
        return middleware(environ, start_response)

    browser = Browser(server)
    assert browser.get("/app/members").location == "/?next=%2Fapp%2Fmembers"
    assert log_in(browser, broker, "/app", next="/app/members").location == "/app/members"
    assert browser.get("/app/members").text == f"{ALICE} "


@pytest.mark.parametrize(("status", "signed_in"), [(200, True), (403, False)])
def test_a_hook_may_return_a_response_of_a_framework(
    broker: DevBroker, status: int, *, signed_in: bool
) -> None:
    def on_login(environ: WSGIEnvironment, login: object) -> Response:
        response = Response("in own words", status)
        response.set_cookie("theme", "dark")
        return response

    browser = Browser(make(broker, on_login=on_login))
    done = log_in(browser, broker)
    assert (done.status_code, done.text) == (status, "in own words")
    assert "theme" in done.headers["Set-Cookie"]
    assert browser.get("/").text == f"{ALICE} " if signed_in else "nobody "
    cookies = [cookie.partition("=")[0] for cookie in done.headers.getlist("Set-Cookie")]
    ours = ["portier-signed-in", "portier-session"] if signed_in else []
    assert cookies == ["theme", *ours]


def test_hooks_are_plain_functions(broker: DevBroker) -> None:
    async def on_login(environ: object, login: object) -> None: ...

    browser = Browser(make(broker, on_login=on_login))
    with pytest.raises(TypeError, match="plain functions"):
        log_in(browser, broker)


def test_a_session_is_renewed_once_and_not_while_it_ends() -> None:
    options = {"redirect_uri": f"{SITE}/verify", "secret": secrets.token_urlsafe(32)}
    made = make_client(
        options, has_switched_store=False, broker=NOWHERE, documents={}, now=NOW, is_blocking=True
    )
    app = PortierMiddleware(site, made.client, **made.flow_options)
    _, cookie = app.flow.start_session(ALICE)
    sent = {"Cookie": cookie.partition(";")[0]}
    browser = Browser(app, use_cookies=False)
    assert browser.get("/", headers=sent).headers.getlist("Set-Cookie") == []
    made.clock.advance(8 * 24 * 3600)
    (renewal,) = browser.get("/", headers=sent).headers.getlist("Set-Cookie")
    assert renewal.startswith("portier-session=")

    def ending(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        assert environ["portier"].session
        start_response("200 OK", [("Set-Cookie", "portier-session=; Max-Age=0")])
        return []

    browser = Browser(
        PortierMiddleware(ending, made.client, **made.flow_options), use_cookies=False
    )
    ended = browser.get("/", headers=sent).headers.getlist("Set-Cookie")
    assert ended == ["portier-session=; Max-Age=0"]


def test_wrong_options_show_when_the_site_starts(broker: DevBroker) -> None:
    with pytest.raises(ConfigError, match="on_login is missing"):
        make(broker, secret=None)
    with pytest.raises(ConfigError, match="two paths are the same"):
        make(broker, login_path="/verify")
    with pytest.raises(TypeError, match="blocking"):
        PortierMiddleware(site, portier_client.Client(f"{SITE}/verify"), secret=b"k" * 32)  # type: ignore[arg-type]
