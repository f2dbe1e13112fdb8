"""Callbacks of the broker, with a token and a state or with an error."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

if TYPE_CHECKING:
    from broker import Broker
    from subject import Answer, Subject

SUITE = "beyond"

EMAIL = "John@example.com"
NORMALIZED = "john@example.com"


def complete(client: Subject, *pairs: tuple[str, str]) -> Answer:
    return client.ask("complete", urlencode(pairs))


def token(client: Subject, broker: Broker) -> str:
    return broker.token(client.start(EMAIL), email=NORMALIZED, email_original=EMAIL)


def test_a_callback_returns_the_address_and_the_state(client: Subject, broker: Broker) -> None:
    answer = complete(client, ("id_token", token(client, broker)), ("state", "a b&c"))
    assert answer.ok
    assert answer.values == (NORMALIZED, EMAIL, "a b&c")


def test_an_empty_state_is_no_state(client: Subject, broker: Broker) -> None:
    answer = complete(client, ("id_token", token(client, broker)), ("state", ""))
    assert answer.values == (NORMALIZED, EMAIL, "")


@pytest.mark.parametrize("case", ["access_denied", "server_error", "temporarily_unavailable"])
def test_an_error_of_the_broker_is_reported_with_its_code(
    client: Subject, broker: Broker, case: str
) -> None:
    answer = complete(client, ("error", case), ("error_description", "<b>no</b>"), ("state", ""))
    assert answer.code == "broker_error"
    assert answer.values[0].endswith(f" error={case} description=<b>no</b>")
    assert broker.requests() == (0, 0)


def test_an_error_takes_precedence_over_a_token_and_consumes_nothing(
    client: Subject, broker: Broker
) -> None:
    good = token(client, broker)
    assert complete(client, ("id_token", good), ("error", "x")).code == "broker_error"
    assert complete(client, ("id_token", good)).values == (NORMALIZED, EMAIL, "")


def test_a_callback_without_token_and_error_is_missing_token(client: Subject) -> None:
    assert complete(client).code == "missing_token"
    assert complete(client, ("state", "a")).code == "missing_token"
    assert complete(client, ("id_token", ""), ("error", "")).code == "missing_token"


@pytest.mark.parametrize("case", ["id_token", "state", "error"])
def test_a_field_that_comes_twice_is_refused(client: Subject, broker: Broker, case: str) -> None:
    good = token(client, broker)
    fields = {"id_token": good, "state": "a", "error": "x"}
    answer = complete(client, ("id_token", good), (case, fields[case]), (case, fields[case]))
    assert answer.code == "token_malformed"
