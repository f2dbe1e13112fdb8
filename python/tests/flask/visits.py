"""What a browser does at a site on Flask."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.test import Client as Browser
    from werkzeug.test import TestResponse

    from portier_client.flask import Portier
    from portier_client.testing import DevBroker

ALICE = "alice@example.com"
SITE = "http://localhost"


def start(browser: Browser, path: str = "/login", **fields: str) -> TestResponse:
    return browser.post(path, data={"email": ALICE, **fields})


def come_back(browser: Browser, broker: DevBroker, started: TestResponse) -> TestResponse:
    """The request that the broker leads the browser to."""
    url = started.location
    assert started.status_code == 303
    assert url is not None
    assert url.startswith(broker.origin)
    answer = broker.sign_in(url)
    if "code" in answer:
        return browser.get(f"/verify?{urlencode(answer)}")
    return browser.post("/verify", data=answer)


def log_in(browser: Browser, broker: DevBroker, **fields: str) -> TestResponse:
    return come_back(browser, broker, start(browser, **fields))


def add_pages(app: Flask, portier: Portier) -> None:
    @app.get("/members")
    @portier.login_required
    def members() -> str:
        return f"for {portier.email}"

    @app.get("/who")
    def who() -> dict[str, object]:
        return {"email": portier.email}


def who(browser: Browser) -> object:
    response = browser.get("/who")
    assert response.json is not None
    return response.json["email"]
