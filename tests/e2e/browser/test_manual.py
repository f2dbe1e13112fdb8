"""The login form with a script that the manual shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from portier_client.blocking import Client, LoginFlow
from portier_client.testing import DevBroker
from portier_client.web import WebRequest

from ..broker import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

pytestmark = pytest.mark.no_real_broker

ORIGIN = "http://localhost:8888"
PAGE = (ROOT / "docs/web.md").read_text(encoding="utf-8")


def block(language: str, containing: str) -> str:
    """The one code block in a language that contains a text."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
    (found,) = [block for block in blocks if containing in block]
    return str(found)


def test_the_form_of_the_manual_shows_problems_and_leaves_for_the_broker(browser: Browser) -> None:
    with DevBroker() as broker:
        flow = LoginFlow(Client(f"{ORIGIN}/verify", broker=broker.origin))

        def answer(route: Route) -> None:
            path = urlsplit(route.request.url).path
            if path == "/login":
                headers = route.request.all_headers()
                reply = flow.login(WebRequest("POST", headers, route.request.post_data or "")).reply
                route.fulfill(status=reply.status, headers=dict(reply.headers), body=reply.body)
            elif path == "/startLogin.js":
                script = block("js", "function startLogin")
                route.fulfill(content_type="text/javascript", body=script)
            else:
                route.fulfill(content_type="text/html", body=block("html", "startLogin.js"))

        context = browser.new_context()
        tab = context.new_page()
        tab.route(f"{ORIGIN}/**", answer)
        tab.goto(ORIGIN)
        tab.get_by_label("Your address").fill("alice@localhost")
        tab.get_by_role("button").click()
        expect(tab.get_by_role("alert")).to_contain_text("does not look like an e-mail address")
        tab.get_by_label("Your address").fill("alice@example.com")
        tab.get_by_role("button").click()
        tab.wait_for_url(f"{broker.origin}/**")
        context.close()
