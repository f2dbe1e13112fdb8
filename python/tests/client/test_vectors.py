"""The vectors that all languages share, through the public interface."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from portier_client import PortierError, normalize_email

from .mocked import Mocked, load

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")
GOOD = ("rs256-2048", "eddsa")
CLAIM = ("claim", "reason")


def cases(name: str) -> pytest.MarkDecorator:
    parameters = [pytest.param(case, id=case["id"]) for case in load(name)["cases"]]
    return pytest.mark.parametrize("case", parameters)


def outcome(operation: Coroutine[Any, Any, T]) -> T | dict[str, str]:
    """The result of a coroutine, or what the error that it raises says."""
    try:
        return asyncio.run(operation)
    except PortierError as error:
        named = {"code": error.code, **{name: getattr(error, name, None) for name in CLAIM}}
        return {name: value for name, value in named.items() if value is not None}


@cases("tokens")
def test_token_vectors(case: dict[str, Any]) -> None:
    shared = load("tokens")
    options = dict(case.get("options", {}))
    mocked = Mocked(
        broker=shared["broker"],
        discovery=shared["discovery"],
        key_set=shared["key_set"],
        now=shared["session_started_at"],
        nonces=[shared["nonce"]],
        redirect_uri=shared["redirect_uri"],
        leeway=options.pop("leeway_seconds", shared["leeway_seconds"]),
        **options,
    )

    async def log_in() -> dict[str, object]:
        await mocked.client.authenticate(shared["login_email"])
        mocked.clock.set(shared["now"])
        login = await mocked.client.complete({"id_token": case["token"]})
        return {
            "email": login.email,
            "email_original": login.email_original,
            "issued_at": login.issued_at.timestamp(),
            "auth_time": None if login.auth_time is None else login.auth_time.timestamp(),
        }

    expect = case["expect"]
    if case["token"] == "":
        # In a form, an empty parameter is an absent one; `verify` gets the token itself.
        assert outcome(mocked.client.verify("")) == expect
        expect = {"code": "missing_token"}
    assert outcome(log_in()) == expect
    # A token that is refused because of its content uses up no login.
    if "code" in expect and expect["code"] != "session_email":
        good = [member["token"] for member in shared["cases"] if member["id"] in GOOD]
        found = [outcome(mocked.client.verify(token)) for token in good]
        assert shared["login_email"] in found


@cases("key_sets")
def test_key_set_vectors(case: dict[str, Any]) -> None:
    async def keys() -> dict[str, object]:
        mocked = Mocked(key_set=case["body"])
        return {"keys": [asdict(key) for key in await mocked.client.keys()]}

    assert outcome(keys()) == case["expect"]


@cases("callbacks")
def test_callback_vectors(case: dict[str, Any]) -> None:
    shared = load("callbacks")
    mocked = Mocked(
        broker=shared["broker"],
        discovery=shared["discovery"],
        key_set=shared["key_set"],
        now=shared["session_started_at"],
        nonces=[shared["nonce"]],
        redirect_uri=shared["redirect_uri"],
        leeway=shared["leeway_seconds"],
    )
    started = mocked.client.authenticate(shared["login_email"], **case["start"])
    assert isinstance(outcome(started), str)
    mocked.clock.set(shared["now"])

    async def arrive(attempt: dict[str, Any]) -> dict[str, object]:
        form: dict[str, list[str]] = {}
        for name, value in attempt["params"]:
            form.setdefault(name, []).append(value)
        login = await mocked.client.complete(form, browser=attempt.get("browser"))
        members = ("email", "state", "session", "same_browser")
        return {member: getattr(login, member) for member in members}

    assert [outcome(arrive(attempt)) for attempt in case["attempts"]] == case["expect"]


@cases("configurations")
def test_configuration_vectors(case: dict[str, Any]) -> None:
    async def configure() -> dict[str, str]:
        mocked = Mocked(broker=case["broker"], redirect_uri=case["redirect_uri"], **case["options"])
        client = mocked.client
        return {
            "redirect_uri": client.redirect_uri,
            "client_id": client.client_id,
            "broker": client.broker,
        }

    assert outcome(configure()) == case["expect"]


@cases("broken_documents")
def test_broken_document_vectors(case: dict[str, Any]) -> None:
    found = outcome(Mocked(discovery=case["body"]).client.discover())
    assert {name: found[name] for name in case["expect"]} == case["expect"]


@cases("rfc_examples")
def test_rfc_example_vectors(case: dict[str, Any]) -> None:
    shared = load("tokens")
    mocked = Mocked(key_set=shared["key_set"])
    assert outcome(mocked.client.verify(case["token"])) == case["expect"]


@cases("discovery")
def test_discovery_vectors(case: dict[str, Any]) -> None:
    broker: str = case["broker"]
    mocked = Mocked(
        broker=broker, discovery=case["body"], danger_allow_http=broker.startswith("http:")
    )
    found = outcome(mocked.client.discover())
    if "code" in case["expect"]:
        assert found == case["expect"]
        return
    assert found == json.loads(case["body"])
    # The URL of the keys shows how the document was read.
    mocked.transport.respond(case["expect"]["jwks_uri"], b'{"keys": []}')
    assert outcome(mocked.client.keys()) == {"code": "broker_document"}
    assert mocked.transport.requests(case["expect"]["jwks_uri"]) == 1


@cases("cache_headers")
def test_cache_header_vectors(case: dict[str, Any]) -> None:
    mocked = Mocked(
        headers=[tuple(header) for header in case["headers"]], now=load("cache_headers")["now"]
    )
    asyncio.run(mocked.client.discover())
    stats = mocked.client.stats()["discovery"]
    assert stats["fresh_for_seconds"] == case["expect"]["lifetime"]


@cases("emails")
def test_email_vectors(case: dict[str, Any]) -> None:
    async def normalize() -> dict[str, str]:
        return {"email": normalize_email(case["input"])}

    assert outcome(normalize()) == case["expect"]
    started = outcome(Mocked().client.authenticate(case["input"]))
    assert ("accepted" if isinstance(started, str) else started["code"]) == case["authenticate"]


@cases("authorization_urls")
def test_authorization_url_vectors(case: dict[str, Any]) -> None:
    shared = load("authorization_urls")
    mocked = Mocked(
        broker=shared["broker"],
        discovery=case["discovery"],
        nonces=[shared["nonce"]],
        redirect_uri=case["redirect_uri"],
        **case["options"],
    )
    started = outcome(mocked.client.authenticate(**case["authenticate"]))
    assert ({"url": started} if isinstance(started, str) else started) == case["expect"]
