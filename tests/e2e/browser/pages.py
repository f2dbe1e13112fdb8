"""The pages of the example sites and of the broker, as people use them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Request, Response

    from ..broker import Broker
    from ..mail import Mail

# The broker's page for the code; its answer posts a token to the site.
ANSWERING_PATH = "/confirm"


class SitePage:
    """The example site in one tab."""

    def __init__(self, tab: Page, origin: str) -> None:
        self.tab = tab
        self.origin = origin

    def open(self, path: str = "/") -> Response:
        """Opens a URL of the site."""
        response = self.tab.goto(f"{self.origin}{path}")
        assert response is not None
        return response

    def type_address(self, email: str) -> None:
        """Types an address into the form, without sending it."""
        self.tab.get_by_label("E-mail address").fill(email)

    def press_continue(self) -> None:
        """Sends the form."""
        self.tab.get_by_role("button", name="Continue").click()

    def start(self, email: str, path: str = "/") -> None:
        """Starts a login from a page of the site."""
        self.open(path)
        self.type_address(email)
        self.press_continue()

    def back(self) -> None:
        """Goes back. The browser may show a kept page without loading it."""
        self._go(-1)

    def forward(self) -> None:
        """Goes forward; see `back`."""
        self._go(1)

    def _go(self, step: int) -> None:
        """Goes through the history, past the broker's page that posts the callback.

        That page has an entry of its own only if it was loaded before its script ran, and Chromium
        does not ask for it again.
        """
        chromium = self.tab.context.new_cdp_session(self.tab)
        history = chromium.send("Page.getNavigationHistory")
        index, entries = history["currentIndex"] + step, history["entries"]
        while urlsplit(entries[index]["url"]).path == ANSWERING_PATH:
            index += step
        chromium.send("Page.navigateToHistoryEntry", {"entryId": entries[index]["id"]})
        chromium.detach()

    def sign_out(self) -> None:
        """Presses the sign-out button."""
        self.tab.get_by_role("button", name="Sign out").click()

    def start_again(self) -> None:
        """Presses the button of a problem page."""
        self.tab.get_by_role("link", name="Start again").click()

    def asks_to_go_on_as(self, email: str) -> None:
        """Expects the page for a browser that did not start the login; nobody is signed in yet."""
        self.has_heading(f"Sign in as {email} on this device?")
        self.is_at("/verify")

    def go_on(self) -> None:
        """Confirms there."""
        self.button_to_go_on().click()

    def button_to_go_on(self) -> Locator:
        """The button there. Its script ignores clicks for a moment, again when the page has loaded.

        Playwright waits until a button is enabled, but does not notice if the script disables it
        just before the click.
        """
        self.tab.wait_for_load_state()
        return self.tab.get_by_role("button", name="Sign in")

    def cancel(self) -> None:
        """Cancels there."""
        self.tab.get_by_role("link", name="No, cancel").click()

    def is_at(self, path: str) -> None:
        """Expects the browser at a URL of the site, including the fragment."""
        expect(self.tab).to_have_url(f"{self.origin}{path}")

    def has_heading(self, text: str) -> None:
        """Expects a page with this heading."""
        expect(self.tab.get_by_role("heading", level=1)).to_have_text(text)

    def greets(self, email: str) -> None:
        """Expects the front page of someone who is signed in."""
        self.has_heading(f"Good to see you, {email}")
        self.is_at("/")
        self.knows(email)

    def knows(self, email: str) -> None:
        """Expects any page of the site that shows this person as signed in."""
        expect(self.tab.locator(".who")).to_have_text(email)

    def has_complaint(self, text: str, *, typed: str) -> None:
        """Expects the form again, with a complaint and the typed text."""
        field = self.tab.get_by_label("E-mail address")
        expect(field).to_have_value(typed)
        expect(field).to_have_accessible_description(text)
        expect(self.tab.get_by_text(text)).to_be_visible()

    def says(self, text: str) -> None:
        """Expects a text on the page."""
        expect(self.tab.get_by_text(text)).to_be_visible()

    def is_dressed(self) -> None:
        """Expects style and pictures, and no content wider than the screen."""
        icon = self.tab.locator("header img")
        expect(icon).to_have_js_property("complete", True)
        expect(icon).not_to_have_js_property("naturalWidth", 0)
        expect(self.tab.locator("main")).to_have_css("border-top-left-radius", "16px")
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert self.tab.evaluate(wide) == 0

    def asks_for_an_address(self) -> None:
        """Expects a page with the login form, and nobody signed in."""
        expect(self.tab.get_by_label("E-mail address")).to_be_visible()
        expect(self.tab.get_by_role("button", name="Sign out")).to_have_count(0)


class BrokerPage:
    """The broker in one tab: it has sent a mail, and asks for the code in it."""

    def __init__(self, tab: Page, broker: Broker) -> None:
        self.tab = tab
        self.broker = broker

    def asks_for_the_code(self) -> str:
        """Expects the page for the code; returns the broker's session, as in the mail's link."""
        expect(self.tab).to_have_title("Portier – Confirm your address")
        expect(self.tab).to_have_url(re.compile(re.escape(self.broker.origin) + "/"))
        return self.tab.locator("input[name=session]").input_value()

    def read_mail(self, address: str) -> Mail:
        """Expects the page for the code, and returns its mail."""
        return self.broker.mailbox.take(address, self.asks_for_the_code())

    def type(self, code: str) -> None:
        """Types a code, without sending it."""
        self.tab.locator("input[name=code]").fill(code)

    def enter(self, code: str) -> None:
        """Types a code, and sends it."""
        self.type(code)
        self.tab.get_by_role("button", name="Login").click()

    def confirms_the_device(self) -> None:
        """Expects the broker's page for a browser that did not start the login, and confirms."""
        expect(self.tab.locator("input[name=device_ok]")).to_have_count(1)
        self.tab.get_by_role("button", name="Click here to login").click()

    def says(self, text: str) -> None:
        """Expects a page of the broker."""
        expect(self.tab.get_by_text(text)).to_be_visible()


class Answers:
    """Records what one tab posts to a site's callback from now on.

    `forms` has the fields of each answer, as it came from the broker; `again` those of the forms
    that pages of the site post there.
    """

    def __init__(self, tab: Page, origin: str) -> None:
        self.forms: list[dict[str, str]] = []
        self.again: list[dict[str, str]] = []
        self._callback = f"{origin}/verify"
        tab.on("request", self._see)

    def _see(self, request: Request) -> None:
        if request.method == "POST" and request.url == self._callback:
            form = dict(parse_qsl(request.post_data or ""))
            (self.again if "portier_again" in form else self.forms).append(form)
