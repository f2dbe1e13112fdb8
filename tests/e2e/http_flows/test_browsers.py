"""Logins that end in another browser than they were started in, by chance or by an attacker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.web.visitor import Visitor

from .flow import OVER, answer, ask, confirm, consent, is_signed_in, log_in

if TYPE_CHECKING:
    from e2e.broker import Broker
    from e2e.sites import Site

# What the attacker says of the answer.
CLAIMS = {"as it is": {}, "as if it came from the site": {"portier_again": "1"}}
COOKIES = {
    "empty": "",
    "short": "x",
    "forged": "A" * 43,
    "long": "A" * 44,
    "padded": "A" * 42 + "=",
}


@pytest.fixture
def attacker() -> Visitor:
    """Someone who would like to have others signed in as him."""
    return Visitor()


@pytest.fixture(params=["been nowhere", "started a login", "logged in"])
def victim(request: pytest.FixtureRequest, site: Site, broker: Broker, email: str) -> Visitor:
    """Someone who comes across a page of the attacker's."""
    victim = Visitor()
    if request.param == "started a login":
        ask(victim, site, email.replace("reader", "victim"))
    elif request.param == "logged in":
        assert (
            log_in(victim, site, broker, email.replace("reader", "victim")).url == f"{site.origin}/"
        )
    return victim


@pytest.mark.parametrize("as_what", CLAIMS)
def test_web_01_an_answer_that_another_site_posts_signs_nobody_in(  # noqa: PLR0917 (fixtures)
    attacker: Visitor,
    victim: Visitor,
    site: Site,
    broker: Broker,
    email: str,
    as_what: str,
) -> None:
    callback = answer(attacker, site, broker, email)
    stolen = {**callback.form().fields, **CLAIMS[as_what]}
    consent(victim.post(f"{site.origin}/verify", stolen), email)
    assert email not in victim.get(f"{site.origin}/").text
    # The attacker's own login is where it was.
    assert attacker.submit(callback).url == f"{site.origin}/"
    assert is_signed_in(attacker, site, email)


def test_web_01_nobody_can_consent_for_somebody_else(
    attacker: Visitor, victim: Visitor, site: Site, broker: Broker, email: str
) -> None:
    callback = answer(attacker, site, broker, email)
    given = consent(Visitor().submit(callback), email)
    for origin in (None, site.origin):
        victim.post(f"{site.origin}/verify", given, origin=origin)
        assert email not in victim.get(f"{site.origin}/").text
    assert attacker.submit(callback).url == f"{site.origin}/"


def test_web_02_an_answer_that_was_used_is_nobodys(
    attacker: Visitor, victim: Visitor, site: Site, broker: Broker, email: str
) -> None:
    callback = answer(attacker, site, broker, email)
    attacker.submit(callback)
    refused = victim.post(f"{site.origin}/verify", callback.form().fields)
    assert refused.status == 400
    assert OVER in refused.text
    assert email not in victim.get(f"{site.origin}/").text


@pytest.mark.parametrize("kind", COOKIES)
def test_web_20_a_cookie_from_elsewhere_is_none(
    attacker: Visitor, site: Site, broker: Broker, email: str, kind: str
) -> None:
    victim = Visitor()
    callback = answer(attacker, site, broker, email)
    victim.headers["Cookie"] = f"portier={COOKIES[kind]}"
    consent(victim.post(f"{site.origin}/verify", callback.form().fields, origin=site.origin), email)


def test_web_20_a_browser_without_cookies_is_told_that_they_are_needed(
    attacker: Visitor, site: Site, broker: Broker, email: str
) -> None:
    callback = answer(attacker, site, broker, email)
    given = consent(Visitor().submit(callback), email)
    refused = Visitor().post(f"{site.origin}/verify", given, origin=site.origin)
    assert refused.status == 400
    assert "Cookies are needed" in refused.text


def test_a_person_may_go_on_where_the_mail_was_opened(
    visitor: Visitor, site: Site, broker: Broker, email: str
) -> None:
    callback = answer(visitor, site, broker, email)
    phone = Visitor()
    asked = phone.submit(callback)
    assert not is_signed_in(phone, site, email)
    assert confirm(phone, asked, email).url == f"{site.origin}/"
    assert is_signed_in(phone, site, email)
    assert visitor.submit(callback).url == f"{site.origin}/"
    assert not is_signed_in(visitor, site, email)


def test_a_person_who_does_not_go_on_there_can_do_so_in_the_first_browser(
    visitor: Visitor, site: Site, broker: Broker, email: str
) -> None:
    callback = answer(visitor, site, broker, email)
    phone = Visitor()
    given = consent(phone.submit(callback), email)
    assert visitor.submit(callback).url == f"{site.origin}/"
    assert is_signed_in(visitor, site, email)
    late = phone.post(f"{site.origin}/verify", given, origin=site.origin)
    assert OVER in late.text
    assert not is_signed_in(phone, site, email)


@pytest.mark.parametrize("which", ["that posts again", "that asks"])
def test_web_08_the_pages_between_are_private_and_in_no_frame(
    visitor: Visitor, site: Site, broker: Broker, email: str, which: str
) -> None:
    goes_on = which == "that asks"
    page = Visitor().submit(answer(visitor, site, broker, email), goes_on=goes_on)
    assert page.posts_again is not goes_on
    assert page.status == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


def test_web_21_a_browser_keeps_its_cookie(
    visitor: Visitor, site: Site, broker: Broker, email: str
) -> None:
    first = answer(visitor, site, broker, email)
    cookie = visitor.cookies["localhost"]["portier"]
    assert (cookie["httponly"], cookie["samesite"].lower(), cookie["path"]) == (True, "lax", "/")
    assert (cookie["domain"], cookie["max-age"], len(cookie.value)) == ("", "86400", 43)
    second = answer(visitor, site, broker, f"second-{email}")
    assert visitor.cookies["localhost"]["portier"].value == cookie.value
    for callback in (second, first):
        assert visitor.submit(callback).url == f"{site.origin}/"
