"""Changes that must change the result, and others that must not; the same in every language."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import assume, given
from hypothesis import strategies as st

from portier_client import (
    BrokerError,
    InvalidEmail,
    InvalidToken,
    PortierError,
    normalize_email,
    safe_next,
)

from .mocked import Mocked, decode, load

SHARED = load("tokens")
TOKENS = {case["id"]: case["token"] for case in SHARED["cases"]}
GOOD = [TOKENS["rs256-2048"], TOKENS["eddsa"]]
HEADER, PAYLOAD = (json.loads(decode(part)) for part in TOKENS["eddsa"].split(".")[:2])
PEM = Path(__file__).parents[3] / "tests" / "keys" / "ed25519-a.pem"
SPACES = st.lists(st.text(" \t\r\n", max_size=3), min_size=40, max_size=40)
FIELDS = st.sampled_from(["state", "error", "error_description"])


def started() -> Mocked:
    """A client at the time of the callback, with the login of the vectors pending."""
    mocked = Mocked(
        broker=SHARED["broker"],
        discovery=SHARED["discovery"],
        key_set=SHARED["key_set"],
        now=SHARED["session_started_at"],
        nonces=[SHARED["nonce"]],
        redirect_uri=SHARED["redirect_uri"],
    )
    asyncio.run(mocked.client.authenticate(SHARED["login_email"]))
    mocked.clock.set(SHARED["now"])
    return mocked


def verdict(mocked: Mocked, token: str) -> str:
    """The address, or the code of the error."""
    try:
        return asyncio.run(mocked.client.verify(token))
    except PortierError as error:
        return error.code


WAITING = started()


@given(st.sampled_from(GOOD), st.floats(0, 1, exclude_max=True), st.characters())
def test_a_token_with_any_other_character_is_refused(
    token: str, place: float, character: str
) -> None:
    at = int(place * len(token))
    assume(token[at] != character)
    assert "@" not in verdict(WAITING, token[:at] + character + token[at + 1 :])
    # None of the attempts used up the login.
    assert WAITING.client.stats()["pending"] == 1


@given(
    st.permutations(list(HEADER.items())),
    st.permutations(list(PAYLOAD.items())),
    SPACES,
    st.sampled_from([None, "email", "iss"]),
)
def test_the_order_of_members_and_white_space_do_not_change_the_result(
    header: list[tuple[str, Any]],
    payload: list[tuple[str, Any]],
    spaces: list[str],
    without: str | None,
) -> None:
    kept = [member for member in payload if member[0] != without]
    expected = {None: SHARED["login_email"], "email": "token_claim", "iss": "token_issuer"}
    token = signed(spelt(header, spaces), spelt(kept, spaces[::-1]))
    assert verdict(started(), token) == expected[without]


def spelt(members: list[tuple[str, Any]], spaces: list[str]) -> str:
    """The object as JSON, with white space wherever it is allowed."""
    pieces = ["{"]
    for name, value in members:
        pieces += [json.dumps(name), ":", json.dumps(value), ","]
    pieces[-1:] = ["}", ""]
    return "".join(space + piece for space, piece in zip(spaces, pieces, strict=False))


def signed(header: str, payload: str) -> str:
    """The token, signed with a key of the broker."""
    key = load_pem_private_key(PEM.read_bytes(), None)
    assert isinstance(key, Ed25519PrivateKey)
    message = f"{base64url(header.encode())}.{base64url(payload.encode())}"
    return f"{message}.{base64url(key.sign(message.encode()))}"


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@given(st.lists(st.tuples(FIELDS, st.text(max_size=20)), unique_by=lambda pair: pair[0]), st.data())
def test_the_order_of_parameters_does_not_change_the_result(
    pairs: list[tuple[str, str]], data: st.DataObject
) -> None:
    strangers = [("code", "x"), ("ID_TOKEN", "x"), ("", "")]
    form = data.draw(st.permutations([*pairs, ("id_token", GOOD[1]), *strangers]))
    mocked, said = started(), dict(pairs)
    completed = mocked.client.complete(dict(form))
    if said.get("error"):
        with pytest.raises(BrokerError) as caught:
            asyncio.run(completed)
        assert caught.value.error == said["error"]
        assert caught.value.error_description == (said.get("error_description") or None)
        assert mocked.client.stats()["pending"] == 1
    else:
        login = asyncio.run(completed)
        assert (login.email, login.state) == (SHARED["login_email"], said.get("state") or None)


@given(FIELDS | st.just("id_token"), st.text(max_size=20), st.text(max_size=20))
def test_a_repeated_parameter_is_refused(name: str, first: str, second: str) -> None:
    with pytest.raises(InvalidToken, match=f"name={name}$") as caught:
        asyncio.run(WAITING.client.complete({"id_token": GOOD[1], name: [first, second]}))
    assert caught.value.code == "token_malformed"
    assert WAITING.client.stats()["pending"] == 1


@given(st.tuples(st.text(min_size=1), st.text(min_size=1)).map("@".join))
def test_normalization_is_idempotent(text: str) -> None:
    try:
        once = normalize_email(text)
    except InvalidEmail:
        return
    assert normalize_email(once) == once
    assert once.rpartition("@")[2].isascii()


PIECES = ["/", "\\", ".", "?", "#", "@", ":", "a", "%2f", "%2e", "%5c", "%09", "//evil.example"]


@given(st.lists(st.sampled_from(PIECES) | st.characters(codec="utf-8"), max_size=12).map("".join))
def test_an_accepted_next_page_is_on_this_site(text: str) -> None:
    page = safe_next(f"/{text}")
    if page is not None:
        assert page.startswith("/")
        assert not page.startswith(("//", "/\\"))
        assert page.isascii()
        assert page.isprintable()
        landed = urlsplit(urljoin("https://example.com/verify", page))
        assert (landed.scheme, landed.netloc) == ("https", "example.com")
        assert safe_next(page) == page
