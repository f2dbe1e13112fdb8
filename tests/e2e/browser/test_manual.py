"""The login form with a script that the manual shows."""

from __future__ import annotations

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from portier_client.blocking import Client, LoginFlow
from portier_client.testing import DevBroker
from portier_client.web import WebRequest

from ..broker import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.no_real_broker

PAGE = (ROOT / "docs/web.md").read_text(encoding="utf-8")


def block(language: str, containing: str) -> str:
    """The one code block in a language that contains a text."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
    (found,) = [block for block in blocks if containing in block]
    return str(found)


class Site(BaseHTTPRequestHandler):
    """The files of the manual, and a login flow."""

    flow: LoginFlow

    def do_GET(self) -> None:
        """Send the page or its script."""
        if self.path == "/startLogin.js":
            self.answer(200, [("content-type", "text/javascript")], block("js", "startLogin("))
        else:
            self.answer(200, [("content-type", "text/html")], block("html", "startLogin.js"))

    def do_POST(self) -> None:
        """Start a login."""
        body = self.rfile.read(int(self.headers["content-length"]))
        step = self.flow.login(WebRequest("POST", dict(self.headers), body))
        self.answer(step.reply.status, step.header_list, step.reply.body)

    def answer(self, status: int, headers: list[tuple[str, str]], body: str) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def test_the_form_of_the_manual_shows_problems_and_leaves_for_the_broker(browser: Browser) -> None:
    with DevBroker() as broker, ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        origin = f"http://127.0.0.1:{server.server_port}"
        Site.flow = LoginFlow(Client(f"{origin}/verify", broker=broker.origin))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        context = browser.new_context()
        try:
            tab = context.new_page()
            tab.goto(origin)
            tab.get_by_label("Your address").fill("alice@localhost")
            tab.get_by_role("button").click()
            problem = "does not look like an e-mail address"
            expect(tab.get_by_role("alert")).to_contain_text(problem)
            tab.get_by_label("Your address").fill("alice@example.com")
            tab.get_by_role("button").click()
            tab.wait_for_url(f"{broker.origin}/**")
        finally:
            context.close()
            server.shutdown()
            thread.join()
