"""Whole logins with the development broker."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import pickle
from collections import UserDict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from portier_client import (
    BrokerError,
    Client,
    ConfigError,
    InvalidEmail,
    InvalidToken,
    Login,
    SessionUsed,
    TokenExpired,
)

from .conftest import REDIRECT_URI

if TYPE_CHECKING:
    from portier_client.testing import DevBroker

pytestmark = pytest.mark.asyncio


async def test_verify_returns_the_normalized_address(client: Client, broker: DevBroker) -> None:
    url = await client.authenticate(" Alice@Example.COM ")
    assert parse_qs(urlsplit(url).query)["login_hint"] == ["Alice@Example.COM"]
    assert await client.verify(broker.mint(url)) == "alice@example.com"


async def test_complete_returns_addresses_state_and_session(
    client: Client, broker: DevBroker
) -> None:
    url = await client.authenticate("Alice@example.com", state="a b", session="/m")
    token = broker.mint(url, claims={"auth_time": 1_700_000_000.5})
    login = await client.complete({"id_token": token, "state": "a b", "other": object()})
    assert (login.email, login.email_original) == ("alice@example.com", "Alice@example.com")
    assert (login.session, login.state, login.same_browser) == ("/m", "a b", False)
    assert login.auth_time == datetime(2023, 11, 14, 22, 13, 20, 500_000, UTC)
    assert abs(datetime.now(UTC) - login.issued_at) < timedelta(minutes=1)
    assert "alice" not in repr(login).lower()
    with pytest.raises(dataclasses.FrozenInstanceError):
        login.email = "bob@example.com"  # type: ignore[misc]


async def test_a_login_is_equal_to_its_copies(client: Client, broker: DevBroker) -> None:
    url = await client.authenticate("alice@example.com")
    login = await client.complete({"id_token": broker.mint(url)})
    values = {field.name: getattr(login, field.name) for field in dataclasses.fields(login)}
    copies = [Login(**values), copy.copy(login), pickle.loads(pickle.dumps(login))]
    assert {login} == set(copies)
    assert [type(copied) for copied in copies] == [Login] * 3
    assert dataclasses.replace(login, state="b").state == "b"


async def test_an_empty_state_is_no_state(client: Client, broker: DevBroker) -> None:
    url = await client.authenticate(None)
    login = await client.complete(
        {"id_token": broker.mint(url, email="bob@example.com"), "state": ""}
    )
    assert (login.email, login.state, login.session) == ("bob@example.com", None, None)


@pytest.mark.parametrize(
    "shape",
    [
        lambda token: {"id_token": token},
        lambda token: {"id_token": [token]},
        lambda token: {"id_token": (token.encode(),)},
        lambda token: {"id_token": token.encode(), "state": [b""], "error": []},
        lambda token: UserDict({"id_token": token}),
        lambda token: {"id_token": token, "x": ["1", "2"], b"state": "x", 3: 4, "\udc00": ""},
    ],
    ids=["text", "list", "tuple", "bytes", "mapping", "strangers"],
)
async def test_forms_of_every_shape_are_accepted(
    client: Client, broker: DevBroker, shape: Any
) -> None:
    url = await client.authenticate("alice@example.com")
    login = await client.complete(shape(broker.mint(url)))
    assert login.email == "alice@example.com"


@pytest.mark.parametrize(
    "form",
    [
        {"id_token": ["a", "b"]},
        {"id_token": "a", "state": [b"", ""]},
        {"id_token": b"\xff"},
        {"id_token": "\udc00"},
        {"id_token": "a\0b"},
        {"id_token": "a" * 5_000_000},
        {"id_token": "\N{GRINNING FACE}" * 500_000},
    ],
    ids=["repeated", "repeated-state", "not-utf-8", "surrogate", "nul", "huge", "huge-wide"],
)
async def test_invalid_forms_are_invalid_tokens(client: Client, form: Any) -> None:
    with pytest.raises(InvalidToken) as caught:
        await client.complete(form)
    assert caught.value.code in {"token_malformed", "token_too_large"}
    assert caught.value.__cause__ is None or "aaa" not in str(caught.value.__cause__)


async def test_an_exception_of_a_mapping_is_passed_on(client: Client) -> None:
    class Broken(UserDict[str, str]):
        def items(self) -> Any:
            raise LookupError("broken")

    with pytest.raises(LookupError, match="broken"):
        await client.complete(Broken())


async def test_a_refusal_carries_the_brokers_error(client: Client) -> None:
    with pytest.raises(BrokerError) as caught:
        await client.complete({"error": "access_denied", "error_description": "<b>no</b>"})
    error = caught.value
    assert (error.code, error.error, error.error_description) == (
        *("broker_error", "access_denied", "<b>no</b>"),
    )
    with pytest.raises(BrokerError) as caught:
        await client.complete({})
    assert (caught.value.code, caught.value.error) == ("missing_token", None)


async def test_a_token_works_once(client: Client, broker: DevBroker) -> None:
    url = await client.authenticate("alice@example.com")
    token = broker.mint(url)
    await client.verify(token)
    with pytest.raises(SessionUsed) as caught:
        await client.verify(token)
    assert (caught.value.code, caught.value.retryable) == ("session_used", False)


async def test_a_late_token_has_expired(client: Client, broker: DevBroker) -> None:
    url = await client.authenticate("alice@example.com")
    with pytest.raises(TokenExpired):
        await client.verify(broker.mint(url, claims={"iat": 1_700_000_000, "exp": 1_700_000_600}))


async def test_both_algorithms_are_accepted(broker: DevBroker) -> None:
    client = Client(REDIRECT_URI, broker=broker.origin, algorithms=["EdDSA", "RS256"])
    url = await client.authenticate("alice@example.com")
    assert parse_qs(urlsplit(url).query)["id_token_signing_alg"] == ["EdDSA"]
    assert await client.verify(broker.mint(url)) == "alice@example.com"
    url = await client.authenticate("alice@example.com")
    assert await client.verify(broker.mint(url, algorithm="RS256")) == "alice@example.com"


async def test_a_rotated_key_is_accepted_within_seconds(client: Client, broker: DevBroker) -> None:
    await client.warm()
    broker.forget_keys()
    # A key set is not fetched again in its first second.
    await asyncio.sleep(1)
    url = await client.authenticate("alice@example.com")
    assert await client.verify(broker.mint(url)) == "alice@example.com"
    assert client.stats()["keys"]["requests"] == 2


@pytest.mark.parametrize(
    "email", ["", "alice", "a@b@c.example", "a\0@b.example", "\udc00@b.example"]
)
async def test_invalid_addresses_are_refused(client: Client, email: str) -> None:
    with pytest.raises(InvalidEmail):
        await client.authenticate(email)


@pytest.mark.parametrize("name", ["state", "session", "browser"])
@pytest.mark.parametrize("text", ["a\udc00", "a" * 5000, "\N{EURO SIGN}" * 2_000_000])
async def test_invalid_texts_are_invalid_options(client: Client, name: str, text: str) -> None:
    options: dict[str, Any] = {name: text}
    with pytest.raises(ConfigError) as caught:
        await client.authenticate("alice@example.com", **options)
    assert caught.value.code == "invalid_option"


@pytest.mark.parametrize("value", [None, b"", 3, ["a"]])
async def test_tokens_of_wrong_types_are_type_errors(client: Client, value: Any) -> None:
    with pytest.raises(TypeError):
        await client.verify(value)


async def test_keys_and_the_discovery_document_are_returned(
    client: Client, broker: DevBroker
) -> None:
    keys = {key.id: key for key in await client.keys()}
    key = keys[broker.key_id("next", "EdDSA")]
    assert (key.algorithm, key.bits) == ("EdDSA", 256)
    document = await client.discover()
    assert document["issuer"] == broker.origin == client.broker
    assert await client.warm() is None  # type: ignore[func-returns-value]
