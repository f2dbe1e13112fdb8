"""The code flow in Chromium, with JavaScript turned off and on, and under attack."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from ..sites import ONE_SITE
from .pages import BrokerPage, SitePage

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from ..conftest import Serve
    from ..sites import Site
    from .conftest import OpenProfile
    from .profiles import Profile

pytestmark = pytest.mark.parametrize("site_name", ONE_SITE, indirect=True, scope="session")


@pytest.fixture
def site(serve_shared: Serve) -> Site:
    """A site that chooses the flow itself."""
    return serve_shared(flow="auto")


@pytest.fixture(params=["without JavaScript", "with JavaScript"])
def profile(request: pytest.FixtureRequest, open_profile: OpenProfile, site: Site) -> Profile:
    """The profile of the person in the test."""
    return open_profile(site, scripts=request.param == "with JavaScript")


@pytest.fixture
def other(request: pytest.FixtureRequest, open_profile: OpenProfile, site: Site) -> Page:
    """A tab in another browser of that kind."""
    scripts = request.getfixturevalue("profile").has_scripts
    return open_profile(site, scripts=scripts).tab()


def test_logs_in_with_the_code_in_the_mail_and_out(
    page: SitePage, asked: BrokerPage, email: str
) -> None:
    page.start(email, "/login?next=/members")
    asked.enter(asked.read_mail(email).code)
    page.has_heading("The shelf")
    page.is_at("/members")
    page.knows(email)
    page.sign_out()
    page.asks_for_an_address()


def test_logs_in_with_the_link_in_the_mail(
    page: SitePage, asked: BrokerPage, profile: Profile, email: str
) -> None:
    page.start(email)
    from_the_mail = SitePage(profile.tab(), page.origin)
    from_the_mail.tab.goto(asked.read_mail(email).link)
    from_the_mail.greets(email)
    page.open()
    page.greets(email)


def test_logs_in_on_the_device_where_the_mail_was_opened(
    page: SitePage, asked: BrokerPage, other: Page, email: str
) -> None:
    page.start(email)
    other.goto(asked.read_mail(email).link)
    BrokerPage(other, asked.broker).confirms_the_device()
    there = SitePage(other, page.origin)
    there.has_heading(f"Sign in as {email} on this device?")
    there.go_on()
    there.greets(email)
    page.open()
    page.asks_for_an_address()


def test_a_person_who_cancels_on_another_device_completes_on_the_first(
    page: SitePage, asked: BrokerPage, other: Page, email: str
) -> None:
    page.start(email)
    other.goto(asked.read_mail(email).link)
    BrokerPage(other, asked.broker).confirms_the_device()
    there = SitePage(other, page.origin)
    there.has_heading(f"Sign in as {email} on this device?")
    callback = other.url
    there.cancel()
    there.asks_for_an_address()
    page.tab.goto(callback)
    page.greets(email)


def test_the_code_does_not_stay_in_the_history(
    page: SitePage, asked: BrokerPage, email: str
) -> None:
    page.start(email)
    asked.enter(asked.read_mail(email).code)
    page.greets(email)
    assert [url for url in history_of(page.tab) if "code=" in url] == []


def test_a_callback_that_is_opened_again_leads_to_the_site(
    page: SitePage, asked: BrokerPage, email: str
) -> None:
    callbacks: list[str] = []
    page.tab.on(
        "request",
        lambda request: callbacks.append(request.url) if "/verify?" in request.url else None,
    )
    page.start(email)
    asked.enter(asked.read_mail(email).code)
    page.greets(email)
    (callback,) = callbacks
    page.tab.goto(callback)
    page.greets(email)


def test_a_double_click_on_the_code_logs_in_once(
    page: SitePage, asked: BrokerPage, email: str
) -> None:
    page.start(email)
    asked.type(asked.read_mail(email).code)
    asked.tab.get_by_role("button", name="Login").dblclick()
    page.greets(email)


@pytest.mark.parametrize("profile", ["with JavaScript"], indirect=True)
@pytest.mark.parametrize("mode", ["query", "fragment"])
def test_a_code_that_leaks_from_another_page_of_the_site_signs_nobody_in(
    page: SitePage, asked: BrokerPage, other: Page, email: str, mode: str
) -> None:
    # The attacker starts a login for the victim, and sends the victim to the broker with a redirect
    # URI that makes another page of the site receive the answer.
    attacker = SitePage(other, page.origin)
    attacker.start(email)
    BrokerPage(other, asked.broker).read_mail(email)
    leaking = f"{page.origin}/?page=2"
    page.tab.goto(changed(other.url, redirect_uri=leaking, response_mode=mode))
    visited: list[str] = []
    page.tab.on("framenavigated", lambda frame: visited.append(frame.url))
    asked.enter(asked.read_mail(email).code)
    page.tab.wait_for_url(f"{leaking}*")

    # The answer leaks, and the attacker uses it.
    stolen = answer_in(visited)
    for tab in (other, page.tab):
        there = SitePage(tab, page.origin)
        there.open(f"/verify?{urlencode(stolen)}")
        there.open("/members")
        there.has_heading("Sign in to go on")
        there.asks_for_an_address()


def history_of(tab: Page) -> list[str]:
    """The URLs of a tab's history."""
    chromium = tab.context.new_cdp_session(tab)
    entries = chromium.send("Page.getNavigationHistory")["entries"]
    chromium.detach()
    return [entry["url"] for entry in entries]


def changed(url: str, **parameters: str) -> str:
    """A URL with other values of some parameters."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, strict_parsing=True)) | parameters
    return parts._replace(query=urlencode(query)).geturl()


def answer_in(urls: list[str]) -> dict[str, str]:
    """The broker's answer in one of these URLs."""
    for parts in map(urlsplit, urls):
        for text in (parts.query, parts.fragment):
            fields = dict(parse_qsl(text))
            if "code" in fields:
                return {name: fields[name] for name in ("code", "state")}
    raise AssertionError(f"no answer in {urls}")
