"""The sites of the manual that need no framework, visited by a browser."""

from __future__ import annotations

import secrets
import sys
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from werkzeug.test import Client as Browser

import portier_client
from portier_client import blocking
from portier_client.testing import DevBroker, login
from tests.examples import python_blocks

PAGES = Path(__file__).parents[3] / "docs/frameworks"


def names_of(page: str, site: str, broker: DevBroker, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the examples of a page define, up to the one that makes the site."""
    monkeypatch.setenv("SESSION_SECRET", secrets.token_urlsafe(32))
    for package in (portier_client, blocking):
        monkeypatch.setattr(package, "Client", partial(package.Client, broker=broker.origin))
    # Frameworks look up annotations in the module of a function.
    module = ModuleType("example")
    monkeypatch.setitem(sys.modules, "example", module)
    names = vars(module)
    for block in python_blocks((PAGES / page).read_text(encoding="utf-8")):
        exec(block, names)
        if site in names:
            return names[site]
    raise KeyError(site)


def test_the_asgi_site_logs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    with DevBroker() as broker:
        site = names_of("asgi.md", "plain", broker, monkeypatch)
        with TestClient(site, base_url="http://localhost:8000") as browser:
            asked = browser.get("/a?b=c", follow_redirects=False)
            assert asked.headers["location"] == "/login?next=%2Fa%3Fb%3Dc"
            assert 'value="/a?b=c"' in browser.get(asked.headers["location"]).text
            page = login(browser, "alice@example.com", page="/a")
            assert page.url.endswith("/a")
            assert "You are alice@example.com." in page.text
            assert browser.post("/logout").url.path == "/login"
            with pytest.raises(WebSocketDisconnect), browser.websocket_connect("/a"):
                pass


def test_the_wsgi_site_logs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    with DevBroker() as broker:
        site = names_of("wsgi.md", "guarded", broker, monkeypatch)
        browser = Browser(site)
        asked = browser.get("/a?b=c", base_url="http://localhost:8000")
        assert asked.location == "/login?next=%2Fa%3Fb%3Dc"
        page = login(browser, "alice@example.com", page="/a")
        assert page.url.endswith("/a")
        assert "You are alice@example.com." in page.text
