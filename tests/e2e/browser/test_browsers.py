"""One login in two browsers: by accident, and in an attack."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from e2e.http_flows.flow import USED, answer, consent, is_signed_in
from portier_client.blocking import Client, LoginFlow
from portier_client.testing import DevBroker
from portier_client.web import WebRequest
from tests.web.visitor import Visitor

from ..sites import ONE_SITE
from .elsewhere import post_from_elsewhere
from .pages import Answers, BrokerPage, SitePage

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page

    from ..broker import Broker
    from ..sites import Site
    from .conftest import OpenProfile, Shoot
    from .profiles import Profile

    Phone = Callable[[], tuple[SitePage, Answers]]

pytestmark = pytest.mark.parametrize("site_name", ONE_SITE, indirect=True, scope="session")

MORE_COOKIES_THAN_FIT = 200
FORGED = {"junk": "x", "of the right shape": "A" * 43}
# What the attacker adds to the posted token.
CLAIMS = {"unchanged": {}, "marked as posted again": {"portier_again": "1"}}


@pytest.fixture
def attackers(email: str) -> str:
    """An address of the attacker."""
    return email.replace("reader", "attacker")


@pytest.fixture
def attacker() -> Visitor:
    """An attacker, who needs no browser."""
    return Visitor()


@pytest.fixture
def stolen(attacker: Visitor, site: Site, broker: Broker, attackers: str) -> dict[str, str]:
    """The callback of the attacker's own login, which the attacker has not posted."""
    return answer(attacker, site, broker, attackers).form("/verify").fields


@pytest.fixture(params=["a new visitor", "a visitor with a pending login", "a signed-in visitor"])
def victim(
    request: pytest.FixtureRequest, page: SitePage, asked: BrokerPage, email: str
) -> SitePage:
    """A visitor of the attacker's page."""
    if request.param != "a new visitor":
        page.start(email)
        mail = asked.read_mail(email)
        if request.param == "a signed-in visitor":
            asked.enter(mail.code)
            page.greets(email)
    return page


@pytest.mark.parametrize("as_what", CLAIMS)
def test_a_token_posted_by_another_site_signs_nobody_in(  # noqa: PLR0917 (fixtures)
    attacker: Visitor,
    stolen: dict[str, str],
    attackers: str,
    victim: SitePage,
    site: Site,
    as_what: str,
) -> None:
    post_from_elsewhere(victim.tab, f"{site.origin}/verify", {**stolen, **CLAIMS[as_what]})
    victim.asks_to_go_on_as(attackers)
    victim.open()
    expect(victim.tab.get_by_text(attackers)).to_have_count(0)
    # The token is still unused.
    attacker.post(f"{site.origin}/verify", stolen)
    assert is_signed_in(attacker, site, attackers)


def test_a_confirmation_of_another_browser_signs_nobody_in(
    stolen: dict[str, str], attackers: str, victim: SitePage, site: Site
) -> None:
    given = consent(Visitor().post(f"{site.origin}/verify", stolen), attackers)
    post_from_elsewhere(victim.tab, f"{site.origin}/verify", given)
    victim.asks_to_go_on_as(attackers)
    victim.open()
    expect(victim.tab.get_by_text(attackers)).to_have_count(0)


@pytest.mark.parametrize("as_what", CLAIMS)
def test_the_confirmation_page_cannot_be_framed(
    stolen: dict[str, str], profile: Profile, site: Site, page: SitePage, as_what: str
) -> None:
    answers = Answers(page.tab, site.origin)
    post_from_elsewhere(
        page.tab, f"{site.origin}/verify", {**stolen, **CLAIMS[as_what]}, framed=True
    )
    inside = page.tab.frame("inside")
    assert inside is not None
    while not inside.url.startswith("chrome-error:"):
        page.tab.wait_for_timeout(20)
    # Chromium may report this on the console.
    profile.complaints.clear()
    # The page that posts again did not run there, and set no cookie.
    assert len(answers.forms) + len(answers.again) == 1
    assert profile.cookies() == {}


def test_an_overflowing_cookie_jar_signs_nobody_in(  # noqa: PLR0917 (fixtures)
    stolen: dict[str, str],
    attackers: str,
    profile: Profile,
    page: SitePage,
    asked: BrokerPage,
    email: str,
) -> None:
    page.start(email)
    mail = asked.read_mail(email)
    assert "portier" in profile.cookies()
    other = SitePage(profile.tab(), page.origin)
    other.open()
    fill = """([from, count]) => {
        for (let i = from; i < from + count; i++) document.cookie = `c${i}=; path=/`;
    }"""
    # Chromium decides which cookies it drops.
    for count in range(0, 20 * MORE_COOKIES_THAN_FIT, MORE_COOKIES_THAN_FIT):
        if "portier" in profile.cookies():
            other.tab.evaluate(fill, [count, MORE_COOKIES_THAN_FIT])
    assert "portier" not in profile.cookies()
    post_from_elsewhere(other.tab, f"{page.origin}/verify", stolen)
    other.asks_to_go_on_as(attackers)
    # The person's own login still completes.
    asked.enter(mail.code)
    page.asks_to_go_on_as(email)
    page.go_on()
    page.greets(email)


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_cookie_signs_nobody_in(  # noqa: PLR0917 (fixtures)
    stolen: dict[str, str], attackers: str, profile: Profile, page: SitePage, email: str, kind: str
) -> None:
    profile.plant_cookie("portier", FORGED[kind])
    post_from_elsewhere(page.tab, f"{page.origin}/verify", stolen)
    page.asks_to_go_on_as(attackers)
    page.cancel()
    page.start(email)
    page.open()
    expect(page.tab.get_by_text(attackers)).to_have_count(0)


def test_a_browser_without_cookies_is_told_that_cookies_are_needed(
    stolen: dict[str, str], attackers: str, profile: Profile, page: SitePage
) -> None:
    post_from_elsewhere(page.tab, f"{page.origin}/verify", stolen)
    page.asks_to_go_on_as(attackers)
    profile.forget_cookies()
    page.go_on()
    page.has_heading("Cookies are needed")
    page.start_again()
    page.asks_for_an_address()


@pytest.fixture
def phone(
    page: SitePage, asked: BrokerPage, open_profile: OpenProfile, site: Site, email: str
) -> Phone:
    """Starts a login in the first browser and opens its mail in another, up to the confirmation."""

    def open_mail() -> tuple[SitePage, Answers]:
        page.start(email)
        mail = asked.read_mail(email)
        tab = open_profile(site).tab()
        answers = Answers(tab, site.origin)
        tab.goto(mail.link)
        BrokerPage(tab, asked.broker).confirms_the_device()
        there = SitePage(tab, site.origin)
        there.asks_to_go_on_as(email)
        return there, answers

    return open_mail


def test_a_double_click_on_the_confirmation_logs_in_once(phone: Phone, email: str) -> None:
    there, answers = phone()
    there.button_to_go_on().dblclick()
    there.greets(email)
    assert [("portier_confirmation" in form) for form in answers.again] == [False, True]


def test_a_click_meant_for_another_page_does_not_confirm(
    phone: Phone, email: str, open_profile: OpenProfile, site: Site
) -> None:
    there, answers = phone()
    (form,) = answers.forms
    later = open_profile(site).tab()
    stop_time(later)
    post_from_elsewhere(later, f"{site.origin}/verify", form)
    SitePage(later, site.origin).asks_to_go_on_as(email)
    waits_a_moment(later)
    there.go_on()
    there.greets(email)


@pytest.mark.usefixtures("site_name")
def test_the_built_in_confirmation_page_ignores_an_early_click(browser: Browser) -> None:
    with closing(browser.new_page()) as tab:
        stop_time(tab)
        tab.set_content(question_of_the_library())
        waits_a_moment(tab)


@pytest.mark.no_real_broker
@pytest.mark.usefixtures("site_name")
def test_a_sent_confirmation_cannot_be_sent_again_when_its_page_has_loaded(
    browser: Browser,
) -> None:
    with closing(browser.new_page()) as tab:
        stop_time(tab)
        tab.set_content(question_of_the_library())
        tab.evaluate("addEventListener('submit', (event) => event.preventDefault())")
        tab.clock.run_for(800)
        button = tab.get_by_role("button", name="Sign in")
        button.click()
        show = "(persisted) => dispatchEvent(new PageTransitionEvent('pageshow', { persisted }))"
        tab.evaluate(show, arg=False)
        tab.clock.run_for(800)
        expect(button).to_be_disabled()
        # The person has gone back to a kept page.
        tab.evaluate(show, arg=True)
        tab.clock.run_for(800)
        expect(button).to_be_enabled()


def question_of_the_library() -> str:
    """The built-in confirmation page."""

    def form(secret: str, **fields: str) -> WebRequest:
        kind = "application/x-www-form-urlencoded"
        cookie = f"__Host-portier={secret * 43}"
        return WebRequest("POST", {"Cookie": cookie, "Content-Type": kind}, urlencode(fields))

    with DevBroker() as broker:
        client = Client("https://example.com/verify", broker=broker.origin)
        flow = LoginFlow(client, flow="implicit")
        started = flow.login(form("a", email="alice@example.com"))
        token = broker.mint(dict(started.reply.headers)["location"])
        return flow.callback(form("b", id_token=token)).reply.body


def stop_time(tab: Page) -> None:
    """Lets the test control the time in a tab."""
    tab.clock.install(time=0)
    tab.clock.pause_at(1)


def waits_a_moment(tab: Page) -> None:
    """Expects the button to ignore clicks right after it is shown or its window gets the focus."""
    button = tab.get_by_role("button", name="Sign in")
    for _ in range(2):
        expect(button).to_be_disabled()
        tab.clock.run_for(600)
        expect(button).to_be_disabled()
        tab.clock.run_for(200)
        expect(button).to_be_enabled()
        tab.evaluate("dispatchEvent(new Event('focus'))")


def test_a_reloaded_confirmation_page_asks_again(phone: Phone, email: str) -> None:
    there, _ = phone()
    there.tab.reload()
    there.asks_to_go_on_as(email)
    there.go_on()
    there.greets(email)


def test_a_login_that_was_not_confirmed_completes_in_the_first_browser(
    phone: Phone, page: SitePage, email: str
) -> None:
    there, answers = phone()
    there.cancel()
    there.is_at("/login")
    there.asks_for_an_address()
    (form,) = answers.forms
    post_from_elsewhere(page.tab, f"{page.origin}/verify", form)
    page.greets(email)
    post_from_elsewhere(there.tab, f"{page.origin}/verify", form)
    there.has_heading(USED)


def test_a_confirmed_login_is_used_up_in_the_first_browser(
    phone: Phone, page: SitePage, email: str
) -> None:
    there, answers = phone()
    there.go_on()
    there.greets(email)
    (form,) = answers.forms
    post_from_elsewhere(page.tab, f"{page.origin}/verify", form)
    page.has_heading(USED)
    there.open()
    there.greets(email)


def test_the_confirmation_page_fits_the_screen(phone: Phone, shoot: Shoot) -> None:
    there, _ = phone()
    shoot(there.tab, "confirm")
    there.tab.set_viewport_size({"width": 320, "height": 640})
    there.tab.emulate_media(color_scheme="dark")
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert there.tab.evaluate(wide) == 0
    shoot(there.tab, "confirm-narrow")
