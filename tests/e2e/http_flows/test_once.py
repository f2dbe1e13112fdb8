"""Requests that are sent twice log in once."""

from __future__ import annotations

import copy
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.web.visitor import Visitor

from .flow import USED, answer, ask, is_signed_in, type_code

if TYPE_CHECKING:
    from e2e.broker import Broker
    from e2e.sites import Site

AT_ONCE = 8


def test_a_callback_posted_many_times_concurrently_logs_in_once(
    visitor: Visitor, site: Site, broker: Broker, email: str
) -> None:
    callback = answer(visitor, site, broker, email)
    together = threading.Barrier(AT_ONCE)

    def post() -> Visitor:
        # One browser in two tabs: with one visitor object, the pages would be mixed up.
        sender = Visitor()
        sender.cookies = copy.deepcopy(visitor.cookies)
        together.wait(60)
        page = sender.submit(callback)
        assert page.url == f"{site.origin}/" or USED in page.text
        return sender

    with ThreadPoolExecutor(AT_ONCE) as pool:
        senders = [sent.result() for sent in [pool.submit(post) for _ in range(AT_ONCE)]]
    assert sum(is_signed_in(sender, site, email) for sender in senders) == 1


def test_a_reloaded_callback_redirects_to_the_site(
    visitor: Visitor, site: Site, broker: Broker, email: str
) -> None:
    callback = answer(visitor, site, broker, email)
    assert visitor.submit(callback).status == 200
    reloaded = visitor.submit(callback)
    assert reloaded.url == f"{site.origin}/"
    assert is_signed_in(visitor, site, email)
    stranger = Visitor()
    refused = stranger.submit(callback)
    assert refused.status == 400
    assert USED in refused.text
    assert not is_signed_in(stranger, site, email)


def test_two_tabs_log_in_one_after_the_other(
    visitor: Visitor, site: Site, broker: Broker, email: str
) -> None:
    first, second = f"first-{email}", f"second-{email}"
    tabs = {address: ask(visitor, site, address) for address in (first, second)}
    for address in (second, first):
        callback = type_code(visitor, tabs[address], broker.mailbox.take(address).code)
        assert address in visitor.submit(callback).text
        assert is_signed_in(visitor, site, address)


def test_two_tabs_with_one_address_both_log_in(
    visitor: Visitor, site: Site, broker: Broker, email: str
) -> None:
    one = answer(visitor, site, broker, email)
    other = answer(visitor, site, broker, email)
    for callback in (other, one):
        assert visitor.submit(callback).status == 200
        assert is_signed_in(visitor, site, email)


def test_the_broker_refuses_a_used_code(
    visitor: Visitor, site: Site, broker: Broker, email: str
) -> None:
    waiting = ask(visitor, site, email)
    mail = broker.mailbox.take(email)
    visitor.submit(type_code(visitor, waiting, mail.code))
    for again in (type_code(visitor, waiting, mail.code), visitor.get(mail.link)):
        assert again.status == 400
        assert again.url.startswith(broker.origin)
        assert "The session has expired" in again.text
        assert again.forms == []
    assert is_signed_in(visitor, site, email)
