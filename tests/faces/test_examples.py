"""Every example site in Chromium, with the development broker.

The code flow is tried without JavaScript. In the implicit flow, scripts post two pages.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from e2e.browser.pages import SitePage
from e2e.browser.profiles import Profile, driven
from e2e.ports import Port
from e2e.program import Program
from portier_client.testing import DevBroker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[2]
NODE = os.environ.get("NODE", "node")
EXAMPLES = {
    **{
        path.parent.name: [sys.executable, str(path)]
        for path in ROOT.glob("python/examples/*/app.py")
    },
    **{path.parent.name: [NODE, str(path)] for path in ROOT.glob("node/examples/*/app.mjs")},
}
EMAIL = "alice@example.com"


@pytest.fixture(scope="module")
def broker() -> Iterator[DevBroker]:
    with DevBroker() as broker:
        yield broker


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with driven() as chromium, chromium.running() as browser:
        yield browser


@pytest.fixture(scope="module", params=sorted(EXAMPLES))
def example(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def origin(example: str, broker: DevBroker) -> Iterator[str]:
    """The site with its own choice of the flow: with this broker, the code flow."""
    with Example(example, broker) as origin:
        yield origin


def test_people_sign_in_and_out_without_scripts(
    origin: str, browser: Browser, broker: DevBroker
) -> None:
    sign_in_and_out(Profile(browser, origin, scripts=False), broker)


def test_people_sign_in_and_out_in_the_implicit_flow(
    example: str, browser: Browser, broker: DevBroker
) -> None:
    with Example(example, broker, FLOW="implicit") as origin:
        sign_in_and_out(Profile(browser, origin), broker)


def sign_in_and_out(profile: Profile, broker: DevBroker) -> None:
    page = SitePage(profile.tab(), profile.origin)
    page.open("/members")
    page.asks_for_an_address()
    page.is_dressed()
    page.type_address(EMAIL)
    page.press_continue()
    sign_in(page, broker)
    page.is_at("/members")
    page.has_heading("The shelf")
    page.knows(EMAIL)
    page.tab.reload()
    page.knows(EMAIL)
    page.sign_out()
    page.open("/members")
    page.asks_for_an_address()
    profile.close()
    assert profile.complaints == []


def test_a_login_is_finished_on_another_device(
    origin: str, browser: Browser, broker: DevBroker
) -> None:
    desk, phone = (Profile(browser, origin) for _ in range(2))
    page, there = (SitePage(profile.tab(), origin) for profile in (desk, phone))
    page.start(EMAIL, "/login")
    expect(page.tab).to_have_title(re.compile("^Sign in to "))
    there.tab.goto(page.tab.url)
    sign_in(there, broker)
    there.has_heading(f"Sign in as {EMAIL} on this device?")
    there.go_on()
    there.knows(EMAIL)
    page.open()
    page.asks_for_an_address()
    for profile in (desk, phone):
        profile.close()
        assert profile.complaints == []


@pytest.mark.parametrize("way", ["code", "link"])
def test_people_use_the_mail_in_the_inbox_of_the_broker(way: str, browser: Browser) -> None:
    with DevBroker(mode="mail") as broker, Example("starlette", broker) as origin:
        profile = Profile(browser, origin, scripts=False)
        page = SitePage(profile.tab(), origin)
        page.start(EMAIL, "/login")
        page.has_heading(f"Check your mail to sign in to {origin.removeprefix('http://')}")
        if way == "code":
            page.tab.get_by_label("Code").fill("234567 89abcd")
            page.press_continue()
            expect(page.tab.get_by_role("alert")).to_have_text("This is not the code of the mail.")
            page.tab.get_by_label("Code").fill(broker.inbox()[-1].code)
        else:
            page.tab.get_by_role("link", name="inbox").click()
            page.has_heading("Inbox")
            page.tab.get_by_role("link", name="follow this link").click()
        page.press_continue()
        page.knows(EMAIL)
        profile.close()
        assert profile.complaints == []


def sign_in(page: SitePage, broker: DevBroker) -> None:
    """Continues at the development broker."""
    expect(page.tab).to_have_title(re.compile("^Sign in to "))
    assert page.tab.url.startswith(broker.origin)
    page.tab.get_by_role("button", name="Continue").click()


class Example:
    """An example site, as a process."""

    def __init__(self, name: str, broker: DevBroker, **settings: str) -> None:
        self._port = Port()
        self.origin = f"http://localhost:{self._port.number}"
        given = {"BROKER": broker.origin, "PORT": str(self._port.number), **settings}
        environment = {**os.environ, "NODE_ENV": "production", **given}
        self._program = Program(EXAMPLES[name], environment, ready="Open http")

    def __enter__(self) -> str:
        return self.origin

    def __exit__(self, *_: object) -> None:
        self._program.stop()
        self._port.release()
