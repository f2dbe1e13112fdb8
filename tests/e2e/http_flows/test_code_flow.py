"""The code flow with the real broker: the browser carries a code, and the site redeems it."""

from __future__ import annotations

import copy
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit
from urllib.request import urlopen

import pytest

from e2e.broker import Broker
from portier_client import BrokerError
from tests.web.visitor import Visitor

from .flow import OVER, USED, ask, confirm, consent, explained, is_signed_in, type_code

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from e2e.sites import Site
    from tests.web.visitor import Page

AT_ONCE = 8


@pytest.fixture
def site(serve_shared: Callable[..., Site]) -> Site:
    """A site that chooses the flow itself."""
    return serve_shared(flow="auto")


@pytest.fixture
def callback(visitor: Visitor, site: Site, broker: Broker, email: str) -> str:
    """The URL with the code, to which the broker has redirected the visitor."""
    return answer(visitor, site, broker, email)


def test_the_site_chooses_the_code_flow_and_the_broker_accepts_its_parameters(
    visitor: Visitor, site: Site, broker: Broker, email: str
) -> None:
    login = visitor.get(f"{site.origin}/login")
    start = visitor.submit(login, "/login", email=email, follow=False)
    url = urlsplit(start.headers["Location"])
    query = parse_qs(url.query, strict_parsing=True)
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{broker.origin}/auth"
    assert query.pop("nonce") != query.pop("state")
    assert query == {
        "login_hint": [email],
        "scope": ["openid email"],
        "response_type": ["code"],
        "response_mode": ["query"],
        "client_id": [site.origin],
        "redirect_uri": [f"{site.origin}/verify"],
    }


@pytest.mark.parametrize("algorithm", ["RS256", "EdDSA"])
def test_a_visitor_logs_in_with_a_code_and_logs_out(
    visitor: Visitor,
    serve_shared: Callable[..., Site],
    broker: Broker,
    email: str,
    algorithm: str,
) -> None:
    site = serve_shared(flow="code", algorithms=algorithm)
    greeting = visitor.get(answer(visitor, site, broker, email))
    assert greeting.url == f"{site.origin}/"
    assert email in greeting.text
    assert is_signed_in(visitor, site, email)
    visitor.submit(greeting, "/logout")
    assert not is_signed_in(visitor, site, email)


def test_a_visitor_logs_in_with_the_link_in_the_mail(
    visitor: Visitor, site: Site, broker: Broker, email: str
) -> None:
    ask(visitor, site, email)
    assert email in visitor.get(broker.mailbox.take(email).link).text
    assert is_signed_in(visitor, site, email)


def test_a_login_returns_to_the_page_that_required_it(
    visitor: Visitor, site: Site, broker: Broker, email: str
) -> None:
    members = visitor.get(answer(visitor, site, broker, email, page="/members"))
    assert members.url == f"{site.origin}/members"
    assert email in members.text


def test_a_browser_that_did_not_start_the_login_is_asked_and_the_code_stays_unused(
    visitor: Visitor, site: Site, callback: str, email: str
) -> None:
    phone = Visitor()
    given = consent(phone.get(callback), email)
    assert not is_signed_in(phone, site, email)
    assert visitor.get(callback).url == f"{site.origin}/"
    assert is_signed_in(visitor, site, email)
    late = phone.post(f"{site.origin}/verify", given, origin=site.origin)
    assert USED in late.text
    assert not is_signed_in(phone, site, email)


def test_a_person_may_confirm_where_the_mail_was_opened(
    visitor: Visitor, site: Site, callback: str, email: str
) -> None:
    phone = Visitor()
    assert confirm(phone, phone.get(callback), email).url == f"{site.origin}/"
    assert is_signed_in(phone, site, email)
    assert USED in visitor.get(callback).text
    assert not is_signed_in(visitor, site, email)


def test_a_reloaded_callback_redirects_to_the_site(
    visitor: Visitor, site: Site, callback: str, email: str
) -> None:
    assert visitor.get(callback).status == 200
    assert visitor.get(callback).url == f"{site.origin}/"
    assert is_signed_in(visitor, site, email)
    stranger = Visitor()
    refused = stranger.get(callback)
    assert (refused.status, USED in refused.text) == (400, True)
    assert not is_signed_in(stranger, site, email)


def test_a_callback_opened_many_times_concurrently_logs_in_once(
    visitor: Visitor, site: Site, callback: str, email: str
) -> None:
    together = threading.Barrier(AT_ONCE)

    def visit() -> Visitor:
        sender = Visitor()
        sender.cookies = copy.deepcopy(visitor.cookies)
        together.wait(60)
        sender.get(callback)
        return sender

    with ThreadPoolExecutor(AT_ONCE) as pool:
        senders = [sent.result() for sent in [pool.submit(visit) for _ in range(AT_ONCE)]]
    assert sum(is_signed_in(sender, site, email) for sender in senders) == 1


def test_a_scanner_that_asks_for_the_headers_of_the_callback_uses_nothing_up(
    visitor: Visitor, site: Site, callback: str, email: str
) -> None:
    assert Visitor().request("HEAD", callback).status == 405
    assert visitor.request("HEAD", callback).status == 405
    assert visitor.get(callback).url == f"{site.origin}/"
    assert is_signed_in(visitor, site, email)


def test_a_code_that_somebody_else_has_redeemed_signs_nobody_in(
    visitor: Visitor, site: Site, broker: Broker, callback: str, email: str
) -> None:
    query = dict(parse_qsl(urlsplit(callback).query, strict_parsing=True))
    status, redeemed = redeem(broker, query["code"], f"{site.origin}/verify")
    assert (status, "id_token" in redeemed) == (200, True)
    refused = visitor.get(callback)
    assert refused.status == 400
    assert OVER in refused.text
    assert not is_signed_in(visitor, site, email)
    # The token of the code flow completes nothing that comes through a browser.
    token = {"id_token": redeemed["id_token"], "state": query["state"]}
    assert visitor.post(f"{site.origin}/verify", token, origin=site.origin).status == 400
    assert not is_signed_in(visitor, site, email)


@pytest.mark.parametrize("change", ["state", "code"])
def test_a_callback_with_a_wrong_state_or_code_signs_nobody_in(
    visitor: Visitor, site: Site, callback: str, email: str, change: str
) -> None:
    query = dict(parse_qsl(urlsplit(callback).query, strict_parsing=True))
    wrong = {**query, change: "A" * len(query[change])}
    refused = visitor.get(f"{site.origin}/verify?{urlencode(wrong)}")
    assert refused.status == 400
    assert not is_signed_in(visitor, site, email)
    # The login is still pending.
    assert visitor.get(callback).url == f"{site.origin}/"
    assert is_signed_in(visitor, site, email)


def test_codes_of_two_logins_are_not_interchangeable(
    visitor: Visitor, site: Site, broker: Broker, email: str
) -> None:
    queries = []
    for name in ("first", "second"):
        url = answer(visitor, site, broker, f"{name}-{email}")
        queries.append(dict(parse_qsl(urlsplit(url).query, strict_parsing=True)))
    mixed = urlencode({"state": queries[0]["state"], "code": queries[1]["code"]})
    assert visitor.get(f"{site.origin}/verify?{mixed}").status == 400
    for name in ("first", "second"):
        assert not is_signed_in(visitor, site, f"{name}-{email}")


@pytest.mark.parametrize("page", ["/", "/login", "/members", "/verify?page=2"])
def test_a_code_that_was_sent_to_another_page_signs_nobody_in(
    visitor: Visitor, site: Site, broker: Broker, email: str, page: str
) -> None:
    attacker = Visitor()
    code, state = lured(attacker, visitor, site, broker, email, redirect_uri=site.origin + page)
    stolen = f"{site.origin}/verify?{urlencode({'code': code, 'state': state})}"
    for browser in (attacker, visitor):
        assert browser.get(stolen).status in {200, 400}
        assert not is_signed_in(browser, site, email)


@pytest.mark.parametrize("change", [{"response_type": "id_token", "response_mode": "form_post"}])
def test_a_login_that_was_turned_into_one_of_the_implicit_flow_signs_nobody_in(
    visitor: Visitor, site: Site, broker: Broker, email: str, change: dict[str, str]
) -> None:
    waiting = visitor.get(changed(start(visitor, site, email), **change))
    posted = type_code(visitor, waiting, broker.mailbox.take(email).code)
    assert posted.form().fields["id_token"]
    assert visitor.submit(posted).status == 400
    assert not is_signed_in(visitor, site, email)


def test_a_person_who_cancels_is_told_so(visitor: Visitor, site: Site, email: str) -> None:
    url = start(visitor, site, email)
    (state,) = parse_qs(urlsplit(url).query)["state"]
    cancelled = urlencode({"error": "access_denied", "state": state})
    refused = visitor.get(f"{site.origin}/verify?{cancelled}")
    assert refused.status == 403
    assert explained(BrokerError("", error="access_denied")) in refused.text
    assert not is_signed_in(visitor, site, email)


def test_a_broker_that_is_down_at_the_callback_uses_no_login_up(
    visitor: Visitor, serve: Callable[..., Site], tmp_path: Path, email: str
) -> None:
    database = tmp_path / "broker.sqlite"
    with Broker(tmp_path, algorithms=["EdDSA"], sqlite=database) as broker:
        site = serve(broker, flow="code", algorithms="EdDSA")
        url = answer(visitor, site, broker, email)
        broker.stop()
        failed = visitor.get(url)
        assert failed.status == 503
        assert failed.headers["Retry-After"] == "30"
        broker.start()
        # After the failure, the client waits for about a second before the next request.
        deadline = time.monotonic() + 30
        while (page := visitor.get(url)).status == 503:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert email in page.text


def start(visitor: Visitor, site: Site, email: str) -> str:
    """The URL of the broker to which the site redirects for a login."""
    login = visitor.get(f"{site.origin}/login")
    started = visitor.submit(login, "/login", email=email, follow=False)
    return str(started.headers["Location"])


def answer(
    visitor: Visitor, site: Site, broker: Broker, email: str, *, page: str = "/login"
) -> str:
    """Log in at the broker; returns the URL it redirects to, which is not opened yet."""
    waiting = ask(visitor, site, email, page)
    return redirect_of(visitor, waiting, broker, email, f"{site.origin}/verify")


def redirect_of(
    visitor: Visitor, waiting: Page, broker: Broker, email: str, redirect_uri: str
) -> str:
    """Type the code of the mail; returns the URL of the broker's redirect."""
    code = broker.mailbox.take(email).code
    redirect = visitor.submit(waiting, "/confirm", code=code, follow=False)
    assert redirect.status == 303
    url = str(redirect.headers["Location"])
    assert url.startswith(redirect_uri)
    return url


def lured(  # noqa: PLR0917 (two people)
    attacker: Visitor, victim: Visitor, site: Site, broker: Broker, email: str, redirect_uri: str
) -> tuple[str, str]:
    """The code and the state of a login that the attacker starts with another redirect URI.

    The victim finishes it at the broker. The code arrives at another page of the site, and leaks
    there.
    """
    waiting = victim.get(changed(start(attacker, site, email), redirect_uri=redirect_uri))
    url = redirect_of(victim, waiting, broker, email, redirect_uri)
    query = dict(parse_qsl(urlsplit(url).query, strict_parsing=True))
    return query["code"], query["state"]


def changed(url: str, **parameters: str) -> str:
    """A URL with other values of some parameters."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, strict_parsing=True)) | parameters
    return parts._replace(query=urlencode(query)).geturl()


def redeem(broker: Broker, code: str, redirect_uri: str) -> tuple[int, dict[str, str]]:
    """The status and the members of the answer to a token request."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    try:
        with urlopen(f"{broker.origin}/token", urlencode(form).encode(), timeout=30) as response:
            return response.status, json.load(response)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)
