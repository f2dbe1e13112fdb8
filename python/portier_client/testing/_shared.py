"""The development broker of tests: one for the process, and for each test as if it were new."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from ._broker import DevBroker
from ._login import LoginHelper, login

if TYPE_CHECKING:
    import unittest

    _TestCase = unittest.TestCase
else:
    _TestCase = object


class PortierTestMixin(_TestCase):
    """Gives a ``TestCase`` a development broker, and logins.

    It is the first base class, before ``unittest.TestCase``, ``unittest.IsolatedAsyncioTestCase``,
    Django's ``TestCase`` or Tornado's ``AsyncHTTPTestCase``. In Django, the setting ``PORTIER``
    names this broker during the tests. ::

        class LoginTest(PortierTestMixin, TestCase):
            def test_members_are_let_in(self):
                self.portier_login(self.client, "alice@example.com", page="/members/")
    """

    portier_broker: ClassVar[DevBroker]
    """The broker. It is one for all tests of the process, and is reset after each."""

    portier_login: ClassVar[LoginHelper] = login
    """Logs a test client in. A class may have one with other defaults: ``LoginHelper(page=…)``."""

    @classmethod
    def setUpClass(cls) -> None:
        """Start the broker, and tell Django about it."""
        cls.portier_broker = shared_broker()
        super().setUpClass()
        cls.enterClassContext(used_by_django(cls.portier_broker))

    def setUp(self) -> None:
        """Reset the broker after the test."""
        self.addCleanup(self.portier_broker.reset)
        super().setUp()


class _Shared:
    broker: DevBroker | None = None
    process = 0


def shared_broker() -> DevBroker:
    """Return the broker of this process, and start it if necessary."""
    if _Shared.broker is None or _Shared.process != os.getpid():
        _Shared.broker, _Shared.process = DevBroker(), os.getpid()
    return _Shared.broker


@contextmanager
def used_by_django(broker: DevBroker) -> Iterator[None]:
    """Name a broker in the setting ``PORTIER`` of Django, if there is one."""
    given = _setting()
    if given is None or "client" in given:
        yield
        return
    from django.test import override_settings

    with override_settings(PORTIER={**given, "broker": broker.origin}):
        yield


def _setting() -> Mapping[str, Any] | None:
    """The setting ``PORTIER``, without loading Django or its settings."""
    conf: Any = sys.modules.get("django.conf")
    if conf is None or not conf.settings.configured:
        return None
    given: Mapping[str, Any] | None = getattr(conf.settings, "PORTIER", None)
    return given
