"""Everything public is documented, and the examples run."""

from __future__ import annotations

import asyncio
import doctest
import inspect
import pydoc
from typing import TYPE_CHECKING

import pytest
from tornado.web import RequestHandler

import portier_client
from portier_client import (
    Client,
    _base,
    _check_store,
    _client,
    _flow,
    _request,
    aiohttp,
    asgi,
    asyncio_portier,
    blocking,
    errors,
    fastapi,
    flask,
    metrics,
    normalize_email,
    opentelemetry,
    prometheus,
    quart,
    safe_next,
    starlette,
    stores,
    testing,
    tornado,
    web,
    wsgi,
)
from portier_client.testing import _broker, _clients

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from portier_client.testing import DevBroker

MODULES = [
    portier_client,
    _base,
    _check_store,
    _client,
    _flow,
    _request,
    _broker,
    _clients,
    blocking,
    errors,
    metrics,
    opentelemetry,
    prometheus,
    stores,
    testing,
    web,
]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_examples_in_docstrings_run(module: ModuleType, broker: DevBroker) -> None:
    names = {"WebRequest": web.WebRequest, "asyncio": asyncio, "broker": broker, "Client": Client}
    flags = doctest.ELLIPSIS | doctest.REPORT_NDIFF
    assert doctest.testmod(module, extraglobs=names, optionflags=flags).failed == 0


def test_there_are_examples() -> None:
    found = [doctest.DocTestFinder().find(module) for module in MODULES]
    assert sum(bool(test.examples) for tests in found for test in tests) >= 15


@pytest.mark.parametrize("function", [normalize_email, safe_next])
def test_examples_of_native_functions_run(
    function: Callable[..., object], capsys: pytest.CaptureFixture[str]
) -> None:
    # `DocTestFinder` ignores functions that are not written in Python.
    text = inspect.getdoc(function) or ""
    example = doctest.DocTestParser().get_doctest(text, {}, function.__name__, None, 0)
    failed, attempted = doctest.DocTestRunner().run(example)
    assert failed == 0, capsys.readouterr().out
    assert attempted > 0


def public() -> Iterator[tuple[str, object]]:
    faces = (aiohttp, asgi, fastapi, flask, quart, starlette, tornado, wsgi)
    for module in (portier_client, asyncio_portier, blocking, *faces, stores, testing, web):
        for name in module.__all__:
            if name.startswith("_"):
                continue
            value = getattr(module, name)
            if inspect.isclass(value) or inspect.isroutine(value):
                yield f"{module.__name__}.{name}", value
            if inspect.isclass(value):
                for member, found in members_of(value):
                    yield f"{module.__name__}.{name}.{member}", found


def members_of(kind: type) -> Iterator[tuple[str, object]]:
    """Methods and properties of a class, also inherited ones of this package."""
    for name, value in inspect.getmembers(kind):
        if name.startswith("_") or not (callable(value) or isinstance(value, property)):
            continue
        home = next(base for base in kind.__mro__ if name in vars(base))
        if home.__module__.partition(".")[0] == portier_client.__name__:
            yield name, value


PUBLIC = dict(public())


def test_inherited_members_are_found() -> None:
    assert {
        "portier_client.Client.verify",
        "portier_client.Client.client_id",
        "portier_client.Client.stats",
        "portier_client.blocking.Client.broker",
        "portier_client.testing.DevBroker.origin",
        "portier_client.tornado.login_policy",
        "portier_client.tornado.VerifyHandler.cookie_flags",
    } <= PUBLIC.keys()
    assert "portier_client.tornado.VerifyHandler.set_header" not in PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_everything_public_is_documented(name: str) -> None:
    documentation = inspect.getdoc(PUBLIC[name])
    assert documentation
    assert documentation.splitlines()[0].endswith(".")


def test_help_of_the_tornado_module_names_its_options_before_inherited_members() -> None:
    text = pydoc.plain(pydoc.render_doc(tornado))
    description = text[: text.index("CLASSES")]
    members = {
        name
        for kind in (tornado.PortierMixin, tornado.VerifyHandler, tornado.SessionMixin)
        for base in kind.__mro__
        if base.__module__.startswith("portier_client")
        for name in vars(base)
        if not name.startswith("_") and name not in vars(RequestHandler)
    }
    assert members >= {"allowed_hosts", "on_login", "portier", "accept_session"}
    assert [name for name in sorted(members) if name not in description] == []
    assert [name for name in ("login_url", "portier_secret") if name not in description] == []
