"""Screenshots of the pages, and the browser's complaints about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ..sites import ONE_OF_EACH_LANGUAGE, ONE_SITE
from .pages import BrokerPage, SitePage

if TYPE_CHECKING:
    from ..sites import Site
    from .conftest import OpenProfile, Shoot
    from .profiles import Profile

on_each_language = pytest.mark.parametrize(
    "site_name", ONE_OF_EACH_LANGUAGE, indirect=True, scope="session"
)


@on_each_language
def test_the_main_pages_are_styled_and_fit_the_screen(
    page: SitePage, asked: BrokerPage, shoot: Shoot, email: str
) -> None:
    page.open()
    page.asks_for_an_address()
    page.is_dressed()
    shoot(page.tab, "home")
    page.start("alice@127.0.0.1", "/login?next=/members")
    page.has_heading("Sign in to go on")
    page.is_dressed()
    shoot(page.tab, "login")
    page.type_address(email)
    page.press_continue()
    mail = asked.read_mail(email)
    shoot(page.tab, "broker")
    asked.enter(mail.code)
    page.has_heading("The shelf")
    page.is_dressed()
    shoot(page.tab, "members")
    page.open("/verify")
    page.has_heading("Nothing to see here")
    page.is_dressed()
    shoot(page.tab, "problem")


@on_each_language
def test_the_pages_fit_a_narrow_and_dark_screen(
    page: SitePage, asked: BrokerPage, shoot: Shoot, email: str
) -> None:
    page.tab.set_viewport_size({"width": 320, "height": 640})
    page.tab.emulate_media(color_scheme="dark")
    page.open()
    page.is_dressed()
    shoot(page.tab, "home-narrow")
    page.start(email)
    asked.enter(asked.read_mail(email).code)
    page.greets(email)
    page.is_dressed()
    shoot(page.tab, "greeting-narrow")


@pytest.mark.parametrize("site_name", ONE_SITE, indirect=True, scope="session")
@pytest.mark.parametrize(
    "script",
    [
        'document.body.append(Object.assign(document.createElement("script"), { text: "1" }))',
        'console.error("wrong")',
        'setTimeout(() => { throw new Error("wrong") })',
        "document.body.append(Object.assign(new Image(), { src: '/static/none.png' }))",
    ],
    ids=["forbidden script", "error on the console", "exception", "missing file"],
)
def test_errors_of_a_page_fail_the_test(site: Site, open_profile: OpenProfile, script: str) -> None:
    profile: Profile = open_profile(site)
    page = SitePage(profile.tab(), site.origin)
    page.open()
    page.tab.evaluate(script)
    profile.expect_complaint(page.tab)
    assert len(profile.complaints) == 1
    profile.complaints.clear()
