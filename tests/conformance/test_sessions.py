"""Pending logins: how long they last, whose they are, and that each completes only once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from broker import Broker
    from subject import Subject

SUITE = "beyond"

ACCEPTED = "ok: ('john@example.com',)"
EMAIL = "john@example.com"

CALLERS = 64
LOGINS = 200


def test_a_login_that_took_too_long_is_unknown(
    make_client: Callable[..., Subject], broker: Broker
) -> None:
    client = make_client(session_ttl="1")
    token = broker.token(client.start(EMAIL), exp=int(time.time()) + 600)
    # The login was started before this line, so it has expired after a second of sleep.
    time.sleep(1)
    assert client.verify(token) == "session_unknown"


def test_a_login_of_another_client_is_unknown(
    client: Subject, make_client: Callable[..., Subject], broker: Broker
) -> None:
    token = broker.token(make_client().start(EMAIL))
    assert client.verify(token) == "session_unknown"


def test_a_token_older_than_its_login_is_refused(client: Subject, broker: Broker) -> None:
    issued_at = int(time.time()) - 400
    url = client.start(EMAIL)
    token = broker.token(url, iat=issued_at, exp=issued_at + 600)
    assert client.verify(token) == "token_clock"
    assert client.verify(broker.token(url)) == ACCEPTED


def test_a_valid_token_for_another_address_consumes_its_login(
    client: Subject, broker: Broker
) -> None:
    url = client.start(EMAIL)
    assert client.verify(broker.token(url, email="jane@example.com")) == "session_email"
    assert client.verify(broker.token(url)) == "session_used"


def test_exactly_one_of_64_concurrent_uses_of_a_token_succeeds(
    client: Subject, broker: Broker
) -> None:
    token = broker.token(client.start(EMAIL))
    # All calls wait for the keys, and continue at the same moment.
    broker.hold()
    client.send([*[("verify", token)] * CALLERS, ("mark", "all wait")])
    client.await_mark("all wait")
    broker.release()
    codes = [client.answer().code for _ in range(CALLERS)]
    assert codes.count(ACCEPTED) == 1
    assert codes.count("session_used") == CALLERS - 1
    assert client.answer().values == ("all wait",)


def test_with_cached_keys_exactly_one_use_succeeds_too(client: Subject, broker: Broker) -> None:
    assert client.verify(broker.token(client.start(EMAIL))) == ACCEPTED
    token = broker.token(client.start(EMAIL))
    client.send([("verify", token)] * CALLERS)
    codes = [client.answer().code for _ in range(CALLERS)]
    assert codes.count(ACCEPTED) == 1
    assert codes.count("session_used") == CALLERS - 1


def test_many_concurrent_first_logins_fetch_each_document_once(
    client: Subject, broker: Broker
) -> None:
    broker.hold()
    emails = [f"user-{number}@example.com" for number in range(LOGINS)]
    client.send([*[("auth", email) for email in emails], ("mark", "all start")])
    client.await_mark("all start")
    broker.release()
    urls = [client.answer().values[0] for _ in emails]
    assert client.answer().values == ("all start",)
    tokens = [broker.token(url) for url in urls]

    broker.hold()
    client.send([*[("verify", token) for token in tokens], ("mark", "all wait")])
    client.await_mark("all wait")
    broker.release()
    assert [client.answer().values[0] for _ in tokens] == emails
    assert client.answer().values == ("all wait",)
    assert broker.requests() == (1, 1)


def test_callbacks_need_no_broker_once_the_documents_are_cached(
    client: Subject, broker: Broker
) -> None:
    assert client.verify(broker.token(client.start(EMAIL))) == ACCEPTED
    broker.hold()
    assert client.verify(broker.token(client.start(EMAIL))) == ACCEPTED
    assert broker.requests() == (1, 1)
