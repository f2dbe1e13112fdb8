"""Error trackers keep the local variables of frames: those of the integrations hold no secret."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlencode

import flask
import pytest
import quart
from starlette.applications import Starlette
from starlette.testclient import TestClient
from werkzeug.test import Client as WerkzeugClient

from portier_client import Client, asgi, blocking, starlette, wsgi
from portier_client.flask import Portier as FlaskPortier
from portier_client.quart import Portier as QuartPortier

from ..client.test_frames import secrets_in

if TYPE_CHECKING:
    from portier_client.testing import DevBroker

SITE = "http://localhost"
BROWSER = "s" * 43
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Origin": SITE}
KEY = "rN5yH8cV2bM7kX4zT9wQ1pL6sD3gF0jA"

Send = Callable[[str, str, dict[str, str], str], dict[str, str]]
"""Sends a request (method, target, headers, body), and returns the headers of the response."""


class SiteFailed(Exception):
    """The site has failed, in a hook or in a page."""


def fail(*_: object) -> NoReturn:
    raise SiteFailed


def fail_wsgi(environ: Any, start_response: Any) -> Any:
    fail()


async def fail_asgi(scope: Any, receive: Any, send: Any) -> None:
    fail()


def over_wsgi(app: Any) -> Send:
    def send(method: str, target: str, headers: dict[str, str], body: str) -> dict[str, str]:
        browser = WerkzeugClient(app, use_cookies=False)
        pairs = list(headers.items())
        response = browser.open(target, base_url=SITE, method=method, headers=pairs, data=body)
        return {name.lower(): value for name, value in response.headers}

    return send


def over_asgi(app: Any) -> Send:
    def send(method: str, target: str, headers: dict[str, str], body: str) -> dict[str, str]:
        browser = TestClient(app, base_url=SITE, follow_redirects=False)
        return dict(browser.request(method, target, headers=headers, content=body).headers)

    return send


def on_wsgi(broker: DevBroker, **options: Any) -> Send:
    client = blocking.Client(f"{SITE}/verify", broker=broker.origin, store="memory:")
    return over_wsgi(wsgi.PortierMiddleware(fail_wsgi, client, **options))


def on_asgi(broker: DevBroker, **options: Any) -> Send:
    client = Client(f"{SITE}/verify", broker=broker.origin, store="memory:")
    return over_asgi(asgi.PortierMiddleware(fail_asgi, client, **options))


def on_starlette(broker: DevBroker, **options: Any) -> Send:
    app = Starlette()
    client = Client(f"{SITE}/verify", broker=broker.origin, store="memory:")
    starlette.Portier(client, **options).install(app)
    app.add_route("/", fail)
    return over_asgi(app)


def on_flask(broker: DevBroker, **options: Any) -> Send:
    app = flask.Flask("site")
    app.config.update(SECRET_KEY=KEY, PROPAGATE_EXCEPTIONS=True)
    client = blocking.Client(f"{SITE}/verify", broker=broker.origin, store="memory:")
    FlaskPortier(app, client, **options)
    app.add_url_rule("/", view_func=fail)
    return over_wsgi(app)


def on_quart(broker: DevBroker, **options: Any) -> Send:
    app = quart.Quart("site")
    app.config.update(SECRET_KEY=KEY, PROPAGATE_EXCEPTIONS=True)
    client = Client(f"{SITE}/verify", broker=broker.origin, store="memory:")
    QuartPortier(app, client, **options)
    app.add_url_rule("/", view_func=fail)

    async def ask(method: str, target: str, headers: dict[str, str], body: str) -> dict[str, str]:
        browser: Any = app.test_client(use_cookies=False)
        response = await browser.open(target, method=method, headers=headers, data=body)
        return {name.lower(): value for name, value in response.headers.items()}

    return lambda *request: asyncio.run(ask(*request))


SITES = {
    "asgi": on_asgi,
    "flask": on_flask,
    "quart": on_quart,
    "starlette": on_starlette,
    "wsgi": on_wsgi,
}


def failure_of(send: Send, *request: Any) -> SiteFailed:
    with pytest.raises(SiteFailed) as caught:
        send(*request)
    return caught.value


@pytest.mark.parametrize("flow", ["implicit", "code"])
@pytest.mark.parametrize("site", SITES)
def test_no_frame_of_a_failed_login_holds_a_secret(broker: DevBroker, site: str, flow: str) -> None:
    send = SITES[site](broker, flow=flow, on_login=fail)
    cookie = {"Cookie": f"portier={BROWSER}"}
    form = urlencode({"email": "vanishing@example.com"})
    answer = broker.sign_in(send("POST", "/login", {**FORM, **cookie}, form)["location"])
    secrets = {BROWSER, "vanishing", *filter(None, answer.values())}
    request = "GET", f"/verify?{urlencode(answer)}", cookie, ""
    if flow == "implicit":
        request = "POST", "/verify", {**FORM, **cookie}, urlencode(answer)
    assert secrets_in(failure_of(send, *request), secrets) == []


@pytest.mark.parametrize("site", SITES)
def test_no_frame_of_a_failed_page_holds_a_secret(broker: DevBroker, site: str) -> None:
    send = SITES[site](broker, secret=KEY)
    error = failure_of(send, "GET", "/?code=a-code", {"Cookie": f"portier={BROWSER}"}, "")
    assert secrets_in(error, {BROWSER, "a-code"}) == []
