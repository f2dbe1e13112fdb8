"""The sites in the docstrings of the ASGI integrations work as they stand there."""

from __future__ import annotations

import importlib
import sys
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

import portier_client
from portier_client import Client

from ..examples import literal_blocks_in
from .asgi_sites import ALICE, log_in, visit

if TYPE_CHECKING:
    from portier_client.testing import DevBroker


@pytest.mark.parametrize(
    ("name", "page"), [("asgi", "/"), ("starlette", "/members"), ("fastapi", "/members")]
)
def test_the_site_of_a_docstring_signs_people_in(
    name: str, page: str, broker: DevBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    documented = importlib.import_module(f"portier_client.{name}")
    monkeypatch.setattr(portier_client, "Client", partial(Client, broker=broker.origin))
    # FastAPI looks up annotations in the module of a function.
    module = ModuleType("example")
    monkeypatch.setitem(sys.modules, "example", module)
    for code in literal_blocks_in(documented.__doc__ or "", name):
        exec(code, vars(module))
    browser = visit(module.app)
    assert ALICE not in browser.get(page).text
    assert log_in(browser, broker, next=page).headers["location"] == page
    assert f"Hello, {ALICE}" in browser.get(page).text
