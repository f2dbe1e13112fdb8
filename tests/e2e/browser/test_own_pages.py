"""The built-in pages of a login flow: each is readable and fits the screen in every language."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Literal

import pytest
from playwright.sync_api import expect

from portier_client import ConfigError
from portier_client.blocking import Client, LoginFlow
from portier_client.testing import DevBroker
from portier_client.web import Step, WebRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page, Route

    from .conftest import Shoot

CALLBACK = "https://example.com/verify"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
pytestmark = pytest.mark.no_real_broker

# The longest local part and the longest domain of an address.
LONG = f"{'l' * 64}@{'long.' * 36}example"

BUILT_IN = ["de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "zh"]
# A language that the site adds; it is written from right to left.
ADDED = "ar"


@pytest.fixture(scope="module")
def dev_broker() -> Iterator[DevBroker]:
    with DevBroker() as broker:
        yield broker


@pytest.fixture
def site_name() -> str:
    """A name for the screenshots; there is no site."""
    return "own"


PHONE = (320, "dark")
DESK = (1280, "light")


@pytest.mark.parametrize(
    ("language", "screen"),
    [*((language, PHONE) for language in [*BUILT_IN, ADDED]), ("en", DESK), (ADDED, DESK)],
    ids=lambda value: value if isinstance(value, str) else str(value[0]),
)
def test_every_built_in_page_fits_the_screen_and_works_without_scripts(
    language: str,
    screen: tuple[int, Literal["dark", "light"]],
    dev_broker: DevBroker,
    browser: Browser,
    shoot: Shoot,
) -> None:
    width, scheme = screen
    context = browser.new_context(
        viewport={"width": width, "height": 640}, color_scheme=scheme, java_script_enabled=False
    )
    tab = context.new_page()
    for name, step in own_pages(language, dev_broker).items():
        show(tab, step)
        html = tab.locator("html")
        expect(html).to_have_attribute("lang", language)
        expect(html).to_have_css("direction", "rtl" if language == ADDED else "ltr")
        heading = tab.get_by_role("heading", level=1)
        expect(heading).to_be_visible()
        main = tab.get_by_role("main")
        expect(main).to_have_accessible_name(heading.inner_text())
        # The policy allows the style.
        expect(main).to_have_css("border-top-left-radius", "16px")
        assert overhang(tab) == 0, name
        shoot(tab, f"{name}-{language}-{width}")
    context.close()


def own_pages(language: str, broker: DevBroker) -> dict[str, Step]:
    """Every kind of page, and one with the longest address."""
    posting = Client(CALLBACK, broker=broker.origin)
    fragment = Client(CALLBACK, broker=broker.origin, response_mode="fragment")
    texts = {} if language in BUILT_IN else {language: own_texts(posting, language)}
    flow = LoginFlow(posting, flow="implicit", languages=[language], texts=texts)
    visit = WebRequest("GET", {})
    return {
        "problem": flow.callback(visit),
        "confirmation": question(flow, broker, "alice@example.com"),
        "long": question(flow, broker, LONG),
        "post": post(flow, "id_token=a.b.c&state="),
        "fragment": LoginFlow(fragment, languages=[language], texts=texts).callback(visit),
    }


def own_texts(client: Client, language: str) -> dict[str, str]:
    """A text for each name that a language needs."""
    with pytest.raises(ConfigError) as error:
        LoginFlow(client, languages=[language])
    ids = re.search(r"ids=([\w.,]+)$", str(error.value))
    assert ids is not None
    return dict.fromkeys(ids[1].split(","), "هل تريد تسجيل الدخول؟") | {
        "confirm.heading": "هل تريد تسجيل الدخول باسم {email} على هذا الجهاز؟"
    }


def question(flow: LoginFlow, broker: DevBroker, email: str) -> Step:
    """Ends a login in a browser that did not start it."""
    started = flow.start(WebRequest("POST", {}), email)
    token = broker.mint(dict(started.reply.headers)["location"])
    again = post(flow, f"id_token={token}&state=")
    cookie = "; ".join(cookie.split(";")[0] for cookie in again.reply.cookies)
    fields = re.findall(r'name="([^"]*)" value="([^"]*)"', again.reply.body)
    body = "&".join(f"{name}={unescape(value)}" for name, value in fields)
    step = post(flow, body, cookie)
    assert email in step.reply.body
    return step


def post(flow: LoginFlow, body: str, cookie: str = "") -> Step:
    return flow.callback(WebRequest("POST", {**FORM, "Cookie": cookie}, body))


def show(tab: Page, step: Step) -> None:
    """Opens a page in a tab, with its policy."""

    def answer(route: Route) -> None:
        headers = {name: value for name, value in step.header_list if name != "set-cookie"}
        route.fulfill(status=step.reply.status, headers=headers, body=step.reply.body)

    tab.route(CALLBACK, answer, times=1)
    tab.goto(CALLBACK)


def overhang(tab: Page) -> int:
    """How much wider a page is than its screen, in pixels."""
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    width: int = tab.evaluate(wide)
    return width
