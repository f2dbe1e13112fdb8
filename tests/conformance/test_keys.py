"""Rotating keys, unusable keys, and tokens that name their own key."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import TYPE_CHECKING

import pytest
from broker import KEYS, SIGNERS, Broker
from cases.keys import RSA_A, without
from cases.mint import sign
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

if TYPE_CHECKING:
    from collections.abc import Callable

    from subject import Subject

SUITE = "beyond"

ACCEPTED = "ok: ('john@example.com',)"
EMAIL = "john@example.com"

# The minimum age of a key set before the client fetches a newer one, in seconds.
OLD_ENOUGH = 1


def test_a_rotation_to_a_published_key_needs_no_fetch(client: Subject, broker: Broker) -> None:
    broker.keys = [broker.jwk("test key"), broker.jwk("next key")]
    assert client.verify(broker.token(client.start(EMAIL))) == ACCEPTED
    token = broker.token(client.start(EMAIL), header={"kid": "next key"})
    assert client.verify(token) == ACCEPTED
    assert broker.requests() == (1, 1)


def test_a_rotated_key_is_accepted_within_seconds(client: Subject, broker: Broker) -> None:
    before = broker.token(client.start(EMAIL))
    assert client.verify(broker.token(client.start(EMAIL))) == ACCEPTED
    broker.keys = [broker.jwk("next key")]
    token = broker.token(client.start(EMAIL), header={"kid": "next key"})
    forged = broker.token(client.start(EMAIL), header={"kid": "next key"}, nonce="x" * 32)

    # The client fetched its keys before this moment, so they are old enough then.
    wait_until(broker.keys_served_at()[0] + OLD_ENOUGH)
    assert client.verify(forged) == "token_key_unknown"
    assert broker.requests() == (1, 1), "no fetch for a login that is not pending"
    assert client.verify(token) == ACCEPTED
    assert client.verify(before) == "token_key_unknown", "the old key is gone"
    assert broker.requests() == (1, 2)


def test_an_eddsa_token_is_accepted(client: Subject, broker: Broker) -> None:
    broker.keys.append(broker.jwk("edwards key"))
    header = {"kid": "edwards key", "alg": "EdDSA"}
    assert client.verify(broker.token(client.start(EMAIL), header=header)) == ACCEPTED


def test_eddsa_is_requested_if_the_broker_supports_it(
    make_client: Callable[..., Subject], broker: Broker
) -> None:
    asked = "&id_token_signing_alg=EdDSA"
    assert asked not in make_client(algorithms="EdDSA,RS256").start(EMAIL)
    broker.discovery["accepts_id_token_signing_alg_query_param"] = True
    broker.discovery["id_token_signing_alg_values_supported"] = ["RS256", "EdDSA"]
    assert asked in make_client(algorithms="EdDSA,RS256").start(EMAIL)
    assert asked not in make_client(algorithms="RS256,EdDSA").start(EMAIL)


def test_eddsa_is_refused_if_it_is_not_allowed(
    make_client: Callable[..., Subject], broker: Broker
) -> None:
    broker.keys.append(broker.jwk("edwards key"))
    client = make_client(algorithms="RS256")
    header = {"kid": "edwards key", "alg": "EdDSA"}
    assert client.verify(broker.token(client.start(EMAIL), header=header)) == "token_algorithm"


@pytest.mark.parametrize("case", ["EdDSA by an RSA key", "RS256 by an Ed25519 key"])
def test_a_token_cannot_choose_the_algorithm_of_its_key(
    client: Subject, broker: Broker, case: str
) -> None:
    broker.keys.append(broker.jwk("edwards key"))
    header = (
        {"kid": "test key", "alg": "EdDSA", "signed_by": "edwards key"}
        if case.startswith("EdDSA")
        else {"kid": "edwards key", "alg": "RS256", "signed_by": "test key"}
    )
    token = broker.sign(broker.claims(client.start(EMAIL)), **header)
    assert client.verify(token) == "token_algorithm"


@pytest.mark.parametrize("case", ["PEM", "DER"])
def test_a_mac_with_the_public_key_is_refused(client: Subject, broker: Broker, case: str) -> None:
    encoding = {"PEM": Encoding.PEM, "DER": Encoding.DER}[case]
    secret = RSA_A.public(encoding, PublicFormat.SubjectPublicKeyInfo)
    token = sign(
        {"kid": "test key", "alg": "HS256"},
        broker.claims(client.start(EMAIL)),
        lambda message: hmac.digest(secret, message, hashlib.sha256),
    )
    assert client.verify(token) == "token_algorithm"


def test_a_token_without_a_signature_is_refused(client: Subject, broker: Broker) -> None:
    claims = broker.claims(client.start(EMAIL))
    header = {"kid": "test key", "alg": "none"}
    assert client.verify(sign(header, claims, lambda _: b"")) == "token_malformed"
    assert client.verify(sign(header, claims, lambda _: b"none")) == "token_algorithm"


def test_a_key_inside_the_token_is_not_used(client: Subject, broker: Broker) -> None:
    broker.keys.append(broker.jwk("edwards key"))
    url = client.start(EMAIL)
    stranger = broker.jwk("next key", kid="test key")
    elsewhere = f"{broker.origin}/another-set"
    token = broker.sign(
        broker.claims(url), signed_by="next key", jwk=stranger, jku=elsewhere, x5u=elsewhere
    )
    assert client.verify(token) == "token_signature"
    assert client.verify(broker.token(url)) == ACCEPTED
    assert broker.requests() == (1, 1)


def test_a_key_for_encryption_or_without_an_algorithm_is_not_used(
    client: Subject, broker: Broker
) -> None:
    broker.keys = [
        broker.jwk("test key", use="enc"),
        broker.jwk("edwards key", key_ops=["verify"]),
        without(broker.jwk("next key"), "alg"),
    ]
    url = client.start(EMAIL)
    assert client.verify(broker.token(url)) == "token_key_unknown"
    assert client.verify(broker.token(url, header={"kid": "next key"})) == "token_key_unknown"
    header = {"kid": "edwards key", "alg": "EdDSA"}
    assert client.verify(broker.token(url, header=header)) == ACCEPTED


def test_a_key_id_that_occurs_twice_is_not_used(client: Subject, broker: Broker) -> None:
    broker.keys = [*(broker.jwk(kid, kid="test key") for kid in SIGNERS), broker.jwk("next key")]
    url = client.start(EMAIL)
    assert client.verify(broker.token(url)) == "token_key_unknown"
    assert client.verify(broker.token(url, header={"kid": "next key"})) == ACCEPTED


def test_a_key_set_without_a_usable_key_is_refused(client: Subject, broker: Broker) -> None:
    broker.keys = [without(broker.jwk("test key"), "alg")]
    assert client.verify(broker.token(client.start(EMAIL))) == "broker_document"


def test_endpoints_may_be_on_another_host(client: Subject, broker: Broker) -> None:
    broker.discovery["jwks_uri"] = f"http://localhost:{broker.port}{KEYS}"
    url = client.start(EMAIL)
    assert url.startswith("http://imaginary-server.test/")
    assert client.verify(broker.token(url)) == ACCEPTED


def test_a_discovery_document_of_another_issuer_is_refused(client: Subject, broker: Broker) -> None:
    broker.discovery["issuer"] = f"http://localhost:{broker.port}"
    assert client.ask("auth", EMAIL).code == "broker_document"


def wait_until(moment: float) -> None:
    """Waits until the monotonic clock shows this time."""
    while (left := moment - time.monotonic()) > 0:
        time.sleep(left)
