"""What holds for every suite."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from typing import TYPE_CHECKING, TypeVar

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Iterator

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

LOGGER = logging.getLogger("portier_client")

IN_CI = os.environ.get("CI") == "true"

# They measure time or memory, stop processes at a certain moment, or hear what is logged anywhere.
ALONE = {
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

# The same examples every time, and as many others as somebody asks for.
EXAMPLES = os.environ.get("PORTIER_TEST_EXAMPLES")
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("others", max_examples=int(EXAMPLES or 1), deadline=None)
settings.load_profile("others" if EXAMPLES else "same")


def new_loops() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """What makes an event loop of each kind."""
    if sys.platform == "win32":
        return {"asyncio": asyncio.new_event_loop}
    import uvloop

    return {"asyncio": asyncio.SelectorEventLoop, "uvloop": uvloop.new_event_loop}


class Unwatching(asyncio.SelectorEventLoop):
    """Watches no files for others, as the loop that most programs use on Windows."""

    def add_reader(self, *_: object) -> None:
        """Watch a file."""
        raise NotImplementedError


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Has each test that is a coroutine run once in every kind of event loop."""
    return new_loops()


@pytest.fixture(params=[*new_loops(), "unwatching"])
def every_loop(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], asyncio.AbstractEventLoop]:
    """Has a test that starts event loops itself do so once with each kind; makes one."""
    new_loop = {**new_loops(), "unwatching": Unwatching}[request.param]

    def run(main: Coroutine[object, object, object], *, debug: bool | None = None) -> object:
        with asyncio.Runner(debug=debug, loop_factory=new_loop) as runner:
            return runner.run(main)

    monkeypatch.setattr(asyncio, "run", run)
    return new_loop


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what must not run beside other tests.

    The tests of the log come first: clients of other tests may work in the background later.
    """
    for item in items:
        if item.path.name in ALONE:
            item.add_marker("alone")
    items.sort(key=lambda item: item.path.name != "test_events.py")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fails what is skipped, in CI: there, everything a test could miss has to be in place."""
    return fail_if_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Fails files that skip themselves, in CI."""
    return fail_if_skipped((yield))


def fail_if_skipped(report: Report) -> Report:
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def logger_as_before() -> Iterator[None]:
    """Leaves the logger as it was."""
    level, handlers = LOGGER.level, LOGGER.handlers[:]
    yield
    LOGGER.setLevel(level)
    LOGGER.handlers[:] = handlers
