"""What the example site refuses, and how it says so."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from tornado.web import Application

from portier_client import Client
from portier_client.testing import CannedTransport, DevBroker, ManualClock, canned_client
from portier_client.tornado import LoginHandler

from .conftest import SECRET, Serve, example, make_app
from .visitor import Page, Visitor

Walk = Callable[..., Page]

OVER = "This sign-in is over"
FAILED = "Sign-in did not work"


def test_a_replayed_callback_is_refused(visitor: Visitor, walk: Walk) -> None:
    callback = walk()
    assert visitor.submit(callback).status == 200
    visitor.cookies.clear()
    replayed = visitor.submit(callback)
    assert replayed.status == 400
    assert OVER in replayed.text
    assert "email" not in visitor.cookies.get("localhost", {})


def test_a_cancelled_login_is_no_login(visitor: Visitor, site: str) -> None:
    asked = visitor.submit(visitor.get(f"{site}/login"), "/login", email="alice@example.com")
    cancelled = visitor.submit(visitor.submit(asked, answer="cancel"))
    assert cancelled.status == 403
    assert "Sign-in cancelled" in cancelled.text
    assert "alice@example.com" not in visitor.get(f"{site}/").text


def test_an_expired_session_is_refused(visitor: Visitor, serve: Serve) -> None:
    clock = ManualClock(1_750_000_000)
    with DevBroker(clock=clock) as broker:
        site = serve(lambda origin: make_app(client_of(broker, origin, clock), SECRET))
        login = visitor.get(f"{site}/login")
        asked = visitor.submit(login, "/login", email="alice@example.com")
        clock.advance(30 * 60 + 1)
        refused = visitor.submit(visitor.submit(asked, answer="continue"))
    assert refused.status == 400
    assert OVER in refused.text


def test_a_wrong_clock_is_named_and_the_login_can_be_completed(
    visitor: Visitor, serve: Serve
) -> None:
    clock = ManualClock(1_750_000_500)
    with DevBroker(clock=ManualClock(1_750_000_000)) as broker:
        site = serve(lambda origin: make_app(client_of(broker, origin, clock), SECRET))
        login = visitor.get(f"{site}/login")
        asked = visitor.submit(login, "/login", email="alice@example.com")
        callback = visitor.submit(asked, answer="continue")
        refused = visitor.submit(callback)
        assert refused.status == 503
        assert "clock" in refused.text
        assert OVER not in refused.text
        clock.set(1_750_000_000)
        assert "alice@example.com" in visitor.submit(callback).text


def client_of(broker: DevBroker, origin: str, clock: ManualClock) -> Client:
    transport = CannedTransport()
    for path in ("/.well-known/openid-configuration", "/keys.json"):
        url = f"{broker.origin}{path}"
        transport.respond(url, Visitor().get(url).text.encode())
    return canned_client(f"{origin}/verify", broker=broker.origin, clock=clock, transport=transport)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"nonce": "A" * 32}, OVER),
        ({"claims": {"iat": 1, "exp": 2}}, OVER),
        ({"claims": {"aud": "https://other.example"}}, FAILED),
        ({"claims": {"iss": "https://other.example"}}, FAILED),
        ({"claims": {"email": "mallory@example.com"}, "key": "stranger"}, FAILED),
        ({"header": {"alg": "none"}}, FAILED),
    ],
    ids=["nonce", "expired", "audience", "issuer", "signature", "algorithm"],
)
def test_a_forged_token_is_refused(
    visitor: Visitor, site: str, broker: DevBroker, changes: dict[str, object], words: str
) -> None:
    login = visitor.get(f"{site}/login")
    start = visitor.submit(login, "/login", email="alice@example.com", follow=False)
    token = broker.mint(url=start.headers["Location"], **changes)
    refused = visitor.post(f"{site}/verify", {"id_token": token})
    assert refused.status == 400
    assert words in refused.text
    assert "email" not in visitor.cookies["localhost"]


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "\0", "é" * 100, "a" * 20_000])
def test_junk_is_refused(visitor: Visitor, site: str, token: str) -> None:
    refused = visitor.post(f"{site}/verify", {"id_token": token, "state": ""})
    assert refused.status == 400
    assert FAILED in refused.text


def test_a_wrong_state_changes_nothing(visitor: Visitor, walk: Walk) -> None:
    callback = walk()
    assert visitor.submit(callback, state="forged").status == 200


def test_the_callback_takes_forms_only(visitor: Visitor, site: str) -> None:
    assert visitor.request("POST", f"{site}/verify").status == 415


@pytest.mark.parametrize("path", ["/login", "/verify"])
def test_a_form_is_bounded(visitor: Visitor, site: str, path: str) -> None:
    login = visitor.get(f"{site}/login").form("/login")
    for octets, status in [(60_000, 400), (70_000, 413)]:
        form = {**login.fields, "email": "", "id_token": "a" * octets}
        assert visitor.post(f"{site}{path}", form, origin=site).status == status


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_web_23_only_a_post_completes_a_login(
    visitor: Visitor, site: str, walk: Walk, method: str
) -> None:
    callback = walk()
    query = urlencode(callback.form().fields)
    refused = visitor.request(method, f"{site}/verify?{query}")
    # The XSRF check comes before the method's absence is noticed.
    assert refused.status == (405 if method in {"GET", "HEAD"} else 403)
    assert visitor.submit(callback).status == 200, "nothing was consumed"


@pytest.mark.parametrize("path", ["/login", "/logout", "/", "/members"])
def test_web_05_no_other_page_takes_a_post_from_elsewhere(
    visitor: Visitor, site: str, walk: Walk, path: str
) -> None:
    visitor.submit(walk())
    refused = visitor.post(f"{site}{path}", {"email": "victim@example.com"})
    assert refused.status == 403
    assert "alice@example.com" in visitor.get(f"{site}/").text, "still signed in"


ELSEWHERE = {
    "another site": {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
    "a host beside it": {"Sec-Fetch-Site": "same-site"},
    "an unheard-of place": {"Sec-Fetch-Site": "same-origin, cross-site"},
    "nowhere, in an old browser": {"Origin": "null"},
    "a host beside it, in an old browser": {"Origin": "http://www.localhost"},
    "another port, in an old browser": {"Origin": "http://localhost:1"},
}


@pytest.mark.parametrize("where", ELSEWHERE)
def test_web_06_forms_of_other_sites_start_no_logins(
    visitor: Visitor, site: str, where: str
) -> None:
    """Even with a token that a host beside the site has put into the cookie and into its form."""
    login = visitor.get(f"{site}/login")
    visitor.headers = ELSEWHERE[where]
    refused = visitor.submit(login, "/login", email="attacker@example.com")
    assert refused.status == 403
    assert "The form came from another site" in refused.text
    assert "portier" not in visitor.cookies["localhost"]


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}])
def test_web_06_forms_of_the_site_start_logins(
    visitor: Visitor, site: str, headers: dict[str, str]
) -> None:
    login = visitor.get(f"{site}/login")
    visitor.headers = headers
    started = visitor.submit(login, "/login", follow=False, email="alice@example.com")
    assert started.status == 303


def test_web_06_a_site_without_the_xsrf_check_starts_no_logins_for_others(
    visitor: Visitor, serve: Serve, broker: DevBroker
) -> None:
    def unchecked(origin: str) -> Application:
        return Application(
            [("/login", LoginHandler)], portier=Client(f"{origin}/verify", broker=broker.origin)
        )

    site = serve(unchecked)
    form = {"email": "victim@example.com"}
    assert visitor.post(f"{site}/login", form).status == 403
    assert visitor.cookies == {}
    assert visitor.post(f"{site}/login", form, origin=site, follow=False).status == 303


def test_a_page_that_is_not_there_has_the_looks_of_the_site(visitor: Visitor, site: str) -> None:
    missing = visitor.get(f"{site}/no/such/page")
    assert missing.status == 404
    assert "The Reading Room" in missing.text


def test_an_impossible_address_is_asked_for_again(visitor: Visitor, site: str) -> None:
    login = visitor.get(f"{site}/login?next=/members")
    for email in ["", "nobody", "a@b@c.example", "a b@example.com"]:
        again = visitor.submit(login, "/login", email=email)
        assert again.status == 400
        assert again.form("/login").fields["email"] == email
        assert again.form("/login").fields["next"] == "/members"
        assert "does not look like an e-mail address" in again.text


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "\"><img src=x>'&", "\u202eevil"])
def test_web_12_markup_is_not_taken_over(visitor: Visitor, site: str, text: str) -> None:
    again = visitor.submit(visitor.get(f"{site}/login"), "/login", email=text, next=text)
    assert again.form("/login").fields["email"] == text
    for fields in ({"error": text}, {"error": "server_error", "error_description": text}):
        answer = visitor.post(f"{site}/verify", fields)
        assert answer.status == 400
        assert FAILED in answer.text
        assert text not in answer.text
    assert "<script" not in again.text
    assert "<img src=x" not in again.text


def test_a_broker_that_is_down_is_said_to_be(visitor: Visitor, serve: Serve) -> None:
    with DevBroker() as broker:
        site = serve(lambda origin: example(origin, broker.origin))
    down = visitor.submit(visitor.get(f"{site}/login"), "/login", email="alice@example.com")
    assert down.status == 503
    assert int(down.headers["Retry-After"]) > 0
    assert "does not answer" in down.text
