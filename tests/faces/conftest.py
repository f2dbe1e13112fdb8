"""A site for each integration, as a process, and fixtures for all cases."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from e2e.browser import journal
from faces.served import ServedSite
from faces.table import FACES, can_run

# As in the Python suite: in CI, a skipped test fails; the collected tests are no garbage.
from tests.conftest import (  # noqa: F401
    pytest_collection_finish,
    pytest_make_collect_report,
    pytest_runtest_makereport,
)
from tests.web.replay import Surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling


def pytest_configure(config: pytest.Config) -> None:
    """Shows in the report of a failed test what its browsers did."""
    config.pluginmanager.register(journal)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Marks the names of sites in the ids of tests."""
    return f"<{val}>" if argname in {"face", "example"} else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Lets one process run all tests of a site, so that each site is started once."""
    from xdist.scheduler import LoadScopeScheduling

    class BySite(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            site = re.search("<(.+?)>", nodeid)
            return site[1] if site else nodeid

    return BySite(config, log)


@pytest.fixture(scope="session")
def surroundings() -> Iterator[Surroundings]:
    """The development broker, its documents and its clock."""
    surroundings = Surroundings()
    yield surroundings
    surroundings.broker.stop()


@pytest.fixture(scope="session", params=FACES)
def face(request: pytest.FixtureRequest) -> Iterator[ServedSite]:
    """The site of an integration; it makes a new application for each case."""
    name: str = request.param
    if not can_run(name):
        pytest.skip(f"there is nothing to run the {name} site with")
    with ServedSite(name) as site:
        yield site
