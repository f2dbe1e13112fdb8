"""One browser for all tests, with a separate profile for each person in a test."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from ..broker import ROOT
from . import journal
from .pages import BrokerPage, SitePage
from .profiles import Chromium, Profile, driven

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

    from ..broker import Broker
    from ..sites import Site

    OpenProfile = Callable[..., Profile]
    Shoot = Callable[[Page, str], None]

SCREENSHOTS = ROOT / "target" / "e2e" / "screenshots"


def pytest_configure(config: pytest.Config) -> None:
    """Shows in the report of a failed test what its browsers did."""
    config.pluginmanager.register(journal)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """The Chromium of this machine."""
    with driven() as chromium:
        yield chromium


@pytest.fixture(scope="session")
def browser(chromium: Chromium) -> Iterator[Browser]:
    """One browser for all tests; each test uses its own profiles."""
    with chromium.running() as browser:
        yield browser


@pytest.fixture
def open_profile(browser: Browser) -> Iterator[OpenProfile]:
    """Opens profiles for one test; their complaints fail it."""
    with opening(browser) as open_profile:
        yield open_profile


@contextmanager
def opening(browser: Browser) -> Iterator[OpenProfile]:
    profiles: list[Profile] = []

    def open_profile(site: Site, *, scripts: bool = True) -> Profile:
        profiles.append(Profile(browser, site.origin, scripts=scripts))
        return profiles[-1]

    yield open_profile
    for profile in profiles:
        profile.close()
    assert [complaint for profile in profiles for complaint in profile.complaints] == []


@pytest.fixture
def profile(open_profile: OpenProfile, site: Site) -> Profile:
    """The profile of the person in the test."""
    return open_profile(site)


@pytest.fixture
def tab(profile: Profile) -> Page:
    """The first tab of that profile."""
    return profile.tab()


@pytest.fixture
def page(tab: Page, site: Site) -> SitePage:
    """The site in that tab."""
    return SitePage(tab, site.origin)


@pytest.fixture
def asked(tab: Page, broker: Broker) -> BrokerPage:
    """The broker in that tab."""
    return BrokerPage(tab, broker)


@pytest.fixture
def shoot(site_name: str) -> Shoot:
    """Saves a screenshot of a tab as `target/e2e/screenshots/SITE-NAME.png`."""

    def shoot(tab: Page, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        # Fetched pictures are visible in the next frame.
        tab.screenshot(path=SCREENSHOTS / f"{site_name}-{name}.png", animations="disabled")

    return shoot
