"""Logins that come to their end in another browser, by chance or by an attacker."""

from __future__ import annotations

from collections.abc import Callable
from http.cookies import Morsel, SimpleCookie
from typing import TYPE_CHECKING

import pytest

from portier_client import Client

from .conftest import SECRET, Serve, make_app
from .visitor import Page, Visitor

if TYPE_CHECKING:
    from portier_client.testing import DevBroker

VICTIM, ATTACKER = "victim@example.com", "attacker@example.com"
ASKS = f'Sign in as <span class="address">{ATTACKER}</span> on this device?'
OVER = "This sign-in is over"

Start = Callable[..., Page]


@pytest.fixture
def start(site: str) -> Start:
    """Has a visitor log in as far as the broker's form, which is not posted yet."""

    def start(visitor: Visitor, email: str) -> Page:
        asked = visitor.submit(visitor.get(f"{site}/login"), "/login", email=email)
        return visitor.submit(asked, answer="continue")

    return start


@pytest.fixture(params=["been nowhere", "started a login", "logged in"])
def victim(request: pytest.FixtureRequest, start: Start) -> Visitor:
    """Someone whom an attacker wants to sign in as somebody else."""
    victim = Visitor()
    if request.param != "been nowhere":
        callback = start(victim, VICTIM)
        if request.param == "logged in":
            assert VICTIM in victim.submit(callback).text
    return victim


def is_signed_in(visitor: Visitor, site: str, email: str) -> bool:
    """Whether the site takes the visitor for the owner of an address."""
    return email in visitor.get(f"{site}/").text


@pytest.mark.parametrize("claims", [{}, {"portier_again": "1"}], ids=["plain", "again"])
def test_web_01_an_attackers_answer_signs_nobody_in(
    victim: Visitor, site: str, start: Start, claims: dict[str, str]
) -> None:
    attacker = Visitor()
    callback = start(attacker, ATTACKER)
    asked = victim.post(f"{site}/verify", {**callback.form().fields, **claims})
    assert asked.status == 200
    assert ASKS in asked.text
    assert not is_signed_in(victim, site, ATTACKER)
    # Nor was it used up.
    assert ATTACKER in attacker.submit(callback).text


def test_web_01_what_the_attacker_confirmed_signs_nobody_else_in(
    victim: Visitor, site: str, start: Start
) -> None:
    attacker, other_browser = Visitor(), Visitor()
    callback = start(attacker, ATTACKER)
    confirmed = confirm_form(other_browser.submit(callback))
    for origin in (None, site):
        refused = victim.post(f"{site}/verify", confirmed, origin=origin)
        assert ASKS in refused.text or "Cookies are needed" in refused.text
        assert not is_signed_in(victim, site, ATTACKER)
    assert ATTACKER in attacker.submit(callback).text


@pytest.mark.parametrize(
    "cookie",
    ["", "x", "A" * 42, "A" * 44, "A" * 43, "é" * 43, "A" * 42 + "="],
    ids=["empty", "short", "less", "more", "forged", "wide", "padded"],
)
def test_web_20_a_cookie_that_is_none_of_ours_signs_nobody_in(
    site: str, start: Start, cookie: str
) -> None:
    attacker, victim = Visitor(), Visitor()
    callback = start(attacker, ATTACKER)
    victim.cookies["localhost"] = {"portier": morsel("portier", cookie)}
    asked = victim.post(f"{site}/verify", callback.form().fields, origin=site)
    assert ASKS in asked.text
    assert not is_signed_in(victim, site, ATTACKER)


def test_web_20_a_browser_that_loses_its_cookies_signs_nobody_in(site: str, start: Start) -> None:
    class Forgetful(Visitor):
        def _keep(self, host: str, value: str) -> None:
            del host, value

    callback = start(Visitor(), ATTACKER)
    forgetful = Forgetful()
    asked = forgetful.post(f"{site}/verify", callback.form().fields)
    assert ASKS in asked.text
    refused = forgetful.post(f"{site}/verify", confirm_form(asked), origin=site)
    assert refused.status == 400
    assert "Cookies are needed" in refused.text


def test_a_person_goes_on_where_the_mail_was_opened(site: str, start: Start) -> None:
    desk, phone = Visitor(), Visitor()
    callback = start(desk, ATTACKER)
    asked = phone.submit(callback)
    assert ASKS in asked.text
    # Reloading the question changes nothing.
    assert ASKS in phone.submit(callback).text
    welcome = phone.post(f"{site}/verify", confirm_form(asked), origin=site)
    assert welcome.url == f"{site}/"
    assert is_signed_in(phone, site, ATTACKER)
    over = desk.submit(callback)
    assert over.url == f"{site}/", "the browser's own login, completed before"
    assert not is_signed_in(desk, site, ATTACKER)
    again = phone.post(f"{site}/verify", confirm_form(asked), origin=site)
    assert OVER in again.text
    assert is_signed_in(phone, site, ATTACKER)


def test_a_person_who_does_not_confirm_goes_on_in_the_first_browser(
    site: str, start: Start
) -> None:
    desk, phone = Visitor(), Visitor()
    callback = start(desk, ATTACKER)
    asked = phone.submit(callback)
    assert '<a class="button quiet" href="/login">No, cancel</a>' in asked.text
    assert is_signed_in(phone, site, ATTACKER) is False
    assert ATTACKER in desk.submit(callback).text
    late = phone.post(f"{site}/verify", confirm_form(asked), origin=site)
    assert OVER in late.text
    assert not is_signed_in(phone, site, ATTACKER)
    assert OVER in phone.submit(callback).text


def test_web_22_the_same_answer_again_leads_home(site: str, start: Start) -> None:
    visitor = Visitor()
    callback = start(visitor, VICTIM)
    visitor.submit(callback)
    before = visitor.cookies["localhost"]["email"].value
    again = visitor.submit(callback, follow=False)
    assert (again.status, again.headers["Location"]) == (303, "/")
    assert again.headers["Cache-Control"] == "no-store"
    assert visitor.cookies["localhost"]["email"].value == before


def test_web_21_tabs_share_a_cookie(site: str, start: Start) -> None:
    visitor = Visitor()
    first = start(visitor, VICTIM)
    secret = visitor.cookies["localhost"]["portier"].value
    second = start(visitor, ATTACKER)
    assert visitor.cookies["localhost"]["portier"].value == secret
    assert ATTACKER in visitor.submit(second).text
    assert VICTIM in visitor.submit(first).text
    cookie = visitor.cookies["localhost"]["portier"]
    flags = {name: cookie[name] for name in ("httponly", "samesite", "path", "max-age", "domain")}
    assert flags == {
        "httponly": True,
        "samesite": "Lax",
        "path": "/",
        "max-age": "86400",
        "domain": "",
    }


def test_web_20_a_cookie_that_is_none_of_ours_is_replaced(site: str, start: Start) -> None:
    visitor = Visitor()
    visitor.cookies["localhost"] = {"portier": morsel("portier", "x")}
    assert VICTIM in visitor.submit(start(visitor, VICTIM)).text
    assert len(visitor.cookies["localhost"]["portier"].value) == 43


def test_web_01_a_site_may_require_the_browser_that_began(
    serve: Serve, broker: DevBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.Verify.browser_binding", "require")
    site = serve(lambda origin: make_app(Client(f"{origin}/verify", broker=broker.origin), SECRET))
    desk, phone = Visitor(), Visitor()
    asked = desk.submit(desk.get(f"{site}/login"), "/login", email=VICTIM)
    callback = desk.submit(asked, answer="continue")
    refused = phone.submit(callback)
    assert refused.status == 400
    assert "Finish where you began" in refused.text
    assert refused.headers["Cache-Control"] == "no-store"
    assert [form for form in refused.forms if form.fields] == []
    assert VICTIM in desk.submit(callback).text


def test_web_01_a_site_that_requires_the_browser_takes_no_consent(
    serve: Serve, broker: DevBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as one from the time before it did, or from another handler of the same site."""
    site = serve(lambda origin: make_app(Client(f"{origin}/verify", broker=broker.origin), SECRET))
    desk, phone = Visitor(), Visitor()
    asked = desk.submit(desk.get(f"{site}/login"), "/login", email=VICTIM)
    callback = desk.submit(asked, answer="continue")
    consent = confirm_form(phone.submit(callback))
    monkeypatch.setattr("app.Verify.browser_binding", "require")
    refused = phone.post(f"{site}/verify", consent, origin=site)
    assert refused.status == 400
    assert "Finish where you began" in refused.text
    assert not is_signed_in(phone, site, VICTIM)
    assert VICTIM in desk.submit(callback).text


STOLEN = {"off": "", "confirm": "on this device?", "require": "Finish where you began"}


@pytest.mark.parametrize("binding", STOLEN)
def test_web_02_what_a_thief_of_a_fresh_answer_gets(
    serve: Serve, broker: DevBroker, monkeypatch: pytest.MonkeyPatch, binding: str
) -> None:
    """Whoever has it could as well have read the mail; only ``require`` keeps him out."""
    monkeypatch.setattr("portier_client.tornado.PortierMixin.browser_binding", binding)
    site = serve(lambda origin: make_app(Client(f"{origin}/verify", broker=broker.origin), SECRET))
    person, thief = Visitor(), Visitor()
    asked = person.submit(person.get(f"{site}/login"), "/login", email=VICTIM)
    stolen = person.submit(asked, answer="continue").form().fields
    page = thief.post(f"{site}/verify", stolen)
    assert STOLEN[binding] in page.text
    assert is_signed_in(thief, site, VICTIM) is (binding == "off")
    # In his own browser he can say yes for himself, or keep asking until the person is back.
    if binding == "confirm":
        thief.post(f"{site}/verify", confirm_form(page), origin=site)
        assert is_signed_in(thief, site, VICTIM)
    elif binding == "require":
        assert "Finish where you began" in thief.post(f"{site}/verify", stolen).text
        assert not is_signed_in(thief, site, VICTIM)
    person.post(f"{site}/verify", stolen)
    assert is_signed_in(person, site, VICTIM) is (binding == "require")


def test_a_site_may_leave_logins_unbound(
    serve: Serve, broker: DevBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portier_client.tornado.PortierMixin.browser_binding", "off")
    site = serve(lambda origin: make_app(Client(f"{origin}/verify", broker=broker.origin), SECRET))
    desk, phone = Visitor(), Visitor()
    asked = desk.submit(desk.get(f"{site}/login"), "/login", email=VICTIM)
    assert "portier" not in desk.cookies["localhost"]
    callback = desk.submit(asked, answer="continue")
    assert VICTIM in phone.submit(callback, goes_on=False).text
    assert OVER in phone.submit(callback).text


@pytest.mark.parametrize("kind", ["again", "confirm"])
def test_web_08_the_pages_between_are_private_and_in_no_frame(start: Start, kind: str) -> None:
    callback = start(Visitor(), ATTACKER)
    page = Visitor().submit(callback, goes_on=kind == "confirm")
    assert page.posts_again is (kind == "again")
    assert page.status == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["X-Frame-Options"] == "DENY"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


def confirm_form(page: Page) -> dict[str, str]:
    """What a person posts who agrees."""
    (form,) = [form for form in page.forms if "portier_confirmation" in form.fields]
    assert form.action == ""
    assert form.fields["portier_again"] == "1"
    return form.fields


def morsel(name: str, value: str) -> Morsel[str]:
    """A cookie that the browser has from somewhere."""
    cookie: SimpleCookie = SimpleCookie()
    cookie[name] = value
    # The browser sends it as it is.
    cookie[name].set(name, value, value)
    return cookie[name]
