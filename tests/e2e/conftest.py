"""The real broker, the example sites, and a record of the results."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

# In CI, a skipped test fails, as in the Python suite.
from tests.conftest import pytest_make_collect_report, pytest_runtest_makereport  # noqa: F401

from .broker import Broker, is_installed
from .record import Record
from .sites import SITES, Site, can_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Serve = Callable[..., Site]

# What the browser posts can be looked at.
USUAL = {"flow": "implicit"}


def pytest_configure(config: pytest.Config) -> None:
    """Keeps the record of the run."""
    config.pluginmanager.register(Record())


@pytest.fixture(scope="session", autouse=True)
def _installed() -> None:
    if not is_installed():
        pytest.skip("there is no broker: run `make broker`")


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker for all tests that do not change it."""
    with Broker(tmp_path_factory.mktemp("broker")) as broker:
        yield broker


@pytest.fixture(scope="session", params=SITES)
def site_name(request: pytest.FixtureRequest) -> str:
    """Runs every test for every site."""
    name: str = request.param
    if not can_run(name):
        pytest.skip(f"there is nothing to run the {name} site with")
    return name


@pytest.fixture(scope="session")
def serve_shared(site_name: str, broker: Broker) -> Iterator[Serve]:
    """Serves the site with the shared broker; once for each set of options."""
    served: dict[tuple[tuple[str, str], ...], Site] = {}
    with ExitStack() as stack:

        def serve(**options: str) -> Site:
            options = {**USUAL, **options}
            key = tuple(sorted(options.items()))
            if key not in served:
                served[key] = stack.enter_context(Site(site_name, broker.origin, **options))
            return served[key]

        yield serve


@pytest.fixture
def site(serve_shared: Serve) -> Site:
    """The site with its default options and the shared broker."""
    return serve_shared()


@pytest.fixture
def serve(site_name: str) -> Iterator[Serve]:
    """Serves the site with the test's own broker."""
    with ExitStack() as stack:
        yield lambda broker, **options: stack.enter_context(
            Site(site_name, broker.origin, **{**USUAL, **options})
        )


@pytest.fixture
def email(request: pytest.FixtureRequest) -> str:
    """An address that no other test uses."""
    return f"reader-{abs(hash(request.node.nodeid))}@example.com"
