"""The examples in docstrings, and the promise that everything public has a docstring."""

from __future__ import annotations

import asyncio
import doctest
import inspect
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

import portier_client
from portier_client import Client, _native, blocking, errors, testing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portier_client.testing import DevBroker

MODULES = [portier_client, portier_client._client, portier_client._base, blocking, errors, testing]
FLAGS = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL


def examples() -> Iterator[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    for module in MODULES:
        yield from finder.find(module)
    parser = doctest.DocTestParser()
    # A finder passes over what is written in Rust.
    for function in (_native.normalize_email, _native.safe_next):
        yield parser.get_doctest(inspect.getdoc(function) or "", {}, function.__name__, None, 0)


@pytest.mark.parametrize(
    "example", [pytest.param(test, id=test.name) for test in examples() if test.examples]
)
def test_examples_in_docstrings(
    example: doctest.DocTest, broker: DevBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    client = Client("https://example.com/verify", broker=broker.origin)
    asyncio.run(client.warm())
    example.globs = {"asyncio": asyncio, "broker": broker, "client": client, "Client": Client}
    failed, attempted = doctest.DocTestRunner(optionflags=FLAGS).run(example)
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
    assert not isinstance(value, ModuleType)
    documentation = inspect.getdoc(value)
    assert documentation
    assert documentation.splitlines()[0].endswith(".")
