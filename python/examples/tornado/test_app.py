"""Tests of the site with unittest: `python -m unittest`."""

from __future__ import annotations

import secrets

from tornado.testing import AsyncHTTPTestCase
from tornado.web import Application

from app import make_app
from portier_client import Client
from portier_client.testing import PortierTestMixin

ALICE = "alice@example.com"


class LoginTest(PortierTestMixin, AsyncHTTPTestCase):
    """Logins at the site."""

    def get_app(self) -> Application:
        client = Client("http://localhost:8888/verify", broker=self.portier_broker.origin)
        return make_app(client, cookie_secret=secrets.token_urlsafe())

    def test_members_see_the_shelf(self) -> None:
        page = self.portier_login(self, ALICE, page="/members")
        assert "The shelf" in page.text
        # Tornado's client keeps no cookies.
        index = self.fetch("/", headers={"Cookie": page.cookie})
        assert ALICE in index.body.decode()

    def test_a_login_that_was_cancelled_signs_nobody_in(self) -> None:
        page = self.portier_login.cancelled(self)
        assert page.status == 403
        assert "email" not in page.cookie

    def test_a_typing_error_shows_the_form_again(self) -> None:
        with self.assertRaisesRegex(AssertionError, "the site did not start a login status=400"):
            self.portier_login(self, "alice@@example.com")
