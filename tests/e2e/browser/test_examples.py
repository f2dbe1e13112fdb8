"""A person logs in to every example site, and out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ..sites import OTHERS, Site, can_run
from .pages import BrokerPage, SitePage

if TYPE_CHECKING:
    from ..broker import Broker
    from .conftest import OpenProfile


@pytest.mark.parametrize("flow", ["code", "implicit"])
@pytest.mark.parametrize("name", OTHERS)
def test_a_person_logs_in_and_out(
    name: str, flow: str, broker: Broker, open_profile: OpenProfile
) -> None:
    if not can_run(name):
        pytest.skip(f"there is nothing to run the {name} site with")
    email = f"{name}-{flow}@example.com"
    with Site(name, broker.origin, flow=flow) as site:
        tab = open_profile(site).tab()
        page = SitePage(tab, site.origin)
        page.open("/members")
        page.is_at("/login?next=%2Fmembers")
        page.is_dressed()
        page.type_address(email)
        page.press_continue()
        tab.goto(BrokerPage(tab, broker).read_mail(email).link)
        page.is_at("/members")
        page.knows(email)
        page.open()
        page.greets(email)
        page.sign_out()
        page.asks_for_an_address()
