"""What the browsers of a test saw and did. The report of a failed test shows it.

`conftest.py` registers this file as a plugin of pytest.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

    from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response

# Playwright reports a click even if the page has disabled the button just before. Therefore the
# page itself tells which events it gets.
TELL = """
for (const type of ["pointerdown", "click", "submit", "load"]) {
    const tell = ({ target: { localName = "page", disabled } }) =>
        console.debug(`event: ${type} ${localName}${disabled ? " (disabled)" : ""}`);
    addEventListener(type, tell, true);
}
"""


class Journal:
    """The lines of one test."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.profiles = 0
        self.lines: list[str] = []

    def watch(self, context: BrowserContext) -> None:
        """Records pages, forms and presses of a new profile, without fields and queries."""
        self.profiles += 1
        number = self.profiles

        def write(text: str) -> None:
            seconds = time.monotonic() - self.began
            self.lines.append(f"{seconds:7.3f} s  profile {number}  {text}")

        def write_page(request: Request, text: str) -> None:
            if request.is_navigation_request():
                write(f"{text} {urlsplit(request.url)._replace(query='', fragment='').geturl()}")

        def see_response(response: Response) -> None:
            write_page(response.request, str(response.status))

        def hear(message: ConsoleMessage) -> None:
            if message.text.startswith("event: "):
                write(message.text)

        context.add_init_script(TELL)
        context.on("request", lambda request: write_page(request, request.method))
        context.on("requestfailed", lambda request: write_page(request, request.failure or ""))
        context.on("response", see_response)
        context.on("console", hear)


_journals = [Journal()]


def watch(context: BrowserContext) -> None:
    """Records a new profile for the running test."""
    _journals[-1].watch(context)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Begins a new record."""
    _journals[:] = [Journal()]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds the record to the report of a failed test."""
    report = yield
    (journal,) = _journals
    if report.failed and journal.lines:
        report.sections.append(("In the browser", "\n".join(journal.lines)))
    return report
