"""The checks of the public `portier/client-tester`, in its order: one client, one broker."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import pytest
from broker import AUTHORIZATION_ENDPOINT, CLIENT_ID, REDIRECT_URI, Broker
from cases.mint import ABSENT
from subject import Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

SUITE = "public_tester"

EMAIL = "john@example.com"

# The minimum age of a key set before the client fetches a newer one, in seconds.
UNTIL_KEYS_ARE_OLD = 1


class Run(NamedTuple):
    """The client and the broker of all cases; the broker counts the requests."""

    client: Subject
    broker: Broker


@pytest.fixture(scope="module")
def run(language: str) -> Iterator[Run]:
    with Broker() as broker, Subject(language, broker.origin) as client:
        yield Run(client, broker)


@pytest.fixture(autouse=True)
def in_step(run: Run, request: pytest.FixtureRequest) -> None:
    """Checks that the case before has left no answer."""
    assert run.client.ask("echo", request.node.name).values == (request.node.name,)


def verify(run: Run, typed: str = EMAIL, /, **changes: object) -> str:
    """The result of a login whose token has other claims."""
    return run.client.verify(run.broker.token(run.client.start(typed), **changes))


def test_the_authorization_url_is_correct_and_its_token_is_accepted(run: Run) -> None:
    url = run.client.start(EMAIL, "81c2fa07")
    assert url.startswith(f"{AUTHORIZATION_ENDPOINT}?")
    pairs = parse_qsl(urlsplit(url).query, strict_parsing=True)
    query = dict(pairs)
    assert len(query) == len(pairs)
    assert len(query.pop("nonce")) >= 22
    assert query == {
        "login_hint": EMAIL,
        "scope": "openid email",
        "response_type": "id_token",
        "response_mode": "form_post",
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT_URI,
        "state": "81c2fa07",
    }
    assert run.client.ask("verify", run.broker.token(url)).values == (EMAIL,)


def test_a_wrong_issuer_is_refused(run: Run) -> None:
    assert verify(run, iss="http://eve.invalid") == "token_issuer"


def test_a_wrong_audience_is_refused(run: Run) -> None:
    assert verify(run, aud="http://eve.invalid") == "token_audience"


def test_an_expired_token_is_refused(run: Run) -> None:
    now = int(time.time())
    assert verify(run, exp=now - 10_000, iat=now - 10_020) == "token_expired"


def test_a_token_that_expired_within_the_leeway_is_accepted(run: Run) -> None:
    now = int(time.time())
    assert verify(run, exp=now - 30, iat=now - 50) == accepted()


def test_a_token_from_the_future_is_refused(run: Run) -> None:
    now = int(time.time())
    assert verify(run, exp=now + 10_020, iat=now + 10_000) == "token_not_yet_valid"


def test_a_fractional_expiry_is_accepted(run: Run) -> None:
    assert verify(run, exp=int(time.time()) + 5.5) == accepted()


def test_a_fractional_issue_time_is_accepted(run: Run) -> None:
    assert verify(run, iat=int(time.time()) - 0.5) == accepted()


def test_a_token_from_the_future_within_the_leeway_is_accepted(run: Run) -> None:
    now = int(time.time())
    assert verify(run, exp=now + 50, iat=now + 30) == accepted()


def test_another_email_without_the_original_email_is_refused(run: Run) -> None:
    assert verify(run, email="jane@example.com") == "session_email"


def test_another_original_email_is_refused(run: Run) -> None:
    assert verify(run, email_original="jane@example.com") == "session_email"


def test_an_email_the_server_normalized_is_accepted(run: Run) -> None:
    typed, normalized = "İⅢ@İⅢ.example", "i̇ⅲ@xn--iiii-qwc.example"
    claims = {"email": normalized, "email_original": typed}
    assert verify(run, typed, **claims) == accepted(normalized)


def test_an_email_the_server_normalized_by_rules_of_its_own_is_accepted(run: Run) -> None:
    claims = {"email": "jane@example.com", "email_original": EMAIL}
    assert verify(run, **claims) == accepted("jane@example.com")


def test_an_invalid_nonce_is_refused(run: Run) -> None:
    assert verify(run, nonce="nothing that the client generates") == "session_unknown"


def test_a_nonce_is_accepted_only_once(run: Run) -> None:
    url = run.client.start(EMAIL)
    assert run.client.verify(run.broker.token(url)) == accepted()
    assert run.client.verify(run.broker.token(url, sub="another token")) == "session_used"


def test_an_unknown_key_is_refused(run: Run) -> None:
    token = run.broker.sign(
        run.broker.claims(run.client.start(EMAIL)), kid="bad key", signed_by="test key"
    )
    assert run.client.verify(token) == "token_key_unknown"


def test_a_bad_signature_is_refused(run: Run) -> None:
    token = run.broker.sign(run.broker.claims(run.client.start(EMAIL)), signed_by="next key")
    assert run.client.verify(token) == "token_signature"


def test_an_algorithm_other_than_the_keys_is_refused(run: Run) -> None:
    assert verify(run, header={"alg": "RS384"}) == "token_algorithm"


def test_discovery_and_keys_are_fetched_exactly_once(run: Run) -> None:
    """Counts the requests of all cases of this file. On a very slow machine, the keys may be old
    enough to be fetched again when the case with the unknown key runs."""
    assert "issuer" not in run.broker.discovery
    assert all("use" not in key for key in run.broker.keys)
    assert verify(run, email_original=ABSENT) == accepted()
    served_at = run.broker.keys_served_at()
    if time.monotonic() - served_at[0] < UNTIL_KEYS_ARE_OLD:
        assert run.broker.requests() == (1, 1)
    assert run.broker.requests() in {(1, 1), (1, 2)}
    assert all(later - served_at[0] >= UNTIL_KEYS_ARE_OLD for later in served_at[1:])


def accepted(email: str = EMAIL) -> str:
    """The successful result of `verify`."""
    return f"ok: {(email,)}"
