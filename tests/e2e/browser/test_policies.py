"""Logins with other headers of the site, or headers that a proxy adds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2e.http_flows.flow import answer
from tests.web.visitor import Visitor

from ..sites import ONE_SITE
from .elsewhere import post_from_elsewhere

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

    from ..broker import Broker
    from ..sites import Site
    from .pages import BrokerPage, SitePage
    from .profiles import Profile

pytestmark = pytest.mark.parametrize("site_name", ONE_SITE, indirect=True, scope="session")


def test_form_action_of_the_policy_limits_every_redirect_of_a_form(
    page: SitePage, asked: BrokerPage, profile: Profile, email: str
) -> None:
    said = page.open("/login").headers["content-security-policy"]
    assert f"form-action 'self' {asked.broker.origin} " in said
    answer_with(page.tab, f"{page.origin}/login", "form-action 'self'")
    page.start(email, "/login")
    profile.expect_complaint(page.tab)
    assert "form-action 'self'" in profile.complaints[0]
    page.asks_for_an_address()
    profile.complaints.clear()


def test_a_site_with_cross_origin_opener_policy_logs_in(
    page: SitePage, asked: BrokerPage, email: str
) -> None:
    answer_with(page.tab, f"{page.origin}/", opener_policy="same-origin")
    page.start(email)
    asked.enter(asked.read_mail(email).code)
    page.greets(email)
    assert page.tab.evaluate("window.opener") is None


def test_the_page_that_posts_again_has_a_button_without_scripts(
    page: SitePage, profile: Profile, site: Site, broker: Broker, email: str
) -> None:
    fields = answer(Visitor(), site, broker, email).form("/verify").fields
    answer_with(page.tab, f"{site.origin}/verify", "script-src 'none'")
    post_from_elsewhere(page.tab, f"{site.origin}/verify", fields)
    page.has_heading("One more step")
    page.press_continue()
    page.asks_to_go_on_as(email)
    assert all("script-src 'none'" in complaint for complaint in profile.complaints)
    profile.complaints.clear()


def answer_with(tab: Page, url: str, policy: str = "", opener_policy: str = "") -> None:
    """Adds another policy to the next response of a URL."""

    def change(route: Route) -> None:
        response = route.fetch(max_redirects=0)
        assert response.status == 200
        headers = dict(response.headers)
        if policy:
            headers["content-security-policy"] = f"{headers['content-security-policy']}, {policy}"
        if opener_policy:
            headers["cross-origin-opener-policy"] = opener_policy
        route.fulfill(response=response, headers=headers)

    tab.route(url, change, times=1)
