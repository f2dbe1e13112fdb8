"""Fixtures of the suites in which several processes share a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portier_client.testing import DevBroker

from .servers import redis_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def broker() -> Iterator[DevBroker]:
    """A development broker. It generates its keys before the first test needs them."""
    with DevBroker(mode="accept") as broker:
        broker.key_id()
        yield broker


@pytest.fixture(scope="session")
def redis() -> Iterator[Path]:
    """The socket of a Redis server for these tests only."""
    with redis_server() as socket:
        yield socket


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/logins.db"
    return f"redis+unix://{request.getfixturevalue('redis')}?prefix={tmp_path.name}:"
