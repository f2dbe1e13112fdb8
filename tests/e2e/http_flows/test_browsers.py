"""Logins that end in another browser than the one they started in, by accident or in an attack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.web.visitor import Visitor

from .flow import USED, answer, ask, confirm, consent, is_signed_in, log_in

if TYPE_CHECKING:
    from e2e.broker import Broker
    from e2e.sites import Site

# What the attacker adds to the posted token.
CLAIMS = {"unchanged": {}, "marked as posted again": {"portier_again": "1"}}


@pytest.fixture
def attacker() -> Visitor:
    """An attacker who wants others to be signed in as the attacker."""
    return Visitor()


@pytest.fixture(params=["a new visitor", "a visitor with a pending login", "a signed-in visitor"])
def victim(request: pytest.FixtureRequest, site: Site, broker: Broker, email: str) -> Visitor:
    """A visitor of the attacker's page."""
    victim = Visitor()
    if request.param == "a visitor with a pending login":
        ask(victim, site, email.replace("reader", "victim"))
    elif request.param == "a signed-in visitor":
        assert (
            log_in(victim, site, broker, email.replace("reader", "victim")).url == f"{site.origin}/"
        )
    return victim


@pytest.mark.parametrize("as_what", CLAIMS)
def test_a_token_posted_by_another_site_signs_nobody_in(  # noqa: PLR0917 (fixtures)
    attacker: Visitor,
    victim: Visitor,
    site: Site,
    broker: Broker,
    email: str,
    as_what: str,
) -> None:
    callback = answer(attacker, site, broker, email)
    stolen = {**callback.form().fields, **CLAIMS[as_what]}
    page = victim.post(f"{site.origin}/verify", stolen)
    if "portier_again" in stolen:
        # This visitor sends neither Sec-Fetch-Site and Origin nor a cookie.
        assert "Cookies are needed" in page.text
    else:
        consent(page, email)
    assert email not in victim.get(f"{site.origin}/").text
    # The attacker's own login is still pending.
    assert attacker.submit(callback).url == f"{site.origin}/"
    assert is_signed_in(attacker, site, email)


def test_a_confirmation_of_another_browser_signs_nobody_in(
    attacker: Visitor, victim: Visitor, site: Site, broker: Broker, email: str
) -> None:
    callback = answer(attacker, site, broker, email)
    given = consent(Visitor().submit(callback), email)
    for origin in (None, site.origin):
        victim.post(f"{site.origin}/verify", given, origin=origin)
        assert email not in victim.get(f"{site.origin}/").text
    assert attacker.submit(callback).url == f"{site.origin}/"


def test_a_used_token_signs_nobody_in(
    attacker: Visitor, victim: Visitor, site: Site, broker: Broker, email: str
) -> None:
    callback = answer(attacker, site, broker, email)
    attacker.submit(callback)
    refused = victim.post(f"{site.origin}/verify", callback.form().fields)
    assert refused.status == 400
    assert USED in refused.text
    assert email not in victim.get(f"{site.origin}/").text


def test_a_person_may_confirm_where_the_mail_was_opened(
    visitor: Visitor, site: Site, broker: Broker, email: str
) -> None:
    callback = answer(visitor, site, broker, email)
    phone = Visitor()
    asked = phone.submit(callback)
    assert not is_signed_in(phone, site, email)
    assert confirm(phone, asked, email).url == f"{site.origin}/"
    assert is_signed_in(phone, site, email)
    assert USED in visitor.submit(callback).text
    assert not is_signed_in(visitor, site, email)


def test_a_person_who_does_not_confirm_can_complete_in_the_first_browser(
    visitor: Visitor, site: Site, broker: Broker, email: str
) -> None:
    callback = answer(visitor, site, broker, email)
    phone = Visitor()
    given = consent(phone.submit(callback), email)
    assert visitor.submit(callback).url == f"{site.origin}/"
    assert is_signed_in(visitor, site, email)
    late = phone.post(f"{site.origin}/verify", given, origin=site.origin)
    assert USED in late.text
    assert not is_signed_in(phone, site, email)
