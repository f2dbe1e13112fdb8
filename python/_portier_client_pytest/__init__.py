"""Fixtures for pytest, which finds them by itself.

``portier_broker`` is a :class:`portier_client.testing.DevBroker` for one test, ``portier_login``
logs a test client in. The broker is started when a test asks for a fixture for the first
time. Without such a test, the plugin does nothing.

This is outside of the package :mod:`portier_client`: pytest loads it in every run of every project
in whose environment the package is installed, and importing the package would cost time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from portier_client.testing import DevBroker, LoginHelper

_VARIABLE = "portier_broker_variable"
_PAGE = "portier_login_page"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the settings."""
    parser.addini(
        _VARIABLE,
        "the environment variable from which the site reads the origin of its broker; it is set "
        "before test files are imported",
        default="",
    )
    parser.addini(_PAGE, "the page with the login form of the site", default="")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Set the variable: the site may read it when it is imported."""
    name: str = early_config.getini(_VARIABLE)
    if name:
        from portier_client.testing._shared import shared_broker

        before = os.environ.get(name)
        os.environ[name] = shared_broker().origin
        early_config.add_cleanup(lambda: _restore(name, before))


@pytest.fixture(scope="session")
def portier_session_broker() -> DevBroker:
    """The development broker of this process, for sites that are made once for all tests."""
    from portier_client.testing._shared import shared_broker

    return shared_broker()


@pytest.fixture
def portier_broker(portier_session_broker: DevBroker) -> Iterator[DevBroker]:
    """The development broker, as if it were new for each test. Its origin stays the same.

    In Django, the setting ``PORTIER`` names it during the test.
    """
    from portier_client.testing._shared import used_by_django

    with used_by_django(portier_session_broker):
        yield portier_session_broker
    portier_session_broker.reset()


@pytest.fixture
def portier_login(request: pytest.FixtureRequest, portier_broker: DevBroker) -> LoginHelper:
    """Logs a test client in; see :class:`portier_client.testing.LoginHelper`."""
    return _login(request.config)


@pytest.fixture(scope="session")
def portier_session_login(
    request: pytest.FixtureRequest, portier_session_broker: DevBroker
) -> LoginHelper:
    """Logs a test client in that is made once for all tests, at ``portier_session_broker``."""
    return _login(request.config)


def _login(config: pytest.Config) -> LoginHelper:
    from portier_client.testing import LoginHelper

    page: str = config.getini(_PAGE)
    return LoginHelper(page=page) if page else LoginHelper()


def _restore(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
