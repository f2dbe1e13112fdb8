"""Texts nobody would send who means well: errors of their kinds, never a panic."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from portier_client import InvalidEmail, PortierError, normalize_email, safe_next

from .canned import Canned

if TYPE_CHECKING:
    from collections.abc import Coroutine

# Surrogates included, which no encoding can represent.
TEXTS = st.text(st.characters(codec=None), max_size=80)
SEGMENTS = st.text("AQeyJhbGciOiJSUzI1NiJ9-_.=", max_size=60)
FIELDS = TEXTS | SEGMENTS | st.binary(max_size=40)
NAMES = st.sampled_from(["id_token", "state", "error", "error_description"]) | TEXTS
CLIENT = Canned().client


def refused(operation: Coroutine[object, object, object]) -> str | None:
    """The code of the error, or nothing if there is none."""
    code = None
    try:
        asyncio.run(operation)
    except PortierError as error:
        code = error.code
    assert code != "internal"
    return code


@settings(deadline=None)
@given(TEXTS | SEGMENTS)
def test_tokens(token: str) -> None:
    assert (refused(CLIENT.verify(token)) or "").startswith("token_")


@settings(deadline=None)
@given(st.dictionaries(NAMES, FIELDS | st.lists(FIELDS)), st.none() | TEXTS, st.none() | TEXTS)
def test_forms(form: dict[str, object], browser: str | None, confirmation: str | None) -> None:
    assert refused(CLIENT.complete(form, browser, confirmation=confirmation))


@settings(deadline=None)
@given(TEXTS, st.none() | TEXTS, st.none() | TEXTS)
def test_starts(email: str, state: str | None, session: str | None) -> None:
    codes = {None, "invalid_email", "invalid_option"}
    assert refused(CLIENT.authenticate(email, state=state, session=session)) in codes


@settings(deadline=None)
@given(TEXTS | st.tuples(TEXTS, TEXTS).map("@".join))
def test_addresses(text: str) -> None:
    with suppress(InvalidEmail):
        normalized = normalize_email(text)
        assert normalize_email(normalized) == normalized


@given(TEXTS, st.lists(TEXTS, max_size=2))
def test_pages_to_go_back_to(text: str, hosts: list[str]) -> None:
    # The hosts are the application's own; Python says what is wrong with them.
    with suppress(UnicodeEncodeError):
        page = safe_next(text, hosts)
        assert page is None or page.isascii()
