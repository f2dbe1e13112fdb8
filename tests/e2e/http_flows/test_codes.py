"""The code flow with the real broker."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from e2e.broker import Broker
from tests.web.visitor import Visitor

from .flow import USED, ask, confirm, consent, is_signed_in, type_code

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from e2e.sites import Site

    Serve = Callable[..., Site]


@pytest.fixture
def site(serve_shared: Serve) -> Site:
    """The site as it is by default: it uses the code flow, because the broker offers it."""
    return serve_shared(flow="auto")


def prove(visitor: Visitor, site: Site, broker: Broker, email: str) -> str:
    """Proves the address; returns the URL with the code, which is not opened yet."""
    waiting = ask(visitor, site, email)
    code = broker.mailbox.take(email).code
    answer = visitor.submit(waiting, "/confirm", code=code, follow=False)
    url: str = answer.headers["Location"]
    assert url.startswith(f"{site.origin}/verify?")
    assert "code=" in url
    assert "id_token" not in url
    return url


def test_a_visitor_logs_in_by_the_code_of_the_mail_and_out(
    visitor: Visitor, site: Site, broker: Broker, email: str
) -> None:
    waiting = ask(visitor, site, email)
    greeting = type_code(visitor, waiting, broker.mailbox.take(email).code)
    assert greeting.url == f"{site.origin}/"
    assert email in greeting.text
    assert is_signed_in(visitor, site, email)
    visitor.submit(greeting, "/logout")
    assert not is_signed_in(visitor, site, email)


def test_a_visitor_logs_in_by_the_link_of_the_mail(
    visitor: Visitor, site: Site, broker: Broker, email: str
) -> None:
    ask(visitor, site, email)
    assert visitor.get(broker.mailbox.take(email).link).url == f"{site.origin}/"
    assert is_signed_in(visitor, site, email)


def test_a_login_leads_back_to_the_page_that_needed_it(
    visitor: Visitor, site: Site, broker: Broker, email: str
) -> None:
    waiting = visitor.submit(visitor.get(f"{site.origin}/members"), "/login", email=email)
    members = type_code(visitor, waiting, broker.mailbox.take(email).code)
    assert members.url == f"{site.origin}/members"
    assert email in members.text


@pytest.mark.parametrize("algorithm", ["RS256", "EdDSA"])
def test_both_algorithms_log_in(
    visitor: Visitor, serve_shared: Serve, broker: Broker, email: str, algorithm: str
) -> None:
    site = serve_shared(flow="code", algorithms=algorithm)
    url = prove(visitor, site, broker, email)
    assert email in visitor.get(url).text


def test_a_code_completes_one_login_in_one_browser(
    visitor: Visitor, site: Site, broker: Broker, email: str
) -> None:
    url = prove(visitor, site, broker, email)
    for _ in range(2):
        assert visitor.get(url).url == f"{site.origin}/"
    other = Visitor()
    refused = other.get(url)
    assert refused.status == 400
    assert USED in refused.text
    assert not is_signed_in(other, site, email)


def test_an_attackers_code_signs_nobody_in_without_asking(
    visitor: Visitor, site: Site, broker: Broker, email: str
) -> None:
    attacker = Visitor()
    url = prove(attacker, site, broker, email)
    asked = visitor.get(url)
    consent(asked, email)
    assert not is_signed_in(visitor, site, email)
    # The code was not exchanged: the login completes where it was started.
    assert attacker.get(url).url == f"{site.origin}/"
    assert is_signed_in(attacker, site, email)


def test_a_person_may_continue_where_the_mail_was_opened(
    visitor: Visitor, site: Site, broker: Broker, email: str
) -> None:
    url = prove(visitor, site, broker, email)
    phone = Visitor()
    asked = phone.get(url)
    assert confirm(phone, asked, email).url == f"{site.origin}/"
    assert is_signed_in(phone, site, email)
    assert USED in visitor.get(url).text


def test_a_broker_that_is_down_at_the_callback_uses_no_login_up(
    visitor: Visitor, serve: Serve, tmp_path: Path, email: str
) -> None:
    database = tmp_path / "broker.sqlite"
    with Broker(tmp_path, algorithms=["EdDSA"], sqlite=database) as broker:
        site = serve(broker, flow="code", algorithms="EdDSA")
        url = prove(visitor, site, broker, email)
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
