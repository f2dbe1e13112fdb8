"""Sites with another browser binding than the default."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from e2e.http_flows.flow import answer
from tests.web.visitor import Visitor

from ..sites import ONE_SITE
from .elsewhere import post_from_elsewhere
from .pages import Answers, BrokerPage, SitePage

if TYPE_CHECKING:
    from e2e.conftest import Serve

    from ..broker import Broker
    from ..sites import Site
    from .conftest import OpenProfile

pytestmark = pytest.mark.parametrize("site_name", ONE_SITE, indirect=True, scope="session")


@pytest.fixture
def binding(request: pytest.FixtureRequest) -> str:
    """How the site binds its logins."""
    return str(request.param)


@pytest.fixture
def site(serve_shared: Serve, binding: str) -> Site:
    """A site with that binding."""
    return serve_shared(browser_binding=binding)


@pytest.fixture
def phone(open_profile: OpenProfile, site: Site) -> SitePage:
    """The site in another browser."""
    return SitePage(open_profile(site).tab(), site.origin)


@pytest.mark.parametrize("binding", ["require"], indirect=True)
def test_a_login_completes_only_in_its_own_browser(
    page: SitePage, asked: BrokerPage, phone: SitePage, email: str
) -> None:
    page.start(email)
    mail = asked.read_mail(email)
    answers = Answers(phone.tab, page.origin)
    phone.tab.goto(mail.link)
    BrokerPage(phone.tab, asked.broker).confirms_the_device()
    phone.has_heading("Finish where you began")
    (form,) = answers.forms
    post_from_elsewhere(page.tab, f"{page.origin}/verify", form)
    page.greets(email)


@pytest.mark.parametrize("binding", ["require"], indirect=True)
def test_a_stolen_token_is_refused_without_a_question(
    page: SitePage, site: Site, broker: Broker, email: str
) -> None:
    stolen = answer(Visitor(), site, broker, email).form("/verify").fields
    post_from_elsewhere(page.tab, f"{site.origin}/verify", stolen)
    page.has_heading("Finish where you began")
    page.open()
    expect(page.tab.get_by_text(email)).to_have_count(0)


@pytest.mark.parametrize("binding", ["off"], indirect=True)
def test_without_browser_binding_a_login_completes_in_any_browser(
    page: SitePage, asked: BrokerPage, phone: SitePage, email: str
) -> None:
    page.start(email)
    mail = asked.read_mail(email)
    phone.tab.goto(mail.link)
    BrokerPage(phone.tab, asked.broker).confirms_the_device()
    phone.greets(email)
