"""Everything public is documented, and the examples run."""

from __future__ import annotations

import asyncio
import doctest
import inspect
from typing import TYPE_CHECKING

import pytest

import portier_client
from portier_client import (
    Client,
    _base,
    _client,
    blocking,
    errors,
    normalize_email,
    safe_next,
    testing,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from portier_client.testing import DevBroker

MODULES = [portier_client, _base, _client, blocking, errors, testing]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_examples_in_docstrings_run(module: ModuleType, broker: DevBroker) -> None:
    names = {"asyncio": asyncio, "broker": broker, "Client": Client}
    flags = doctest.ELLIPSIS | doctest.REPORT_NDIFF
    assert doctest.testmod(module, extraglobs=names, optionflags=flags).failed == 0


def test_there_are_examples() -> None:
    found = [doctest.DocTestFinder().find(module) for module in MODULES]
    assert sum(bool(test.examples) for tests in found for test in tests) >= 15


@pytest.mark.parametrize("function", [normalize_email, safe_next])
def test_examples_of_native_functions_run(
    function: Callable[..., object], capsys: pytest.CaptureFixture[str]
) -> None:
    # A finder of examples passes over what is not written in Python.
    text = inspect.getdoc(function) or ""
    example = doctest.DocTestParser().get_doctest(text, {}, function.__name__, None, 0)
    failed, attempted = doctest.DocTestRunner().run(example)
    assert failed == 0, capsys.readouterr().out
    assert attempted > 0


def public() -> Iterator[tuple[str, object]]:
    for module in (portier_client, blocking, testing):
        for name in module.__all__:
            value = getattr(module, name)
            if name.startswith("_"):
                continue
            yield f"{module.__name__}.{name}", value
            if inspect.isclass(value):
                for member in vars(value):
                    if not member.startswith("_"):
                        yield f"{module.__name__}.{name}.{member}", getattr(value, member)


@pytest.mark.parametrize(
    "value", [pytest.param(value, id=name) for name, value in public() if callable(value)]
)
def test_everything_public_is_documented(value: object) -> None:
    documentation = inspect.getdoc(value)
    assert documentation
    assert documentation.splitlines()[0].endswith(".")
