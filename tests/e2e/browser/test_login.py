"""Ways to log in, and out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ..sites import ONE_OF_EACH_LANGUAGE
from .pages import Answers, BrokerPage, SitePage

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from ..broker import Broker
    from ..conftest import Serve
    from ..sites import Site
    from .conftest import OpenProfile
    from .profiles import Profile

pytestmark = pytest.mark.parametrize(
    "site_name", ONE_OF_EACH_LANGUAGE, indirect=True, scope="session"
)


def test_logs_in_with_the_code_in_the_mail(page: SitePage, asked: BrokerPage, email: str) -> None:
    page.start(email)
    mail = asked.read_mail(email)
    assert mail.subject == f"Finish logging in to {page.origin}"
    asked.enter(mail.code)
    page.greets(email)


def test_logs_in_with_the_link_in_the_mail(
    page: SitePage, asked: BrokerPage, profile: Profile, email: str
) -> None:
    page.start(email)
    mail = asked.read_mail(email)
    from_the_mail = SitePage(profile.tab(), page.origin)
    from_the_mail.tab.goto(mail.link)
    from_the_mail.greets(email)
    page.open()
    page.greets(email)


def test_logs_in_on_the_device_where_the_mail_was_opened(
    page: SitePage, asked: BrokerPage, open_profile: OpenProfile, site: Site, email: str
) -> None:
    page.start(email)
    mail = asked.read_mail(email)
    phone = open_profile(site).tab()
    phone.goto(mail.link)
    BrokerPage(phone, asked.broker).confirms_the_device()
    there = SitePage(phone, site.origin)
    there.asks_to_go_on_as(email)
    there.go_on()
    there.greets(email)
    page.open()
    page.asks_for_an_address()


def test_a_wrong_code_can_be_typed_again(page: SitePage, asked: BrokerPage, email: str) -> None:
    page.start(email)
    mail = asked.read_mail(email)
    asked.enter("aaaaaa aaaaaa")
    asked.says("The code you entered was incorrect.")
    asked.enter(mail.code)
    page.greets(email)


@pytest.mark.parametrize("path", ["/members", "/members?shelf=2&by=%C3%A9"])
def test_a_login_returns_to_the_page_that_required_it(
    page: SitePage, asked: BrokerPage, email: str, path: str
) -> None:
    page.open(path)
    page.has_heading("Sign in to go on")
    page.type_address(email)
    page.press_continue()
    asked.enter(asked.read_mail(email).code)
    page.has_heading("The shelf")
    page.is_at(path)
    page.knows(email)


def test_an_invalid_address_is_asked_for_again(
    page: SitePage, asked: BrokerPage, email: str
) -> None:
    page.start("alice@127.0.0.1", "/login?next=/members")
    complaint = "This does not look like an e-mail address. Please type it again."
    page.has_complaint(complaint, typed="alice@127.0.0.1")
    page.type_address(email)
    page.press_continue()
    asked.enter(asked.read_mail(email).code)
    page.is_at("/members")
    page.knows(email)


def test_logging_out_ends_the_session(page: SitePage, asked: BrokerPage, email: str) -> None:
    page.start(email, "/login?next=/members")
    asked.enter(asked.read_mail(email).code)
    page.has_heading("The shelf")
    page.sign_out()
    page.is_at("/")
    page.asks_for_an_address()
    page.open("/members")
    page.has_heading("Sign in to go on")


def test_logs_in_with_response_mode_fragment(
    serve_shared: Serve, open_profile: OpenProfile, broker: Broker, email: str
) -> None:
    site = serve_shared(response_mode="fragment")
    tab = open_profile(site).tab()
    answers = Answers(tab, site.origin)
    visited = addresses_of(tab)
    page, asked = SitePage(tab, site.origin), BrokerPage(tab, broker)
    page.start(email, "/login?next=/members")
    asked.enter(asked.read_mail(email).code)
    page.has_heading("The shelf")
    page.is_at("/members")
    page.knows(email)
    (answer,) = answers.forms
    assert any(url.startswith(f"{site.origin}/verify#") for url in visited)

    # The token was in the address bar, and must not stay there.
    page.back()
    asked.asks_for_the_code()
    page.forward()
    page.has_heading("The shelf")
    assert answers.forms == [answer]


def test_the_fragment_callback_explains_its_purpose_to_a_visitor(
    serve_shared: Serve, open_profile: OpenProfile
) -> None:
    site = serve_shared(response_mode="fragment")
    page = SitePage(open_profile(site).tab(), site.origin)
    assert page.open("/verify").status == 200
    page.says("This address is only used to complete a sign-in.")


def addresses_of(tab: Page) -> list[str]:
    """Records the URLs of a tab from now on."""
    visited: list[str] = []
    tab.on("framenavigated", lambda frame: visited.append(frame.url))
    return visited
