"""Errors: the same codes as in Rust, with all that belongs to them."""

from __future__ import annotations

import asyncio
import copy
import pickle
import re
from typing import TYPE_CHECKING

import pytest

from portier_client import (
    BrokerError,
    BrokerUnavailable,
    Client,
    InternalError,
    PortierError,
    _native,
    errors,
)
from portier_client.testing import DevBroker

from .conftest import REDIRECT_URI

if TYPE_CHECKING:
    from collections.abc import Callable

CODES = [pytest.param(*row, id=row[0]) for row in _native.codes()]


@pytest.mark.parametrize(("code", "kind", "retryable"), CODES)
def test_every_code_exists_in_both_languages(code: str, kind: str, retryable: bool) -> None:
    found = errors.CLASSES[code]
    assert issubclass(found, getattr(errors, kind))
    assert found.retryable is retryable
    assert re.search(rf"``{code}``", found.__doc__ or "")


def test_no_code_is_made_up() -> None:
    assert set(errors.CLASSES) == {code for code, _, _ in _native.codes()}


@pytest.mark.parametrize(("code", "kind", "retryable"), CODES)
@pytest.mark.parametrize("duplicate", [lambda e: pickle.loads(pickle.dumps(e)), copy.deepcopy])
def test_errors_survive_the_way_to_another_process(
    duplicate: Callable[[PortierError], PortierError], code: str, kind: str, retryable: bool
) -> None:
    del kind
    error = errors.CLASSES[code]("the fact value=1", code=code)
    error.add_note("a note")
    twin = duplicate(error)
    assert type(twin) is type(error)
    assert (str(twin), twin.code, twin.retryable) == ("the fact value=1", code, retryable)
    assert twin.__notes__ == ["a note"]


def test_what_a_broker_said_survives_as_well() -> None:
    error = BrokerError("refused", code="broker_error", error="a", error_description="b")
    twin = pickle.loads(pickle.dumps(error))
    assert (twin.error, twin.error_description, twin.args) == ("a", "b", ("refused",))


def test_the_sources_of_an_error_are_its_causes() -> None:
    broker = DevBroker()
    client = Client(REDIRECT_URI, broker=broker.origin)
    broker.stop()
    with pytest.raises(BrokerUnavailable) as caught:
        asyncio.run(client.warm())
    error = caught.value
    assert (error.code, error.retryable) == ("broker_unreachable", True)
    assert error.__cause__ is not None
    assert not isinstance(error.__cause__, PortierError)


@pytest.mark.parametrize("at_once", [True, False])
def test_a_panic_is_an_internal_error(at_once: bool, capfd: pytest.CaptureFixture[str]) -> None:
    async def operate() -> None:
        # An ordinary function of the native module: it raises where it is called, or later.
        await _native.panic_in_operation(at_once)

    for _ in range(2):
        with pytest.raises(InternalError) as caught:
            asyncio.run(operate())
        assert caught.value.code == "internal"
    assert "this panic was asked for" in capfd.readouterr().err
