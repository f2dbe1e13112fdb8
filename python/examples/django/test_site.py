"""Tests of the site: `python manage.py test`."""

from __future__ import annotations

from django.test import AsyncClient, Client, TestCase

from portier_client.testing import PortierTestMixin

ALICE = "alice@example.com"


class LoginTest(PortierTestMixin, TestCase):
    """Logins at the site."""

    def test_members_see_the_shelf(self) -> None:
        page = self.portier_login(self.client, ALICE, page="/members")
        self.assertContains(page.response, "The shelf")
        self.assertContains(self.client.get("/"), ALICE)

    def test_the_form_has_the_token_of_the_csrf_protection(self) -> None:
        browser = Client(enforce_csrf_checks=True)
        self.portier_login(browser, ALICE)
        self.assertContains(browser.get("/"), ALICE)

    def test_a_person_with_two_browsers_is_asked(self) -> None:
        asked = self.portier_login.other_browser(self.client, ALICE)
        assert "on this device?" in asked.text
        self.assertNotContains(self.client.get("/"), ALICE)
        self.portier_login.other_browser(self.client, ALICE, confirm=True)
        self.assertContains(self.client.get("/"), ALICE)

    async def test_the_same_site_under_asgi(self) -> None:
        browser = AsyncClient()
        await self.portier_login(browser, ALICE)
        self.assertContains(await browser.get("/"), ALICE)
