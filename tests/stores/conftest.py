"""A development broker, and the stores that processes can share."""

# In CI, a skipped test fails, as in the Python suite.
from tests.conftest import pytest_make_collect_report, pytest_runtest_makereport  # noqa: F401
from tests.stores.shared import broker, redis, store  # noqa: F401
