"""A site for each integration, as a process, and fixtures for all cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from faces.served import ServedSite
from faces.table import FACES, can_run

# In CI, a skipped test fails, as in the Python suite.
from tests.conftest import pytest_make_collect_report, pytest_runtest_makereport  # noqa: F401
from tests.web.replay import Surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Lets one process run all tests of a site, so that each site is started once."""
    for item in items:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        if site := parameters.get("face") or parameters.get("example"):
            item.add_marker(pytest.mark.xdist_group(site))


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
