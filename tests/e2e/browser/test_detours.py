"""Other tabs, double clicks, going back, reloading and giving up during a login."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from portier_client.testing import DevBroker

from ..sites import ONE_SITE, Site
from .conftest import opening
from .elsewhere import post_from_elsewhere
from .pages import Answers, BrokerPage, SitePage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..broker import Broker
    from .conftest import OpenProfile
    from .profiles import Chromium, Profile

pytestmark = pytest.mark.parametrize("site_name", ONE_SITE, indirect=True, scope="session")


def test_two_tabs_log_in_one_after_the_other(
    profile: Profile, site: Site, broker: Broker, email: str
) -> None:
    tabs = [profile.tab(), profile.tab()]
    addresses = [f"one.{email}", f"two.{email}"]
    for tab, each in zip(tabs, addresses, strict=True):
        SitePage(tab, site.origin).start(each)
        BrokerPage(tab, broker).asks_for_the_code()
    for tab, each in reversed([*zip(tabs, addresses, strict=True)]):
        asked = BrokerPage(tab, broker)
        asked.enter(asked.read_mail(each).code)
        SitePage(tab, site.origin).greets(each)


def test_a_double_click_starts_a_login_that_completes(
    page: SitePage, asked: BrokerPage, email: str
) -> None:
    page.open()
    page.type_address(email)
    page.tab.get_by_role("button", name="Continue").dblclick()
    asked.enter(asked.read_mail(email).code)
    page.greets(email)


def test_a_double_click_on_the_code_logs_in_once(
    page: SitePage, asked: BrokerPage, email: str
) -> None:
    answers = Answers(page.tab, page.origin)
    page.start(email)
    asked.type(asked.read_mail(email).code)
    asked.tab.get_by_role("button", name="Login").dblclick()
    page.greets(email)
    assert len(answers.forms) == 1


def test_going_back_from_the_broker_leads_to_the_form(
    page: SitePage, asked: BrokerPage, email: str
) -> None:
    page.start(email)
    abandoned = asked.read_mail(email)
    page.back()
    page.asks_for_an_address()
    page.type_address(f"other.{email}")
    page.press_continue()
    asked.enter(asked.read_mail(f"other.{email}").code)
    page.greets(f"other.{email}")

    # The first login is still pending.
    page.tab.goto(abandoned.link)
    page.greets(email)


def test_going_back_after_a_login_shows_no_form(
    page: SitePage, asked: BrokerPage, email: str
) -> None:
    answers = Answers(page.tab, page.origin)
    page.start(email)
    asked.enter(asked.read_mail(email).code)
    page.greets(email)
    page.back()
    asked.asks_for_the_code()
    page.back()
    page.greets(email)
    page.forward()
    asked.asks_for_the_code()
    page.forward()
    page.greets(email)
    assert len(answers.forms) == 1


def test_a_second_callback_of_a_completed_login_redirects(
    page: SitePage, asked: BrokerPage, email: str
) -> None:
    page.start(email)
    asked.enter(asked.read_mail(email).code)
    page.greets(email)
    # The broker's page loads again, and sends another mail for the same nonce.
    page.back()
    asked.enter(asked.read_mail(email).code)
    page.greets(email)


def test_reloading_the_callback_changes_nothing(
    page: SitePage, asked: BrokerPage, profile: Profile, email: str
) -> None:
    answers = Answers(page.tab, page.origin)
    page.start(email)
    asked.enter(asked.read_mail(email).code)
    page.greets(email)
    page.tab.reload()
    page.greets(email)
    assert len(answers.forms) == 1

    def values() -> dict[str, object]:
        return {name: cookie["value"] for name, cookie in profile.cookies().items()}

    before = values()
    another = profile.tab()
    repeated = Answers(another, page.origin)
    post_from_elsewhere(another, f"{page.origin}/verify", answers.forms[0])
    SitePage(another, page.origin).greets(email)
    assert repeated.forms == answers.forms
    assert values() == before


def test_the_callback_refuses_get_requests(page: SitePage, profile: Profile) -> None:
    assert page.open("/verify").status == 405
    page.has_heading("Nothing to see here")
    assert profile.cookies() == {}


def test_going_back_after_logging_out_shows_no_private_page(
    chromium: Chromium, site: Site, broker: Broker, email: str
) -> None:
    with chromium.running(keeps_pages=True) as browser, opening(browser) as open_profile:
        tab = open_profile(site).tab()
        page, asked = SitePage(tab, site.origin), BrokerPage(tab, broker)
        page.start(email, "/login?next=/members")
        asked.enter(asked.read_mail(email).code)
        page.has_heading("The shelf")
        page.sign_out()
        page.is_at("/")
        page.asks_for_an_address()
        page.back()
        page.has_heading("Sign in to go on")
        page.asks_for_an_address()


@pytest.fixture(scope="session")
def dev_broker() -> Iterator[DevBroker]:
    """The development broker, whose page has a button to cancel."""
    with DevBroker() as broker:
        yield broker


@pytest.mark.parametrize("flow", ["implicit", "code"])
def test_a_cancelled_login_can_be_started_again(
    site_name: str, dev_broker: DevBroker, open_profile: OpenProfile, email: str, flow: str
) -> None:
    with Site(site_name, dev_broker.origin, flow=flow) as site:
        tab = open_profile(site).tab()
        page = SitePage(tab, site.origin)
        page.start(email)
        tab.get_by_role("button", name="Cancel").click()
        page.has_heading("Sign-in cancelled")
        assert urlsplit(tab.url).path == "/verify"
        page.start_again()
        page.is_at("/login")
        page.type_address(email)
        page.press_continue()
        tab.get_by_role("button", name="Continue").click()
        page.greets(email)
