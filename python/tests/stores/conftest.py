"""A development broker, and custom stores in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portier_client.testing import DevBroker

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def broker() -> Iterator[DevBroker]:
    """A development broker with its keys, since generating them takes time."""
    with DevBroker(mode="accept") as broker:
        broker.key_id()
        yield broker
