"""Missing and invalid claims."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from broker import CLIENT_ID, Broker
from cases.mint import ABSENT, text, with_literal

if TYPE_CHECKING:
    from subject import Subject

SUITE = "beyond"

ACCEPTED = "ok: ('john@example.com',)"
EMAIL = "john@example.com"

MISSING = {
    "iss": "token_issuer",
    "aud": "token_audience",
    "exp": "token_claim",
    "iat": "token_claim",
    "nonce": "token_claim",
    "email": "token_claim",
}
NOW = int(time.time())
WRONG: dict[str, tuple[dict[str, object], str]] = {
    "audiences in a list": ({"aud": [CLIENT_ID]}, "token_audience"),
    "another authorized party": ({"azp": "http://eve.invalid"}, "token_audience"),
    "an expiry that is text": ({"exp": str(NOW + 5)}, "token_claim"),
    "an expiry before the issue time": ({"exp": NOW, "iat": NOW + 1}, "token_claim"),
    "a year beyond 9999": ({"exp": 10**12}, "token_claim"),
    "a beginning in the future": ({"nbf": NOW + 10_000}, "token_not_yet_valid"),
    "a nonce that is empty": ({"nonce": ""}, "token_claim"),
    "an email that is a list": ({"email": [EMAIL]}, "token_claim"),
    "an email that is not normalized": ({"email": "John@example.com"}, "token_claim"),
    "an original email that is a number": ({"email_original": 5}, "token_claim"),
    "an email that is not verified": ({"email_verified": False}, "token_claim"),
    "a text as email verified": ({"email_verified": "true"}, "token_claim"),
}


@pytest.mark.parametrize("claim", MISSING)
def test_a_missing_claim_is_refused_and_consumes_nothing(
    client: Subject, broker: Broker, claim: str
) -> None:
    url = client.start(EMAIL)
    assert client.verify(broker.token(url, **{claim: ABSENT})) == MISSING[claim]
    assert client.verify(broker.token(url)) == ACCEPTED


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_claim_is_refused_and_consumes_nothing(
    client: Subject, broker: Broker, case: str
) -> None:
    changes, code = WRONG[case]
    url = client.start(EMAIL)
    assert client.verify(broker.token(url, **changes)) == code
    assert client.verify(broker.token(url)) == ACCEPTED


def test_a_claim_that_comes_twice_is_refused(client: Subject, broker: Broker) -> None:
    claims = broker.claims(client.start(EMAIL))
    twice = text(claims).replace("{", '{"email":"eve@example.com",', 1)
    assert client.verify(broker.sign(twice)) == "token_malformed"


@pytest.mark.parametrize("case", ["1e400", "-1", "NaN", "true", "null"])
def test_an_invalid_expiry_is_refused(client: Subject, broker: Broker, case: str) -> None:
    claims = broker.claims(client.start(EMAIL))
    code = client.verify(broker.sign(with_literal(claims, "exp", case)))
    assert code in {"token_claim", "token_malformed"}


def test_a_payload_that_is_a_list_is_refused(client: Subject, broker: Broker) -> None:
    claims = broker.claims(client.start(EMAIL))
    values = text(claims).replace("{", "[", 1).replace("}", "]", 1).replace('":', '",')
    assert client.verify(broker.sign(values)) == "token_malformed"


def test_a_state_and_other_claims_are_ignored(client: Subject, broker: Broker) -> None:
    url = client.start(EMAIL, "a state")
    token = broker.token(url, sub="someone", azp=CLIENT_ID, email_verified=True, amr=["pwd"])
    assert client.verify(token) == ACCEPTED


@pytest.mark.parametrize("case", ["", "john", "a@b@example.com", "john@127.0.0.1"])
def test_an_invalid_address_is_refused_before_the_redirect(
    client: Subject, broker: Broker, case: str
) -> None:
    assert client.ask("auth", case).code == "invalid_email"
    assert broker.requests() == (0, 0)
