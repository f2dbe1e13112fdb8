"""Helpers for tests and development. Do not use them in production.

:class:`DevBroker` is a broker on this machine that asks for no proof. :func:`mock_client` makes a
client with a clock, random numbers and a network that the test controls. :func:`check_store` checks
a store.
"""

from __future__ import annotations

from .._check_store import check_store
from .._native import ManualClock, MockTransport
from ._broker import DevBroker, Mail
from ._clients import flush_events, mock_client, open_store

__all__ = [
    "DevBroker",
    "Mail",
    "ManualClock",
    "MockTransport",
    "check_store",
    "flush_events",
    "mock_client",
    "open_store",
]
