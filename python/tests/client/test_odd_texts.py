"""Unusual and malicious texts: they cause the documented errors, never a panic."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portier_client import InvalidEmail, PortierError, normalize_email, safe_next

from .mocked import Mocked

if TYPE_CHECKING:
    from collections.abc import Coroutine

# Includes surrogates, which no encoding can represent.
TEXTS = st.text(st.characters(codec=None), max_size=80)
SEGMENTS = st.text("AQeyJhbGciOiJSUzI1NiJ9-_.=", max_size=60)
FIELDS = TEXTS | SEGMENTS | st.binary(max_size=40)
NAMES = st.sampled_from(["id_token", "state", "error", "error_description"]) | TEXTS
CLIENT = Mocked().client


def refused(operation: Coroutine[object, object, object]) -> str | None:
    """The code of the error, or `None` without an error."""
    code = None
    try:
        asyncio.run(operation)
    except PortierError as error:
        code = error.code
    assert code != "internal"
    return code


@given(TEXTS | SEGMENTS)
def test_any_text_as_a_token_is_refused(token: str) -> None:
    assert (refused(CLIENT.verify(token)) or "").startswith("token_")


@given(st.dictionaries(NAMES, FIELDS | st.lists(FIELDS)), st.none() | TEXTS, st.none() | TEXTS)
def test_any_text_in_a_form_is_refused(
    form: dict[str, object], browser: str | None, confirmation: str | None
) -> None:
    assert refused(CLIENT.complete(form, browser, confirmation=confirmation))


@given(TEXTS, st.none() | TEXTS, st.none() | TEXTS)
def test_any_text_in_authenticate_is_accepted_or_refused(
    email: str, state: str | None, session: str | None
) -> None:
    codes = {None, "invalid_email", "invalid_option"}
    assert refused(CLIENT.authenticate(email, state=state, session=session)) in codes


@given(TEXTS | st.tuples(TEXTS, TEXTS).map("@".join))
def test_any_text_is_normalized_or_refused_as_an_address(text: str) -> None:
    with suppress(InvalidEmail):
        normalized = normalize_email(text)
        assert normalize_email(normalized) == normalized


@given(TEXTS, st.lists(TEXTS, max_size=2))
def test_any_text_is_accepted_or_refused_by_safe_next(text: str, hosts: list[str]) -> None:
    # The hosts come from the application; Python itself reports invalid ones.
    with suppress(UnicodeEncodeError):
        page = safe_next(text, hosts)
        assert page is None or page.isascii()


class Text(str):
    """A subclass of `str`, as some templates and forms use."""

    __slots__ = ()


@pytest.mark.parametrize("given", [1, b"text", bytearray(b"text"), ["text"], object()])
@pytest.mark.parametrize("argument", ["id_token", "email", "state", "session", "browser"])
def test_a_value_that_is_no_text_is_a_type_error(argument: str, given: Any) -> None:
    def call() -> Coroutine[object, object, object]:
        if argument == "id_token":
            return CLIENT.verify(given)
        return CLIENT.authenticate(**{"email": "alice@example.com", argument: given})

    with pytest.raises(TypeError, match=f"'{type(given).__name__}' object"):
        asyncio.run(call())


def test_an_exception_of_a_form_is_passed_on() -> None:
    class Broken:
        def items(self) -> object:
            raise LookupError("its own")

    with pytest.raises(LookupError, match="its own"):
        asyncio.run(CLIENT.complete(Broken()))  # type: ignore[arg-type]


def test_subclasses_of_str_and_nul_are_texts() -> None:
    assert refused(CLIENT.verify(Text("a.b.c"))) == "token_malformed"
    assert refused(CLIENT.verify("a\0.b.c")) == "token_malformed"
    assert refused(CLIENT.complete({Text("id_token"): Text("x")})) == "token_malformed"
    assert refused(CLIENT.authenticate("alice\0@example.com")) == "invalid_email"
    assert normalize_email(Text("Alice@example.com")) == "alice@example.com"
    assert safe_next("/\0") is None


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in /proc")
@pytest.mark.parametrize("letter", ["x", "é", b"x"])
def test_texts_far_too_long_are_not_copied(letter: str | bytes) -> None:
    huge: Any = letter * (64 << 20)
    # A copy that Python makes, such as one in UTF-8, would stay as long as the text.
    before = resident_bytes()
    form = {"id_token": huge, "state": huge}
    assert refused(CLIENT.complete(form)) in {"token_malformed", "token_too_large"}
    if isinstance(huge, str):
        codes = {"token_malformed", "token_too_large", "invalid_email", "invalid_option"}
        assert refused(CLIENT.verify(huge)) in codes
        assert refused(CLIENT.authenticate(huge)) in codes
        for name in ("state", "session", "browser"):
            assert refused(CLIENT.authenticate("alice@example.com", **{name: huge})) in codes
        with pytest.raises(InvalidEmail):
            normalize_email(huge)
        assert safe_next(huge) is None
    assert resident_bytes() - before < 32 << 20


@pytest.mark.parametrize("letter", ["b", "é"])
def test_a_long_address_is_refused_and_not_truncated(letter: str) -> None:
    with pytest.raises(InvalidEmail) as refused:
        normalize_email(f"a@{letter}." + f"{letter}." * 2**20 + "example")
    assert refused.value.code == "invalid_email"
    # An address with a long local part is invalid too.
    with pytest.raises(InvalidEmail):
        normalize_email(letter * 2**20 + "@b.example")


def test_a_field_truncated_inside_a_character_is_refused() -> None:
    field = b"x" * ((1 << 20) - 1) + "é".encode()
    assert refused(CLIENT.complete({"id_token": field})) == "token_too_large"
    assert refused(CLIENT.complete({"id_token": b"x" * 9 + b"\xc3"})) == "token_malformed"


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
