"""Warnings about memory stores that cannot work; `tests/servers` tests real servers."""

from __future__ import annotations

import importlib
import logging
import multiprocessing
import os
import sys
import types
import warnings
from typing import TYPE_CHECKING

import pytest

from portier_client import InvalidSession, blocking

from .conftest import REDIRECT_URI

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from portier_client.testing import DevBroker


@pytest.fixture
def caught() -> Iterator[list[warnings.WarningMessage]]:
    """The warnings of a test."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A module that makes a client when it is loaded, and has a function that makes another."""
    (tmp_path / "site_of_one_module.py").write_text(
        "from portier_client import Client\n"
        "def make():\n"
        f"    return Client({REDIRECT_URI!r}, store='memory:')\n"
        "client = make()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "site_of_one_module", raising=False)
    return importlib.import_module("site_of_one_module")


def test_a_module_loaded_twice_with_two_clients_causes_a_warning(
    site: types.ModuleType, caught: list[warnings.WarningMessage]
) -> None:
    importlib.reload(site)
    (warning,) = caught
    assert "loaded twice" in str(warning.message)
    assert warning.filename == site.__file__


def test_a_module_loaded_twice_that_closed_its_client_causes_no_warning(
    site: types.ModuleType, caught: list[warnings.WarningMessage]
) -> None:
    site.client._close()
    importlib.reload(site)
    assert caught == []


def test_a_function_may_make_several_clients_without_a_warning(
    site: types.ModuleType, caught: list[warnings.WarningMessage]
) -> None:
    clients = [site.make(), site.make(), blocking.Client(REDIRECT_URI, store="memory:")]
    assert clients
    assert caught == []


def _make_a_client() -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        blocking.Client(REDIRECT_URI, store="memory:")
        blocking.Client(REDIRECT_URI, store="redis://localhost")
    return [str(warning.message) for warning in caught]


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_process_started_by_multiprocessing_causes_a_warning(method: str) -> None:
    with multiprocessing.get_context(method).Pool(1) as pool:
        (message,) = pool.apply(_make_a_client)
    assert "multiprocessing started it" in message


@pytest.mark.parametrize(("workers", "count"), [(1, 0), (4, 1)])
def test_the_servers_number_of_workers_overrides_the_environment(
    workers: int,
    count: int,
    monkeypatch: pytest.MonkeyPatch,
    caught: list[warnings.WarningMessage],
) -> None:
    uwsgi = types.SimpleNamespace(numproc=workers, masterpid=lambda: 1)
    monkeypatch.setitem(sys.modules, "uwsgi", uwsgi)
    monkeypatch.setenv("WEB_CONCURRENCY", "2")
    blocking.Client(REDIRECT_URI, store="memory:")
    assert len(caught) == count


@pytest.mark.parametrize(("processes", "count"), [(1, 0), (4, 1)])
def test_mod_wsgi_says_how_many_processes_it_runs(
    processes: int,
    count: int,
    monkeypatch: pytest.MonkeyPatch,
    caught: list[warnings.WarningMessage],
) -> None:
    mod_wsgi = types.SimpleNamespace(maximum_processes=processes)
    monkeypatch.setitem(sys.modules, "mod_wsgi", mod_wsgi)
    blocking.Client(REDIRECT_URI, store="memory:")
    assert len(caught) == count


def test_passenger_causes_a_warning(
    monkeypatch: pytest.MonkeyPatch, caught: list[warnings.WarningMessage]
) -> None:
    monkeypatch.setenv("IN_PASSENGER", "1")
    blocking.Client(REDIRECT_URI, store="memory:")
    (warning,) = caught
    assert "Passenger" in str(warning.message)


def test_a_master_process_causes_no_warning(
    monkeypatch: pytest.MonkeyPatch, caught: list[warnings.WarningMessage]
) -> None:
    uwsgi = types.SimpleNamespace(numproc=4, masterpid=os.getpid)
    monkeypatch.setitem(sys.modules, "uwsgi", uwsgi)
    blocking.Client(REDIRECT_URI, store="memory:")
    assert caught == []


@pytest.mark.parametrize("configured", [True, False])
def test_the_first_lost_login_is_shown_without_configured_logging(
    configured: bool,
    broker: DevBroker,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    heard: list[logging.LogRecord] = []
    handler = logging.NullHandler() if not configured else logging.Handler()
    handler.emit = heard.append  # type: ignore[method-assign]
    # pytest installs its own handlers.
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    here, elsewhere = (
        blocking.Client(REDIRECT_URI, broker=broker.origin, store="memory:") for _ in range(2)
    )
    # So that no background event is logged.
    here.warm()
    for _ in range(2):
        token = broker.mint(elsewhere.authenticate("alice@example.com"))
        with pytest.raises(InvalidSession):
            here.verify(token)
    warned = [record for record in heard if record.levelno == logging.WARNING]
    assert [record.event for record in warned] == ["login not in memory store"] * configured  # type: ignore[attr-defined]
    shown = capsys.readouterr().err
    assert shown.count("login not in memory store") == (not configured)
    assert ("redis://localhost" in shown) == (not configured)
