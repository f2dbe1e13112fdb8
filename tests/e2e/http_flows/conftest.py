"""Visitors without a browser."""

from __future__ import annotations

import pytest

from tests.web.visitor import Visitor


@pytest.fixture
def visitor() -> Visitor:
    """A visitor with a new browser."""
    return Visitor()
