"""Helpers for tests and development. Do not use them in production.

:class:`DevBroker` is a broker on this machine that asks for no proof. :data:`login` logs the test
client of a framework in at a site that uses it, and simulates failures.
:class:`PortierTestMixin` brings both to :mod:`unittest`; for pytest there are the fixtures
``portier_broker`` and ``portier_login``. :func:`mock_client` makes a client with a clock, random
numbers and a network that the test controls. :func:`check_store` checks a store.
"""

from __future__ import annotations

from .._check_store import check_store
from .._native import ManualClock, MockTransport
from ._broker import DevBroker, Mail
from ._clients import flush_events, mock_client, open_store
from ._failure import LoginFailed
from ._login import AsyncTestClient, LoginHelper, LoginOptions, LoginResult, Scenario, login
from ._shared import PortierTestMixin

__all__ = [
    "AsyncTestClient",
    "DevBroker",
    "LoginFailed",
    "LoginHelper",
    "LoginOptions",
    "LoginResult",
    "Mail",
    "ManualClock",
    "MockTransport",
    "PortierTestMixin",
    "Scenario",
    "check_store",
    "flush_events",
    "login",
    "mock_client",
    "open_store",
]
