"""Keys of the broker that change during a login."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import TYPE_CHECKING

from ..broker import Broker
from .pages import Answers, BrokerPage, SitePage
from .test_login import header_of

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from ..conftest import Serve
    from .conftest import OpenProfile

SECONDS_TO_ROTATE = 30
# The minimum age of keys before a site fetches newer ones; nobody reads a mail so fast.
MILLISECONDS_TO_DOUBT = 1000


def test_logs_in_after_the_broker_restarted_with_new_keys(
    serve: Serve, open_profile: OpenProfile, tmp_path: Path, email: str
) -> None:
    with Broker(tmp_path / "broker") as broker:
        site = serve(broker)
        profile = open_profile(site)
        tab = log_in(profile.tab(), site.origin, broker, email)
        known = key_ids(broker)
        tab.wait_for_timeout(MILLISECONDS_TO_DOUBT)

        answers = Answers(tab, site.origin)
        page, asked = SitePage(tab, site.origin), BrokerPage(tab, broker)
        page.sign_out()
        page.start(email)
        lost = asked.read_mail(email)
        broker.restart()
        # The broker has lost its session, but the page contains the whole request of the site.
        asked.enter(lost.code)
        asked.says("The session has expired.")
        page.back()
        asked.enter(asked.read_mail(email).code)
        page.greets(email)
        (answer,) = answers.forms
        assert header_of(answer["id_token"])["kid"] not in known


def test_logs_in_while_the_broker_rotates_its_keys(
    serve: Serve, open_profile: OpenProfile, tmp_path: Path, email: str
) -> None:
    # Not RSA: if making a key takes longer than a rotation, this broker fails.
    seconds = {"KEYS_TTL": "2"}
    with Broker(tmp_path / "broker", algorithms=["EdDSA"], options=seconds) as broker:
        site = serve(broker, algorithms="EdDSA")
        tab = log_in(open_profile(site).tab(), site.origin, broker, email)
        known = key_ids(broker)

        page, asked = SitePage(tab, site.origin), BrokerPage(tab, broker)
        page.sign_out()
        page.start(email)
        mail = asked.read_mail(email)
        deadline = time.monotonic() + SECONDS_TO_ROTATE
        while key_ids(broker) & known:
            # Reading the keys does not affect the browser.
            tab.wait_for_timeout(100)
            assert time.monotonic() < deadline, "the broker does not rotate its keys"
        asked.enter(mail.code)
        page.greets(email)


def log_in(tab: Page, origin: str, broker: Broker, email: str) -> Page:
    """Logs in once, so that the site knows the broker's keys; returns the tab."""
    page, asked = SitePage(tab, origin), BrokerPage(tab, broker)
    page.start(email)
    asked.enter(asked.read_mail(email).code)
    page.greets(email)
    return tab


def key_ids(broker: Broker) -> set[str]:
    """The ids of the published keys."""
    with urllib.request.urlopen(f"{broker.origin}/keys.json", timeout=10) as answer:
        return {key["kid"] for key in json.load(answer)["keys"]}
