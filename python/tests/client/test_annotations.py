"""All public annotations can be evaluated, as frameworks and dependency injection do."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import subprocess
import sys
import typing

import pytest

import portier_client
from portier_client import Client, Key, Login, Store, blocking, testing

PUBLIC_MODULES = sorted(
    f"portier_client.{module.name}"
    for module in pkgutil.iter_modules(portier_client.__path__)
    if not module.name.startswith("_")
)


def callables() -> dict[str, object]:
    """All functions, classes, methods and properties of the public modules."""
    found: dict[str, object] = {}
    for module in ("portier_client", *PUBLIC_MODULES):
        home = importlib.import_module(module)
        for name in home.__all__:
            value = getattr(home, name)
            if not is_ours(value):
                continue
            found[f"{module}.{name}"] = value
            if inspect.isclass(value):
                members = inspect.getmembers_static(value)
                found |= dict(of_class(f"{module}.{name}", members))
    return found


def of_class(prefix: str, members: list[tuple[str, object]]) -> typing.Iterator[tuple[str, object]]:
    for name, member in members:
        if name.startswith("_") and not name.endswith("__"):
            continue
        accessors = [getattr(member, "__func__", member)]
        if isinstance(member, property):
            accessors = [member.fget, member.fset, member.fdel]
        for accessor in accessors:
            if callable(accessor) and is_ours(accessor):
                yield f"{prefix}.{name}", accessor
                for overload in typing.get_overloads(accessor):
                    yield f"{prefix}.{name}, overloaded", overload


def is_ours(value: object) -> bool:
    if isinstance(value, testing.LoginHelper):  # an object that can be called
        return False
    module = getattr(value, "__module__", None)
    return isinstance(module, str) and module.partition(".")[0] == "portier_client"


CALLABLES = callables()


def test_public_callables_are_found() -> None:
    assert {
        "portier_client.Client",
        "portier_client.Client.__init__",
        "portier_client.Client.complete",
        "portier_client.Login",
        "portier_client.Store.take",
        "portier_client.errors.BrokerError.__init__",
        "portier_client.asyncio_portier.discover_keys",
        "portier_client.blocking.Client.__enter__",
        "portier_client.stores.RedisClientStore.put",
        "portier_client.testing.check_store",
        "portier_client.testing.DevBroker.origin",
        "portier_client.tornado.VerifyHandler.on_login",
    } <= CALLABLES.keys()


@pytest.mark.parametrize("name", CALLABLES)
def test_annotations_can_be_evaluated(name: str) -> None:
    subject = CALLABLES[name]
    hints = typing.get_type_hints(subject, include_extras=True)
    if callable(subject) and not inspect.isclass(subject):
        inspect.signature(subject, eval_str=True)
    if dataclasses.is_dataclass(subject):
        assert {field.name for field in dataclasses.fields(subject)} == hints.keys()


@pytest.mark.parametrize(
    ("subject", "name", "expected"),
    [
        (Client.complete, "return", Login),
        (blocking.Client.complete, "return", Login),
        (Client.keys, "return", list[Key]),
        (Client.__init__, "store", str | Store | None),
        (Client.stats, "return", dict[str, typing.Any]),
        (testing.check_store, "return", type(None)),
    ],
)
def test_annotations_are_the_types_themselves(subject: object, name: str, expected: object) -> None:
    assert typing.get_type_hints(subject)[name] == expected


@pytest.mark.parametrize("module", PUBLIC_MODULES)
def test_annotations_are_evaluated_without_another_import(module: str) -> None:
    """Evaluates them in a program that has imported only the module."""
    code = f"""
import typing, {module} as module

def is_ours(value):
    # Objects that can be called have no name.
    named = callable(value) and hasattr(value, "__name__")
    return named and str(getattr(value, "__module__", "")).startswith("portier_client")

for value in filter(is_ours, (getattr(module, name) for name in module.__all__)):
    typing.get_type_hints(value)
    for member in filter(is_ours, vars(value).values() if isinstance(value, type) else ()):
        typing.get_type_hints(member)
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
