"""Browser profiles, each with its cookies and tabs and with the browser's complaints."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect, sync_playwright

from . import journal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import (
        Browser,
        BrowserContext,
        BrowserType,
        ConsoleMessage,
        Page,
        Response,
        WebError,
    )

# Without a window, Chromium's engine is the same, and needs a third of the processor's time.
EXECUTABLES = ["chromium-headless-shell", "chromium"]
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Playwright turns off the back-forward cache by default, and it cannot control a page that comes
# out of this cache. Only the tests of going back turn it on.
KEEP_PAGES = ["--disable-back-forward-cache"]

MILLISECONDS_TO_WAIT = 20_000


class Chromium:
    """The browser program and its Playwright driver."""

    def __init__(self, driver: BrowserType, executable: str) -> None:
        self._driver = driver
        self._executable = executable

    @contextmanager
    def running(self, *, keeps_pages: bool = False) -> Iterator[Browser]:
        """Runs it without a window; `keeps_pages` for going back to, as people have it."""
        browser = self._driver.launch(
            executable_path=self._executable,
            args=FLAGS,
            ignore_default_args=KEEP_PAGES if keeps_pages else None,
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def driven() -> Iterator[Chromium]:
    """Starts what drives the Chromium of this machine; `CHROMIUM` names another one."""
    names = [os.environ["CHROMIUM"]] if "CHROMIUM" in os.environ else EXECUTABLES
    executable = next(filter(None, map(shutil.which, names)), None)
    if executable is None:
        pytest.skip("there is no Chromium: on Debian, `apt install chromium-headless-shell`")
    expect.set_options(timeout=MILLISECONDS_TO_WAIT)
    with sync_playwright() as playwright:
        yield Chromium(playwright.chromium, executable)


class Profile:
    """A new profile of a person.

    `complaints` lists what the browser reports about pages of the site at `origin`: errors on the
    console, including violations of the `Content-Security-Policy`, uncaught exceptions, and missing
    files. Pages of the broker are not checked.
    """

    def __init__(self, browser: Browser, origin: str, *, scripts: bool = True) -> None:
        self.origin = origin
        self.has_scripts = scripts
        self.complaints: list[str] = []
        self._context: BrowserContext = browser.new_context(
            viewport={"width": 1000, "height": 720},
            locale="en-US",
            color_scheme="light",
            java_script_enabled=scripts,
        )
        self._context.set_default_timeout(MILLISECONDS_TO_WAIT)
        journal.watch(self._context)
        self._context.on("console", self._hear_console)
        self._context.on("weberror", self._hear_exception)
        self._context.on("response", self._see_response)

    def tab(self) -> Page:
        """A new tab."""
        return self._context.new_page()

    def cookies(self) -> dict[str, dict[str, object]]:
        """The cookies the site has set, by name."""
        return {cookie["name"]: dict(cookie) for cookie in self._context.cookies(self.origin)}

    def plant_cookie(self, name: str, value: str) -> None:
        """Sets a cookie of the site that somebody else has made."""
        self._context.add_cookies([{"name": name, "value": value, "url": self.origin}])

    def forget_cookies(self) -> None:
        """Deletes all cookies."""
        self._context.clear_cookies()

    def expect_complaint(self, tab: Page) -> None:
        """Waits for the first one."""
        while not self.complaints:
            # Playwright delivers events during calls.
            tab.wait_for_timeout(20)

    def close(self) -> None:
        """Forgets everything."""
        self._context.close()

    def _hear_console(self, message: ConsoleMessage) -> None:
        # A page may have a status such as 400; `_see_response` checks the rest.
        a_status = message.text.startswith("Failed to load resource")
        where = message.location.get("url", "")
        if message.type == "error" and not a_status and self._is_ours(where, message.page):
            self.complaints.append(f"console: {message.text} url={where}")

    def _hear_exception(self, error: WebError) -> None:
        if self._is_ours("", error.page):
            self.complaints.append(f"exception: {error.error}")

    def _see_response(self, response: Response) -> None:
        request = response.request
        a_file = request.resource_type != "document"
        if response.status >= 400 and a_file and self._is_ours(request.url, None):
            self.complaints.append(f"status={response.status} url={request.url}")

    def _is_ours(self, url: str, page: Page | None) -> bool:
        return any(
            address == self.origin or address.startswith(f"{self.origin}/")
            for address in (url, page.url if page else "")
        )
