"""Logins that do not complete."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from e2e.broker import Broker

from .flow import OVER, answer, ask, is_signed_in, log_in, post_fragment, type_code

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from e2e.sites import Site
    from tests.web.visitor import Page, Visitor

    Serve = Callable[..., Site]

SECONDS_TO_RECOVER = 20
NOT_CONFIRMED = "The login service did not confirm your address"


def test_the_right_code_logs_in_after_a_wrong_one(
    visitor: Visitor, site: Site, broker: Broker, email: str
) -> None:
    waiting = ask(visitor, site, email)
    code = broker.mailbox.take(email).code
    wrong = code.translate(str.maketrans("abcdefgh", "bcdefghi", " "))[::-1]
    refused = type_code(visitor, waiting, wrong)
    assert refused.status == 403
    assert refused.url == f"{broker.origin}/confirm"
    assert not is_signed_in(visitor, site, email)
    assert email in visitor.submit(type_code(visitor, refused, code)).text


def test_a_visitor_who_goes_back_may_start_again(
    visitor: Visitor, site: Site, broker: Broker, email: str
) -> None:
    ask(visitor, site, email)
    left = broker.mailbox.take(email)
    assert not is_signed_in(visitor, site, email)
    other = f"other-{email}"
    assert other in log_in(visitor, site, broker, other).text
    # The mail of the abandoned login is still valid, since the broker was not told.
    assert email in visitor.submit(visitor.get(left.link), "/verify").text


@pytest.mark.parametrize("mode", ["form_post", "fragment"])
def test_a_refusal_of_the_broker_is_shown_as_a_problem(
    visitor: Visitor, serve_shared: Serve, broker: Broker, email: str, mode: str
) -> None:
    site = serve_shared() if mode == "form_post" else serve_shared(response_mode=mode)
    login = visitor.get(f"{site.origin}/login")
    address = email.replace("example.com", "blocked.example")
    page = visitor.submit(login, "/login", email=address)
    if mode == "form_post":
        assert page.url.startswith(f"{broker.origin}/auth?")
        assert page.form("/verify").fields["error"] == "invalid_request"
        refused = visitor.submit(page)
    else:
        assert page.url.startswith(f"{site.origin}/verify#")
        refused = post_fragment(visitor, page)
    assert refused.url == f"{site.origin}/verify"
    assert refused.status == 400
    assert NOT_CONFIRMED in refused.text
    assert "blocked" not in refused.text


def test_a_changed_token_is_refused_and_the_real_one_still_logs_in(
    visitor: Visitor, site: Site, broker: Broker, email: str
) -> None:
    callback = answer(visitor, site, broker, email)
    token = callback.form().fields["id_token"]
    head, payload, signature = token.split(".")
    changed = ("A" if signature[0] != "A" else "B") + signature[1:]
    refused = visitor.submit(callback, id_token=f"{head}.{payload}.{changed}")
    assert refused.status == 400
    assert NOT_CONFIRMED in refused.text
    assert email in visitor.submit(callback).text


def test_a_token_for_another_site_is_refused(
    visitor: Visitor, site: Site, serve: Serve, broker: Broker, email: str
) -> None:
    other = serve(broker)
    callback = answer(visitor, other, broker, email)
    taken = callback.form().fields
    refused = visitor.post(f"{site.origin}/verify", taken, origin=broker.origin)
    assert refused.status == 400
    assert NOT_CONFIRMED in refused.text
    assert email in visitor.submit(callback).text


def test_a_token_from_before_a_restart_of_the_site_is_refused(
    visitor: Visitor, serve: Serve, broker: Broker, email: str
) -> None:
    site = serve(broker)
    callback = answer(visitor, site, broker, email)
    site.stop()
    site.start()
    refused = visitor.submit(callback)
    assert refused.status == 400
    assert OVER in refused.text


def test_the_broker_limits_the_number_of_logins(
    visitor: Visitor, serve: Serve, tmp_path: Path, email: str
) -> None:
    limits = {"LIMITS": "ip:1/h"}
    with Broker(tmp_path, algorithms=["EdDSA"], options=limits) as broker:
        site = serve(broker, algorithms="EdDSA")
        callback = answer(visitor, site, broker, email)
        login = visitor.get(f"{site.origin}/login")
        refused = visitor.submit(login, "/login", email=f"other-{email}")
        assert refused.status == 429
        assert refused.url.startswith(f"{broker.origin}/auth?")
        assert refused.forms == []
        assert email in visitor.submit(callback).text


def test_a_site_reports_an_unreachable_broker_and_recovers(
    visitor: Visitor, serve: Serve, tmp_path: Path, email: str
) -> None:
    with Broker(tmp_path, algorithms=["EdDSA"]) as broker:
        site = serve(broker, algorithms="EdDSA")
        broker.stop()
        login = visitor.get(f"{site.origin}/login")
        refused = visitor.submit(login, "/login", email=email)
        assert refused.status == 503
        assert int(refused.headers["Retry-After"]) > 0
        assert "The login service does not answer" in refused.text
        broker.start()
        # After a failure the client waits up to a second before the next request.
        until = time.monotonic() + SECONDS_TO_RECOVER
        while page_after(visitor, login, email).status == 503:
            assert time.monotonic() < until
            time.sleep(0.05)
        broker.mailbox.take(email)
        assert email in log_in(visitor, site, broker, email).text


def page_after(visitor: Visitor, login: Page, email: str) -> Page:
    return visitor.submit(login, "/login", email=email)
