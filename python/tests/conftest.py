"""Settings for all suites."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, TypeVar

import pytest
from hypothesis import settings

from portier_client.testing import flush_events

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Iterator

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

LOGGER = logging.getLogger("portier_client")

IN_CI = os.environ.get("CI") == "true"

# A shell lets commands in the background ignore it, and so would every program of the tests.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# They measure time or memory, stop processes at a certain moment, or read everything that is
# logged.
APART = {
    "test_concurrency.py",
    "test_events.py",
    "test_exit.py",
    "test_faulty_stores.py",
    "test_fork.py",
    "test_leaks.py",
    "test_processes.py",
    "test_signals.py",
    "test_sqlite_store.py",
    "test_store_lifetimes.py",
}

# The same examples in every run, and as many others as requested.
EXAMPLES = os.environ.get("PORTIER_TEST_EXAMPLES")
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("others", max_examples=int(EXAMPLES or 1), deadline=None)
settings.load_profile("others" if EXAMPLES else "same")


def new_loops() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Functions that make an event loop of each kind."""
    if sys.platform == "win32":
        return {"asyncio": asyncio.new_event_loop}
    import uvloop

    return {"asyncio": asyncio.SelectorEventLoop, "uvloop": uvloop.new_event_loop}


class Unwatching(asyncio.SelectorEventLoop):
    """Has no `add_reader`, like the default loop on Windows."""

    def add_reader(self, *_: object) -> None:
        """Fail as that loop does."""
        raise NotImplementedError


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Runs each test that is a coroutine once in every kind of event loop."""
    return new_loops()


@pytest.fixture(params=[*new_loops(), "unwatching"])
def every_loop(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], asyncio.AbstractEventLoop]:
    """Runs a test that starts event loops itself once with each kind; makes a loop."""
    new_loop = {**new_loops(), "unwatching": Unwatching}[request.param]

    def run(main: Coroutine[object, object, object], *, debug: bool | None = None) -> object:
        with asyncio.Runner(debug=debug, loop_factory=new_loop) as runner:
            return runner.run(main)

    monkeypatch.setattr(asyncio, "run", run)
    return new_loop


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that run apart from the others.

    Tests of the log come first: clients of other tests may log in the background later.
    """
    for item in items:
        if item.path.name in APART:
            item.add_marker("apart")
    items.sort(key=lambda item: item.path.name != "test_events.py")


def pytest_collection_finish() -> None:
    """Keeps thousands of tests out of each garbage collection, which they would make slow."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI, a skipped test fails: everything that a test needs must be installed."""
    return fail_if_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """In CI, a file that skips itself fails."""
    return fail_if_skipped((yield))


def fail_if_skipped(report: Report) -> Report:
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def logger_as_before() -> Iterator[None]:
    """Waits for the records of earlier tests, and restores the logger."""
    flush_events()
    level, handlers = LOGGER.level, LOGGER.handlers[:]
    yield
    LOGGER.setLevel(level)
    LOGGER.handlers[:] = handlers


@pytest.fixture(autouse=True)
def time_of_the_broker(request: pytest.FixtureRequest) -> None:
    """Undoes what other tests have done to the time of a broker that many tests share.

    Some move the time of all running brokers. Only the clients of this process move with it.
    """
    if "broker" in request.fixturenames:
        request.getfixturevalue("broker").resume_time()
