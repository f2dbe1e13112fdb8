"""A development broker, and clients of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portier_client import Client
from portier_client.testing import DevBroker

from .telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Iterator

REDIRECT_URI = "https://example.com/verify"


@pytest.fixture(scope="session")
def broker() -> Iterator[DevBroker]:
    """A development broker with its keys, since generating them takes time."""
    with DevBroker(mode="accept") as broker:
        broker.key_id()
        yield broker


@pytest.fixture
def client(broker: DevBroker) -> Client:
    """A client that has fetched nothing yet."""
    return Client(REDIRECT_URI, broker=broker.origin)


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    """Providers of OpenTelemetry."""
    telemetry = Telemetry()
    yield telemetry
    telemetry.meters.shutdown()
    telemetry.tracers.shutdown()
